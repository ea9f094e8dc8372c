/**
 * RandLoRA: a change of full rank made of frozen random bases that are scaled by few trained
 * numbers (Albert et al., "RandLoRA: Full-Rank Parameter-Efficient Fine-Tuning of Large Models",
 * 2025).
 */
@NullMarked
package io.trimtab.delta.randlora;

import org.jspecify.annotations.NullMarked;
