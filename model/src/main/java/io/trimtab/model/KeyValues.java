package io.trimtab.model;

import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.Tensor;

/**
 * Keys and values of some tokens in one block.
 *
 * @param keys [rows or 1, key heads, tokens, size]; 1 for those that all rows share
 * @param values of the same shape
 */
record KeyValues(Tensor keys, Tensor values) {
  /** A view of some rows or tokens, to be closed. */
  KeyValues slice(int dimension, long first, long count) {
    return new KeyValues(
        Indexing.slice(keys, dimension, first, count).held(),
        Indexing.slice(values, dimension, first, count).held());
  }

  /** A copy of chosen rows, to be closed. */
  KeyValues select(Tensor rows) {
    return new KeyValues(
        Indexing.select(keys, 0, rows).held(), Indexing.select(values, 0, rows).held());
  }

  /** A copy, to be closed. */
  KeyValues copy() {
    return new KeyValues(keys.copy().held(), values.copy().held());
  }

  long tokens() {
    return keys.size(2);
  }

  long bytes() {
    return keys.byteSize() + values.byteSize();
  }

  void close() {
    keys.close();
    values.close();
  }
}
