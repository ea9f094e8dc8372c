/**
 * HRA, Householder reflection adaptation: the input of a linear layer goes through a chain of
 * reflections (Yuan et al., "Bridging The Gap between Low-rank and Orthogonal Adaptation via
 * Householder Reflection Adaptation", 2024).
 */
@NullMarked
package io.trimtab.delta.hra;

import org.jspecify.annotations.NullMarked;
