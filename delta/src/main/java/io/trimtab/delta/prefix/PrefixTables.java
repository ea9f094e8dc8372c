package io.trimtab.delta.prefix;

import io.trimtab.model.Model;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Gradients;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.util.List;

/** How the table of a prefix is laid out for a model, and what it starts as. */
final class PrefixTables {
  /** The name of the table where it is trained itself. */
  static final String FLAT = "prompt_embeddings";

  private PrefixTables() {}

  /**
   * The table of a prefix as it starts.
   *
   * @param numbers of the blocks that have keys and values of their own
   * @param size of a key, and of a value
   */
  static PrefixTable create(Prefix prefix, Model model, List<Integer> numbers, int size, Rng rng) {
    long width = 2L * numbers.size() * size;
    int length = prefix.length();
    int inner = prefix.inner();
    Device device = model.device();
    try (Scope _ = Scope.open()) {
      if (!prefix.text().isEmpty()) {
        Tensor start = Gradients.none(() -> PrefixStart.of(model, numbers, prefix.text(), length));
        return PrefixTable.flat(Parameter.of(FLAT, start), size);
      }
      if (inner == 0) {
        Tensor start = rng.normal(1, DType.F32, device, length, width);
        return PrefixTable.flat(Parameter.of(FLAT, start), size);
      }
      long hidden = prefix.embedded() == 0 ? hidden(model) : prefix.embedded();
      return PrefixTable.of(
          new PrefixTable.Network(
              Parameter.of("embedding.weight", rng.normal(1, DType.F32, device, length, hidden)),
              uniform("transform.0.weight", hidden, rng, device, inner, hidden),
              uniform("transform.0.bias", hidden, rng, device, inner),
              uniform("transform.2.weight", inner, rng, device, width, inner),
              uniform("transform.2.bias", inner, rng, device, width)),
          size);
    }
  }

  /** The usual start of a dense layer: uniform within ± 1 / √inputs. */
  private static Parameter uniform(
      String name, long inputs, Rng rng, Device device, long... shape) {
    double bound = 1 / Math.sqrt((double) inputs);
    return Parameter.of(name, rng.uniform(-bound, bound, DType.F32, device, shape));
  }

  /** The size of what the last block gives; words' vectors may be smaller. */
  static long hidden(Model model) {
    return model.blocks().getLast().hiddenSize();
  }
}
