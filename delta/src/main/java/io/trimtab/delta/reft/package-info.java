/**
 * Representation fine-tuning: what blocks give is changed, within a small subspace and at the first
 * and last tokens of a row alone. Wu et al., "ReFT: Representation Finetuning for Language Models",
 * 2024.
 */
@NullMarked
package io.trimtab.delta.reft;

import org.jspecify.annotations.NullMarked;
