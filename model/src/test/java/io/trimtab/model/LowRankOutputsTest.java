package io.trimtab.model;

import static org.assertj.core.api.Assertions.assertThat;

import io.trimtab.model.weights.Weight;
import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Engine;
import io.trimtab.tensor.Gradients;
import io.trimtab.tensor.LinearAlgebra;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** One linear layer under segments of low-rank patches: together, and by the engine one by one. */
class LowRankOutputsTest {
  private static final int[] LENGTHS = {1, 130, 7, 70, 3, 33};

  private final Scope scope = Scope.open();
  private final Rng rng = Rng.seeded(3);
  private final int threads = Engine.threads();

  @AfterEach
  void restore() {
    Engine.setThreads(threads);
    scope.close();
  }

  private record Thin(Product product) implements Patch.LowRank {
    @Override
    public Tensor apply(Tensor input, Tensor output, Pass pass) {
      DType type = input.dtype();
      Tensor inner = LinearAlgebra.linear(input, product.down().to(type), null);
      Tensor change = LinearAlgebra.linear(inner, product.up().to(type), null);
      return Arithmetic.add(output, Arithmetic.multiply(change, product.scale()));
    }
  }

  private Tensor normal(DType type, long... shape) {
    return rng.normal(1, DType.F32, Device.CPU, shape).to(type);
  }

  /** A row of its own for each segment, but the third, which is under nothing. */
  private Pass pass(int in, int out, int rank) {
    List<Pass.Segment> segments = new ArrayList<>();
    for (int i = 0; i < LENGTHS.length; i++) {
      int own = rank + i;
      Tensor down = Arithmetic.multiply(normal(DType.F32, own, in), 1 / Math.sqrt(in));
      Tensor up = Arithmetic.multiply(normal(DType.F32, out, own), 1 / Math.sqrt(own));
      Patch patch = new Thin(new Patch.LowRank.Product(down, up, 0.5 + i));
      segments.add(
          new Pass.Segment(
              1, i == 2 ? Patches.NONE : Patches.of(Map.of(Site.output("layer"), patch))));
    }
    return Pass.segmented(Layout.ofLengths(LENGTHS), segments);
  }

  private static Tensor oneByOne(Linear layer, Tensor input, Pass pass) {
    Tensor base = layer.weight().product(input, null);
    return pass.perSegment(
        (patches, start, inside) -> {
          Patch.Output patch = patches.at(Site.output("layer"));
          Tensor out = inside.cut(base, start);
          return patch == null ? out : patch.apply(inside.cut(input, start), out, inside);
        });
  }

  @ParameterizedTest
  @CsvSource({"F32,96,200,8,1e-5", "F32,33,17,1,1e-5", "F32,768,768,16,1e-5", "BF16,96,200,8,0.03"})
  void addsWhatTheEngineAdds(DType type, int in, int out, int rank, double bound) {
    Linear layer = new Linear("layer", new Weight.Dense(normal(type, out, in)), null);
    Pass pass = pass(in, out, rank);
    Tensor input = normal(type, pass.layout().tokens(), in);
    float[] expected = Gradients.none(() -> oneByOne(layer, input, pass).to(DType.F32).toFloats());
    float[] found = Gradients.none(() -> layer.forward(input, pass).to(DType.F32).toFloats());
    double largest = 1;
    for (float each : expected) {
      largest = Math.max(largest, Math.abs(each));
    }
    assertThat(found).hasSize(expected.length);
    for (int i = 0; i < found.length; i++) {
      assertThat(Math.abs(found[i] - expected[i]) / largest).isLessThan(bound);
    }
  }

  @Test
  void theNumberOfThreadsChangesNoBit() {
    Pass pass = pass(768, 768, 8);
    Tensor input = normal(DType.F32, pass.layout().tokens(), 768);
    Tensor base = normal(DType.F32, pass.layout().tokens(), 768);
    List<float[]> found = new ArrayList<>();
    for (int each : new int[] {1, 2, 3}) {
      Engine.setThreads(each);
      Tensor output = base.copy();
      LowRankOutputs.Added added =
          Gradients.none(() -> LowRankOutputs.add(output, input, Site.output("layer"), pass));
      assertThat(added).isEqualTo(LowRankOutputs.Added.ALL);
      found.add(output.toFloats());
    }
    assertThat(found.get(0)).isNotEqualTo(base.toFloats());
    assertThat(found.get(1)).isEqualTo(found.get(0));
    assertThat(found.get(2)).isEqualTo(found.get(0));
  }

  @Test
  void leavesAGraphAndViewsAlone() {
    Pass pass = pass(16, 16, 2);
    Site<Patch.Output> site = Site.output("layer");
    int tokens = pass.layout().tokens();
    Tensor input = normal(DType.F32, tokens, 16);
    Tensor output = normal(DType.F32, tokens, 16);
    float[] before = output.toFloats();
    assertThat(LowRankOutputs.add(output, input, site, pass))
        .as("recording")
        .isEqualTo(LowRankOutputs.Added.NONE);
    Tensor turned = normal(DType.F32, 16, tokens).transpose(0, 1);
    assertThat(Gradients.none(() -> LowRankOutputs.add(output, turned, site, pass)))
        .as("a view")
        .isEqualTo(LowRankOutputs.Added.NONE);
    assertThat(output.toFloats()).isEqualTo(before);
  }
}
