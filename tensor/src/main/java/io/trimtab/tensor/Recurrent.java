package io.trimtab.tensor;

import java.util.ArrayList;
import java.util.List;

/**
 * A long short-term memory (Hochreiter and Schmidhuber, 1997) that reads a sequence in both
 * directions, in one or more layers.
 */
public final class Recurrent {
  private static final int GATES = 4;

  private final List<Parameter> parameters;
  private final int hidden;
  private final int layers;

  private Recurrent(List<Parameter> parameters, int hidden, int layers) {
    this.parameters = parameters;
    this.hidden = hidden;
    this.layers = layers;
  }

  /**
   * Weights drawn uniformly within ± 1 / √hidden.
   *
   * @param name what the parameters' names begin with
   * @param in the size of an input
   * @param hidden the size of a state of one direction
   */
  public static Recurrent lstm(
      String name, int in, int hidden, int layers, Rng rng, Device device) {
    double bound = 1 / Math.sqrt((double) hidden);
    List<Parameter> parameters = new ArrayList<>();
    try (Scope _ = Scope.open()) {
      for (int layer = 0; layer < layers; layer++) {
        int size = layer == 0 ? in : 2 * hidden;
        for (String direction : List.of("", "_reverse")) {
          String at = "_l" + layer + direction;
          long[][] shapes = {
            {(long) GATES * hidden, size}, {(long) GATES * hidden, hidden}, {(long) GATES * hidden}
          };
          List<String> kinds = List.of("weight_ih", "weight_hh", "bias_ih", "bias_hh");
          for (int i = 0; i < kinds.size(); i++) {
            Tensor start = rng.uniform(-bound, bound, DType.F32, device, shapes[Math.min(i, 2)]);
            parameters.add(Parameter.of(name + kinds.get(i) + at, start));
          }
        }
      }
    }
    return new Recurrent(List.copyOf(parameters), hidden, layers);
  }

  /** Its weights. */
  public List<Parameter> parameters() {
    return parameters;
  }

  /** A sequence [length, in] to both directions' states [length, 2 · hidden]. */
  public Tensor forward(Tensor sequence) {
    Tensor batch = Indexing.unsqueeze(sequence, 0);
    Tensor zero = Creation.zeros(sequence.dtype(), sequence.device(), 2L * layers, 1, hidden);
    List<Tensor> weights = parameters.stream().map(Parameter::value).toList();
    List<Tensor> results =
        Operators.call(
            "aten::lstm",
            "input",
            batch,
            List.of(zero, zero),
            weights,
            true,
            (long) layers,
            0.0,
            false,
            true,
            true);
    return Indexing.at(results.get(0), 0, 0);
  }
}
