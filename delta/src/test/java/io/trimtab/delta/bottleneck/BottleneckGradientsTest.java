package io.trimtab.delta.bottleneck;

import static org.assertj.core.api.Assertions.assertThat;

import io.trimtab.delta.Delta;
import io.trimtab.delta.TinyModels;
import io.trimtab.model.Batch;
import io.trimtab.model.Model;
import io.trimtab.model.Pass;
import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Gradients;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Reduction;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Gradients with every setting are the slopes that are seen along a random direction. */
class BottleneckGradientsTest {
  private static final float STEP = 0x1p-12f;

  @TempDir Path directory = Path.of("");

  @ParameterizedTest
  @MethodSource("io.trimtab.delta.bottleneck.BottleneckTest#settings")
  void areThoseOfFiniteDifferences(String settings) {
    TinyModels.maskedLm(directory).close();
    try (Model model = TinyModels.open(directory, DType.F64);
        Delta delta = BottleneckTest.spec(settings, model).attach(model, Rng.seeded(1));
        Scope _ = Scope.open()) {
      TinyModels.move(delta, 2);
      List<Parameter> parameters = delta.parameters();
      List<Tensor> starts =
          parameters.stream().map(parameter -> parameter.value().detach().copy()).toList();
      Rng rng = Rng.seeded(3);
      List<Tensor> direction =
          starts.stream().map(s -> rng.normal(1, DType.F32, Device.CPU, s.shape())).toList();
      parameters.forEach(Parameter::clearGradient);
      Gradients.backward(loss(delta));
      double slope = 0;
      double size = 0;
      for (int i = 0; i < starts.size(); i++) {
        Tensor gradient =
            Objects.requireNonNull(parameters.get(i).gradient(), parameters.get(i).name());
        slope += Reduction.sum(Arithmetic.multiply(gradient, direction.get(i))).item();
        size += Math.pow(Reduction.norm(gradient).item(), 2);
      }
      double up = lossAt(delta, starts, direction, STEP);
      double down = lossAt(delta, starts, direction, -STEP);
      assertThat((up - down) / (2.0 * STEP))
          .isCloseTo(slope, Offset.offset(1e-4 + 1e-2 * Math.sqrt(size)));
    }
  }

  private static double lossAt(
      Delta delta, List<Tensor> starts, List<Tensor> direction, double step) {
    for (int i = 0; i < starts.size(); i++) {
      delta.parameters().get(i).assign(Arithmetic.addScaled(starts.get(i), direction.get(i), step));
    }
    return Gradients.none(() -> loss(delta).item());
  }

  private static Tensor loss(Delta delta) {
    Batch batch = TinyModels.batch();
    Pass pass = Pass.with(batch.layout(), delta.patches());
    Tensor logits = TinyModels.logits(delta.base(), batch, pass);
    return Reduction.mean(Arithmetic.multiply(logits, logits));
  }
}
