/**
 * Prefix tuning: Li and Liang, "Prefix-Tuning: Optimizing Continuous Prompts for Generation", 2021;
 * without reparameterisation also known as P-tuning v2 (Liu et al., 2021).
 */
@NullMarked
package io.trimtab.delta.prefix;

import org.jspecify.annotations.NullMarked;
