/**
 * Intrinsic dimension: all chosen weights move together in a random subspace of few dimensions
 * (Aghajanyan et al., "Intrinsic Dimensionality Explains the Effectiveness of Language Model
 * Fine-Tuning", 2020; Li et al., "Measuring the Intrinsic Dimension of Objective Landscapes",
 * 2018).
 */
@NullMarked
package io.trimtab.delta.intrinsic;

import org.jspecify.annotations.NullMarked;
