/**
 * C3A: a matrix of circulant blocks beside a linear layer (Chen et al., "Parameter-Efficient
 * Fine-Tuning via Circular Convolution", 2024).
 */
@NullMarked
package io.trimtab.delta.c3a;

import org.jspecify.annotations.NullMarked;
