/**
 * Block formats: how llama.cpp's files pack a few dozen or a few hundred weights of a row into a
 * block of whole numbers with one or two scales.
 */
@NullMarked
package io.trimtab.hub.blocks;

import org.jspecify.annotations.NullMarked;
