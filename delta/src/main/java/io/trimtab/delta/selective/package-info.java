/**
 * Training some of the model's own tensors: all of them (full fine-tuning, the baseline of every
 * study), the biases (Ben Zaken et al., "BitFit", 2021), the last blocks with the head, or chosen
 * modules.
 */
@NullMarked
package io.trimtab.delta.selective;

import org.jspecify.annotations.NullMarked;
