/**
 * OFT, orthogonal fine-tuning: the input of a linear layer is rotated, block by block (Qiu et al.,
 * "Controlling Text-to-Image Diffusion by Orthogonal Finetuning", 2023; on the input and with a
 * Neumann series as in Qiu et al., "Orthogonal Finetuning Made Scalable", 2025).
 */
@NullMarked
package io.trimtab.delta.oft;

import org.jspecify.annotations.NullMarked;
