/**
 * FourierFT: the change of a weight is given by a few entries of its Fourier transform (Gao et al.,
 * "Parameter-Efficient Fine-Tuning with Discrete Fourier Transform", 2024).
 */
@NullMarked
package io.trimtab.delta.fourierft;

import org.jspecify.annotations.NullMarked;
