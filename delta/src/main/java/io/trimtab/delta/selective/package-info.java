/**
 * Training chosen stored tensors as a whole: all of them (full fine-tuning, the baseline of every
 * study) or the biases alone (Ben Zaken et al., "BitFit", 2021).
 */
@NullMarked
package io.trimtab.delta.selective;

import org.jspecify.annotations.NullMarked;
