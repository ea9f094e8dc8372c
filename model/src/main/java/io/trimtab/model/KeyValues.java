package io.trimtab.model;

import io.trimtab.kernel.Kernel;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.Tensor;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Keys and values of some tokens in one block.
 *
 * @param keys [rows or 1, key heads, tokens, size]; 1 for those that all rows share
 * @param values of the same shape
 * @param place where they are, once somebody has asked
 */
record KeyValues(Tensor keys, Tensor values, AtomicReference<Kernel.@Nullable Stretch> place) {
  KeyValues(Tensor keys, Tensor values) {
    this(keys, values, new AtomicReference<>());
  }

  /** Where the keys and values of a single row are. */
  Kernel.Stretch inPlace() {
    Kernel.Stretch known = place.get();
    if (known == null) {
      known =
          new Kernel.Stretch(
              keys.inPlace(),
              values.inPlace(),
              keys.stride(1) * Float.BYTES,
              values.stride(1) * Float.BYTES,
              (int) tokens());
      place.set(known);
    }
    return known;
  }

  /** Whether one row's keys and values are there in single precision, a head's in one piece. */
  boolean isPlain() {
    return keys.size(0) == 1
        && keys.dtype() == DType.F32
        && keys.device().equals(Device.CPU)
        && keys.stride(2) == keys.size(3)
        && values.stride(2) == values.size(3);
  }

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
