package io.trimtab.model;

import io.trimtab.tensor.Tensor;

/**
 * What an encoder gives for the rows of a batch, for a decoder to read: {@link Model#encode}. It
 * belongs to the scope in which it was made.
 *
 * @param hidden [tokens, hidden], with the vectors that patches put in
 * @param layout how these lie
 */
public record Encoded(Tensor hidden, Layout layout) {}
