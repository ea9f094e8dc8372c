/**
 * RoAd: outputs of a linear layer are rotated and rescaled in pairs (Liao and Monz, "3-in-1: 2D
 * Rotary Adaptation for Efficient Finetuning, Efficient Batching and Composability", 2024).
 */
@NullMarked
package io.trimtab.delta.road;

import org.jspecify.annotations.NullMarked;
