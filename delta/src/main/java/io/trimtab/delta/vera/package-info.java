/**
 * VeRA: one frozen random pair of matrices for all layers, and two trained vectors a layer
 * (Kopiczko et al., "VeRA: Vector-based Random Matrix Adaptation", 2023).
 */
@NullMarked
package io.trimtab.delta.vera;

import org.jspecify.annotations.NullMarked;
