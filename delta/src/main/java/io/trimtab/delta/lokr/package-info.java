/**
 * LoKr: a Kronecker product of a small and a larger matrix, each perhaps of low rank (Yeh et al.,
 * "Navigating Text-To-Image Customization: From LyCORIS Fine-Tuning to Model Evaluation", 2023).
 */
@NullMarked
package io.trimtab.delta.lokr;

import org.jspecify.annotations.NullMarked;
