package io.trimtab.model;

import static org.assertj.core.api.Assertions.assertThat;

import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.FiniteDifferences;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.Reduction;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Gradients reach what acts in any layer of any architecture, and are right. */
class BlockGradientsTest {

  @TestFactory
  Stream<DynamicTest> patchesLearnThroughEveryBlock() throws IOException {
    return Tiny.models().stream()
        .map(
            folder ->
                DynamicTest.dynamicTest(
                    String.valueOf(folder.getFileName()),
                    () -> {
                      try (Scope _ = Scope.open();
                          Model model = Tiny.open(folder, DType.F64)) {
                        check(model);
                      }
                    }));
  }

  private static void check(Model model) {
    List<Layer> linear = model.stack().walk().filter(Linear.class::isInstance).toList();
    Batch batch = Tiny.random(model, 8, 10, 3);
    Positions wanted = Positions.of(new int[][] {{0, 7}, {1}}, batch.layout());
    double error =
        FiniteDifferences.largestError(
            inputs -> {
              Map<Site<?>, Patch> at = new LinkedHashMap<>();
              for (int i = 0; i < linear.size(); i++) {
                Tensor factor = Indexing.at(inputs.getFirst(), 0, i);
                Patch.Output scaled = (input, output, pass) -> Arithmetic.multiply(output, factor);
                at.put(Site.output(linear.get(i).path()), scaled);
              }
              Pass pass = Pass.with(batch.layout(), Patches.of(at));
              Tensor hidden = model.stack().forward(batch, pass, wanted);
              return Reduction.sum(Arithmetic.power(hidden, 3));
            },
            List.of(Creation.full(0.9, DType.F64, model.device(), linear.size())));
    assertThat(error).isLessThan(1e-5);
  }
}
