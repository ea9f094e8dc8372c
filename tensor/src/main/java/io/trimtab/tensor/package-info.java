/**
 * Tensors, scopes, element types, devices, random numbers and gradients. The only room that knows
 * libtorch.
 */
@NullMarked
package io.trimtab.tensor;

import org.jspecify.annotations.NullMarked;
