/**
 * Encoder-decoder architectures: each joins two stacks of which the second reads what the first
 * gives.
 */
@NullMarked
package io.trimtab.model.seq2seq;

import org.jspecify.annotations.NullMarked;
