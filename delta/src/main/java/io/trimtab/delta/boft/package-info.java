/**
 * BOFT: the input of a linear layer is rotated by a product of butterfly factors, and its output
 * rescaled (Liu et al., "Parameter-Efficient Orthogonal Finetuning via Butterfly Factorization",
 * 2023).
 */
@NullMarked
package io.trimtab.delta.boft;

import org.jspecify.annotations.NullMarked;
