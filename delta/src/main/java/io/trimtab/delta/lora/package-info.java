/**
 * LoRA: a product of two thin matrices beside a frozen one (Hu et al., "LoRA: Low-Rank Adaptation
 * of Large Language Models", 2021).
 */
@NullMarked
package io.trimtab.delta.lora;

import org.jspecify.annotations.NullMarked;
