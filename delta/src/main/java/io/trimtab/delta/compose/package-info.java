/**
 * Deltas made of deltas: together (a union, as MAM and UniPELT are: He et al., "Towards a Unified
 * View of Parameter-Efficient Transfer Learning", 2021; Mao et al., "UniPELT", 2021), weighted,
 * fused by attention (Pfeiffer et al., "AdapterFusion", 2020), or each on its own share of a row's
 * tokens.
 *
 * <p>A composition is a delta like any other. It is trained, saved as one directory, and composed
 * again to any depth. What several of its children do at one site is one patch made of theirs.
 */
@NullMarked
package io.trimtab.delta.compose;

import org.jspecify.annotations.NullMarked;
