/**
 * SHiRA: one to a few percent of a weight's entries are trained, the others stay (Bhardwaj et al.,
 * "Sparse High Rank Adapters", 2024).
 */
@NullMarked
package io.trimtab.delta.shira;

import org.jspecify.annotations.NullMarked;
