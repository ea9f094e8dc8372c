/**
 * LayerNorm tuning: the weights and biases of norms alone are trained (Zhao et al., "Tuning
 * LayerNorm in Attention: Towards Efficient Multi-Modal LLM Finetuning", 2023).
 */
@NullMarked
package io.trimtab.delta.lntuning;

import org.jspecify.annotations.NullMarked;
