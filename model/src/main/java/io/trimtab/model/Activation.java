package io.trimtab.model;

import io.trimtab.tensor.Neural;
import io.trimtab.tensor.Tensor;

/** The non-linear function between two linear layers, by the names model files use. */
public enum Activation {
  GELU,
  GELU_TANH,
  RELU,
  SILU,
  TANH;

  /** Applies it to every element. */
  public Tensor apply(Tensor input) {
    return switch (this) {
      case GELU -> Neural.gelu(input);
      case GELU_TANH -> Neural.geluTanh(input);
      case RELU -> Neural.relu(input);
      case SILU -> Neural.silu(input);
      case TANH -> Neural.tanh(input);
    };
  }

  /** The function that a config's {@code hidden_act} and the like name. */
  public static Activation named(String name) {
    return switch (name) {
      case "gelu", "gelu_python" -> GELU;
      case "gelu_new", "gelu_pytorch_tanh", "gelu_accurate" -> GELU_TANH;
      case "relu" -> RELU;
      case "silu", "swish" -> SILU;
      case "tanh" -> TANH;
      default ->
          throw new ModelException.Unsupported(
              "found activation \""
                  + name
                  + "\", expected gelu, gelu_new, gelu_pytorch_tanh, relu, silu or tanh; this model"
                  + " cannot be computed yet");
    };
  }
}
