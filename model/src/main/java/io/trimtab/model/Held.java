package io.trimtab.model;

import io.trimtab.model.weights.Weight;
import io.trimtab.tensor.Tensor;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.SequencedMap;

/**
 * A stored tensor as it is held in memory.
 *
 * @param form its element type in lower case, or the form of a matrix that is not held as plain
 *     numbers, such as {@code q4_1} or {@code nf4}
 * @param shape the sizes of its dimensions, outermost first
 * @param bytes what it takes
 */
public record Held(String form, List<Long> shape, long bytes) {
  /** Copies the shape. */
  public Held {
    shape = List.copyOf(shape);
  }

  /** A plain tensor. */
  static Held of(Tensor tensor) {
    return new Held(
        tensor.dtype().name().toLowerCase(Locale.ROOT),
        Arrays.stream(tensor.shape()).boxed().toList(),
        tensor.byteSize());
  }

  /** A matrix in whatever form. */
  static Held of(Weight weight) {
    return new Held(weight.form(), List.of(weight.out(), weight.in()), weight.bytes());
  }

  /** What tensors take together, by form, in the order in which forms are met. */
  public static SequencedMap<String, Long> bytesByForm(Collection<Held> tensors) {
    SequencedMap<String, Long> forms = new LinkedHashMap<>();
    tensors.forEach(held -> forms.merge(held.form(), held.bytes(), Long::sum));
    return forms;
  }

  /** The number of its numbers. */
  public long elements() {
    return shape.stream().reduce(1L, Math::multiplyExact);
  }
}
