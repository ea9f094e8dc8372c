package io.trimtab.delta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.trimtab.delta.compose.DeltaExpression;
import io.trimtab.model.Batch;
import io.trimtab.model.Head;
import io.trimtab.model.KeyValueCache;
import io.trimtab.model.Model;
import io.trimtab.model.ModelException;
import io.trimtab.model.Pass;
import io.trimtab.tensor.Gradients;
import io.trimtab.tensor.Reduction;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** A delta does in steps with a cache what it does to whole rows, or is refused there. */
class CachedDeltasTest {
  private static final List<String> IN_STEPS =
      List.of("lora", "prefix", "prompt", "reft:suffix=0", "pfeiffer", "lora + reft:suffix=0");

  private static final List<String> WHOLE_ROWS_ALONE =
      List.of(
          "lora:use_gating=true",
          "pfeiffer:use_gating=true",
          "prefix:use_gating=true",
          "prefix:use_gating=true,positions=kept + prefix:positions=kept",
          "reft",
          "reft:suffix=0 + reft:prefix=0,suffix=1");

  @TestFactory
  Stream<DynamicTest> whatIsDoneInStepsIsWhatIsDoneToWholeRows() {
    return each(
        IN_STEPS,
        delta -> {
          Batch whole = Batch.of(List.of(Batch.Row.of(3, 14, 15, 9, 26), Batch.Row.of(9, 7, 9)));
          Batch begun = Batch.of(List.of(Batch.Row.of(3, 14, 15, 9), Batch.Row.of(9, 7)));
          Batch last = Batch.of(List.of(Batch.Row.of(26), Batch.Row.of(9)));
          Tensor expected =
              delta.base().nextLogits(whole, Pass.with(whole.layout(), delta.patches()), null);
          try (KeyValueCache cache = new KeyValueCache()) {
            next(delta, cache, begun);
            Tensor found = next(delta, cache, last);
            assertThat(Reduction.largestDifference(found, expected)).isLessThan(2e-5);
          }
        });
  }

  @TestFactory
  Stream<DynamicTest> whatNeedsWholeRowsIsRefusedInSteps() {
    return each(
        WHOLE_ROWS_ALONE,
        delta -> {
          Batch batch = TinyModels.batch();
          delta.base().nextLogits(batch, Pass.with(batch.layout(), delta.patches()), null);
          try (KeyValueCache cache = new KeyValueCache()) {
            assertThatThrownBy(() -> next(delta, cache, batch))
                .isInstanceOf(ModelException.Unsupported.class)
                .hasMessageContaining("changes as its row grows");
          }
        });
  }

  private static Tensor next(Delta delta, KeyValueCache cache, Batch batch) {
    Pass pass = Pass.with(batch.layout(), delta.patches()).caching(cache);
    return delta.base().nextLogits(batch, pass, null);
  }

  private static Stream<DynamicTest> each(List<String> expressions, Consumer<Delta> check) {
    List<Path> decoders =
        TinyModels.fixtures("hf").stream().filter(CachedDeltasTest::isDecoder).toList();
    if (decoders.isEmpty()) {
      return Stream.of(
          DynamicTest.dynamicTest(
              "recorded decoders",
              () -> assumeTrue(false, "no recorded decoders at -Dtrimtab.fixtures")));
    }
    return decoders.stream()
        .flatMap(
            path ->
                expressions.stream()
                    .map(
                        expression ->
                            DynamicTest.dynamicTest(
                                expression + " on " + path.getFileName(),
                                () -> check(path, expression, check))));
  }

  private static void check(Path path, String expression, Consumer<Delta> check) {
    try (Scope _ = Scope.open();
        Model model = TinyModels.open(path);
        Delta delta = DeltaExpression.parse(expression, model).attach(model, Rng.seeded(1))) {
      TinyModels.move(delta, 2);
      Gradients.none(
          () -> {
            check.accept(delta);
            return delta;
          });
    }
  }

  private static boolean isDecoder(Path path) {
    try (Model model = TinyModels.open(path)) {
      return !model.isEncoderDecoder() && model.head(Head.CausalLm.class).isPresent();
    } catch (ModelException.Unsupported e) {
      return false;
    }
  }
}
