/**
 * IA3: learned vectors that rescale keys, values and the inner activations of feed-forward layers
 * (Liu et al., "Few-Shot Parameter-Efficient Fine-Tuning is Better and Cheaper than In-Context
 * Learning", 2022).
 */
@NullMarked
package io.trimtab.delta.ia3;

import org.jspecify.annotations.NullMarked;
