package io.trimtab.model;

import io.trimtab.tensor.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * What the blocks of one use of a stack have in common, such as the angles of rotary positions:
 * made by the first block that asks, freed when the stack is through. It belongs to one thread.
 */
final class Common implements AutoCloseable {
  private final Map<Object, Object> made = new HashMap<>();
  private final List<Tensor> held = new ArrayList<>();

  /** What a key stands for, made on the first call. */
  @SuppressWarnings("unchecked") // a key is always asked for with the same type
  <T> T get(Object key, Function<Common, T> make) {
    Object known = made.get(key);
    if (known == null) {
      known = make.apply(this);
      made.put(key, known);
    }
    return (T) known;
  }

  /** Lets a tensor outlive the scopes of blocks. */
  Tensor hold(Tensor tensor) {
    held.add(tensor.held());
    return tensor;
  }

  @Override
  public void close() {
    held.forEach(Tensor::close);
  }
}
