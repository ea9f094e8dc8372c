package io.trimtab.tensor;

import java.util.List;

/** Two linear layers with GELU, dropout and cross-entropy, trained on one fixed batch. */
final class ToyTraining implements AutoCloseable {
  private final Rng rng;
  private final Parameter first;
  private final Parameter second;
  private final FusedAdamW adam;

  ToyTraining(long seed) {
    rng = Rng.seeded(seed);
    try (Scope _ = Scope.open()) {
      first = Parameter.of("first", rng.normal(0.1, DType.F32, Device.CPU, 32, 16));
      second = Parameter.of("second", rng.normal(0.1, DType.F32, Device.CPU, 4, 32));
    }
    adam = new FusedAdamW(List.of(first, second), 0.9, 0.999, 1e-8);
  }

  /** One step on rows [8, 16] of four classes; returns the loss. */
  double step(Tensor rows, Tensor classes, Tensor frozen, int step) {
    try (Scope _ = Scope.open()) {
      Rng dropout = rng.derive(step);
      Tensor hidden = Neural.gelu(LinearAlgebra.linear(rows, first.value(), null));
      hidden = Neural.dropout(hidden, 0.1, dropout);
      hidden =
          Gradients.custom(
              hidden,
              in -> LinearAlgebra.linear(in, frozen, null),
              gradient -> LinearAlgebra.matmul(gradient, frozen));
      Tensor loss =
          Neural.crossEntropy(LinearAlgebra.linear(hidden, second.value(), null), classes);
      Gradients.backward(loss);
      List<Parameter> parameters = List.of(first, second);
      Gradients.clip(parameters, 1);
      adam.step(1e-3, 0.01);
      parameters.forEach(Parameter::clearGradient);
      return loss.item();
    }
  }

  @Override
  public void close() {
    adam.close();
    first.close();
    second.close();
  }
}
