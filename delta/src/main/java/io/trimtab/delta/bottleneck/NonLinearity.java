package io.trimtab.delta.bottleneck;

import io.trimtab.delta.DeltaException;
import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.Neural;
import io.trimtab.tensor.Tensor;
import java.util.Locale;
import java.util.Set;

/**
 * The function between the two linear maps, by any of the names that OpenDelta and AdapterHub have
 * for it.
 *
 * @param name in lower case
 */
public record NonLinearity(String name) {
  private static final Set<String> NAMES =
      Set.of(
          "gelu",
          "gelu_orig",
          "gelu_python",
          "gelu_new",
          "gelu_fast",
          "gelu_accurate",
          "gelu_pytorch_tanh",
          "quick_gelu",
          "relu",
          "relu2",
          "relu6",
          "leakyrelu",
          "leaky_relu",
          "silu",
          "swish",
          "sigmoid",
          "tanh",
          "linear");

  /** Refuses unknown names. */
  public NonLinearity {
    name = name.toLowerCase(Locale.ROOT);
    if (!NAMES.contains(name)) {
      throw new DeltaException.Unsupported(
          "found non-linearity \""
              + name
              + "\" for an adapter, expected one of "
              + String.join(", ", new java.util.TreeSet<>(NAMES)));
    }
  }

  /** Applies it to every element. */
  public Tensor apply(Tensor x) {
    return switch (name) {
      case "gelu", "gelu_orig", "gelu_python" -> Neural.gelu(x);
      case "gelu_new", "gelu_fast", "gelu_accurate", "gelu_pytorch_tanh" -> Neural.geluTanh(x);
      case "quick_gelu" -> Arithmetic.multiply(x, Neural.sigmoid(Arithmetic.multiply(x, 1.702)));
      case "relu" -> Neural.relu(x);
      case "relu2" -> Arithmetic.power(Neural.relu(x), 2);
      case "relu6" -> Arithmetic.subtract(Neural.relu(x), Neural.relu(Arithmetic.add(x, -6)));
      case "leakyrelu", "leaky_relu" ->
          Arithmetic.addScaled(Neural.relu(x), Neural.relu(Arithmetic.negate(x)), -0.01);
      case "silu", "swish" -> Neural.silu(x);
      case "sigmoid" -> Neural.sigmoid(x);
      case "tanh" -> Neural.tanh(x);
      default -> x; // "linear"
    };
  }
}
