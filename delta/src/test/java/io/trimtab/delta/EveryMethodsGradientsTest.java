package io.trimtab.delta;

import static org.assertj.core.api.Assertions.assertThat;

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
import java.util.Map;
import java.util.stream.Stream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * The gradient of every parameter of every method, through a whole model in double precision, is
 * the slope that is seen when the parameter is moved a little.
 */
class EveryMethodsGradientsTest {
  private static final float STEP = 0x1p-10f;

  @TempDir Path directory = Path.of("");

  @TestFactory
  Stream<DynamicTest> areThoseOfFiniteDifferences() {
    return DeltaMethods.all().stream()
        .filter(DeltaMethod::standsAlone)
        .map(method -> DynamicTest.dynamicTest(method.name(), () -> check(method)));
  }

  private void check(DeltaMethod method) {
    Path files = directory.resolve(method.name());
    TinyModels.maskedLm(files).close();
    try (Model model = TinyModels.open(files, DType.F64);
        Delta delta = method.fromOptions(Map.of(), model).attach(model, Rng.seeded(1))) {
      TinyModels.move(delta, 2);
      delta.parameters().forEach(Parameter::clearGradient);
      try (Scope _ = Scope.open()) {
        Gradients.backward(loss(delta));
      }
      Rng rng = Rng.seeded(3);
      for (Parameter parameter : delta.parameters()) {
        check(delta, parameter, rng);
      }
    }
  }

  private static void check(Delta delta, Parameter parameter, Rng rng) {
    try (Scope _ = Scope.open()) {
      Tensor start = parameter.value().detach().copy();
      Tensor direction = rng.normal(1, DType.F32, Device.CPU, start.shape());
      double up = lossAt(delta, parameter, Arithmetic.addScaled(start, direction, STEP));
      double down = lossAt(delta, parameter, Arithmetic.addScaled(start, direction, -STEP));
      parameter.assign(start);
      Tensor gradient = parameter.gradient();
      double slope =
          gradient == null ? 0 : Reduction.sum(Arithmetic.multiply(gradient, direction)).item();
      double scale =
          1e-3
              * (gradient == null ? 0 : Reduction.norm(gradient).item())
              * Math.sqrt((double) start.elements());
      assertThat(slope)
          .as(parameter.name())
          .isCloseTo((up - down) / (2.0 * STEP), Offset.offset(1e-4 + scale));
    }
  }

  private static double lossAt(Delta delta, Parameter parameter, Tensor value) {
    parameter.assign(value);
    try (Scope _ = Scope.open()) {
      return Gradients.none(() -> loss(delta).item());
    }
  }

  private static Tensor loss(Delta delta) {
    Batch batch = TinyModels.batch();
    Pass pass = Pass.with(batch.layout(), delta.patches());
    Tensor logits = TinyModels.logits(delta.base(), batch, pass);
    return Reduction.mean(Arithmetic.multiply(logits, logits));
  }
}
