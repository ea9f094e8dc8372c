/**
 * AdaLoRA: low-rank changes in the form of a singular value decomposition, whose ranks move during
 * training from layers where they matter little to layers where they matter (Zhang et al.,
 * "Adaptive Budget Allocation for Parameter-Efficient Fine-Tuning", 2023).
 */
@NullMarked
package io.trimtab.delta.adalora;

import org.jspecify.annotations.NullMarked;
