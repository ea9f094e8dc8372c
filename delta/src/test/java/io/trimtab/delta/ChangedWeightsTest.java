package io.trimtab.delta;

import static org.assertj.core.api.Assertions.assertThat;

import io.trimtab.model.Batch;
import io.trimtab.model.Model;
import io.trimtab.model.Pass;
import io.trimtab.model.Patch;
import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Gradients;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Reduction;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * One product with a changed weight gives what the product with the weight and what a delta adds to
 * it give, which is how rows in two segments are computed; so do its gradients, written by hand.
 */
class ChangedWeightsTest {
  @TempDir Path directory = Path.of("");

  @ParameterizedTest
  @CsvSource({
    "lora,rank,130",
    "adalora,rank,130",
    "vera,rank,5",
    "vera,targets,all-linear",
    "randlora,rank,3",
    "randlora,rank,4",
    "miss,rank,4",
    "miss,rank,8",
    "fourierft,frequencies,30",
    "fourierft,targets,all-linear",
  })
  void giveWhatTheAdditionGives(String method, String option, String value) {
    try (Model _ = TinyModels.maskedLm(directory);
        Model model = TinyModels.open(directory, DType.F64);
        Delta delta = attach(method, Map.of(option, value), model)) {
      TinyModels.move(delta, 2);
      assertThat(changing(delta)).isPositive();
      Batch batch = TinyModels.batch();
      Pass once = Pass.with(batch.layout(), delta.patches());
      int rows = batch.layout().rows();
      Pass parts =
          Pass.segmented(
              batch.layout(),
              List.of(
                  new Pass.Segment(1, delta.patches()),
                  new Pass.Segment(rows - 1, delta.patches())));
      Map<String, Tensor> found = gradients(delta, batch, once);
      Map<String, Tensor> expected = gradients(delta, batch, parts);
      try {
        assertThat(found.keySet()).isEqualTo(expected.keySet());
        found.forEach(
            (name, each) -> {
              Tensor other = Objects.requireNonNull(expected.get(name));
              double scale = Reduction.max(Arithmetic.absolute(other)).item();
              // Gradients are in 32 bits, as parameters are.
              assertThat(Reduction.largestDifference(each, other))
                  .as(name)
                  .isLessThanOrEqualTo(2e-6 * scale + 1e-12);
            });
      } finally {
        found.values().forEach(Tensor::close);
        expected.values().forEach(Tensor::close);
      }
    }
  }

  private static Delta attach(String method, Map<String, String> options, Model model) {
    return DeltaMethods.all().stream()
        .filter(each -> each.name().equals(method))
        .findFirst()
        .orElseThrow()
        .fromOptions(options, model)
        .attach(model, Rng.seeded(1));
  }

  /** How many of a delta's patches say how they change a weight. */
  private static long changing(Delta delta) {
    Pass pass = Pass.with(TinyModels.batch().layout(), delta.patches());
    try (Scope _ = Scope.open()) {
      return delta.parts().stream()
          .map(Part::patch)
          .filter(patch -> patch instanceof Patch.Changing each && each.change(pass) != null)
          .count();
    }
  }

  /** The logits and every parameter's gradient. */
  private static Map<String, Tensor> gradients(Delta delta, Batch batch, Pass pass) {
    delta.parameters().forEach(Parameter::clearGradient);
    Map<String, Tensor> all = new LinkedHashMap<>();
    try (Scope _ = Scope.open()) {
      Tensor logits = TinyModels.logits(delta.base(), batch, pass);
      Gradients.backward(Reduction.mean(Arithmetic.multiply(logits, logits)));
      all.put("logits", logits.detach().copy().held());
      for (Parameter parameter : delta.parameters()) {
        Tensor gradient = Objects.requireNonNull(parameter.gradient(), parameter.name());
        all.put(parameter.name(), gradient.copy().held());
      }
    }
    return all;
  }
}
