/**
 * Soft prompts: vectors that are trained in front of the words of every row. Lester, Al-Rfou and
 * Constant, "The Power of Scale for Parameter-Efficient Prompt Tuning", 2021; made by a small
 * network in training: Liu et al., "GPT Understands, Too" (P-tuning), 2021.
 */
@NullMarked
package io.trimtab.delta.softprompt;

import org.jspecify.annotations.NullMarked;
