/**
 * The forms in which the matrix of a linear layer is held: as plain numbers, as numbers of half the
 * size, or packed with scales as files have them. A {@link io.trimtab.model.weights.Weight} is all
 * that layers see. What is not plain is read in tiles of rows, in the product and in the gradient
 * alike, so that no more than a tile of it is ever there as plain numbers.
 */
@NullMarked
package io.trimtab.model.weights;

import org.jspecify.annotations.NullMarked;
