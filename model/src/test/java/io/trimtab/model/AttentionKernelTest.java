package io.trimtab.model;

import static org.assertj.core.api.Assertions.assertThat;

import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.LinearAlgebra;
import io.trimtab.tensor.Neural;
import io.trimtab.tensor.Reduction;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** All ways to compute attention without a gradient, against plain products in F64. */
class AttentionKernelTest {
  private static final double SCALE = 0.25;

  private static Tensor random(Rng rng, DType type, long... shape) {
    return rng.normal(1, DType.F32, Device.CPU, shape).to(type);
  }

  private static Tensor spread(Tensor shared, int heads) {
    long group = heads / shared.size(1);
    return Indexing.expand(
            Indexing.unsqueeze(shared, 2),
            shared.size(0),
            shared.size(1),
            group,
            shared.size(2),
            shared.size(3))
        .reshape(shared.size(0), heads, shared.size(2), shared.size(3));
  }

  private static Tensor plain(Tensor query, Tensor keys, Tensor values, boolean causal) {
    int heads = (int) query.size(1);
    Tensor q = query.to(DType.F64);
    Tensor k = spread(keys.to(DType.F64), heads);
    Tensor scores = Arithmetic.multiply(LinearAlgebra.matmul(q, k.transpose(2, 3)), SCALE);
    Tensor seen = causal ? Arithmetic.add(scores, Neural.later(q, keys.size(2))) : scores;
    return LinearAlgebra.matmul(Neural.softmax(seen, 3), spread(values.to(DType.F64), heads));
  }

  @ParameterizedTest
  @CsvSource({
    "F32, 20", "F32, 150", "F32, 193", "F32, 300", "F32, 1030",
    "BF16, 20", "BF16, 50", "BF16, 150", "BF16, 300", "BF16, 1030",
    "F64, 300"
  })
  void longAndShortRowsOfEveryType(DType type, int count) {
    double bound = type == DType.BF16 ? 0.05 : type == DType.F32 ? 1e-5 : 1e-12;
    for (int keyHeads : List.of(2, 4)) {
      Attention.Form causal = new Attention.Form(4, keyHeads, SCALE, true, 0, 0);
      Attention.Form whole = new Attention.Form(4, keyHeads, SCALE, false, 0, 0);
      try (Scope _ = Scope.open()) {
        Rng rng = Rng.seeded(count);
        Tensor q = random(rng, type, 2, 4, count, 16);
        Tensor k = random(rng, type, 2, keyHeads, count, 16);
        Tensor v = random(rng, type, 2, keyHeads, count, 16);
        Tensor own = new AttentionKernel(causal, q).causal(k, v);
        assertThat(own.dtype()).isEqualTo(type);
        assertThat(own.shape()).isEqualTo(q.shape());
        assertThat(Reduction.largestDifference(own.to(DType.F64), plain(q, k, v, true)))
            .as("causal")
            .isLessThan(bound);
        Tensor seen = new AttentionKernel(whole, q).mix(List.of(new KeyValues(k, v)), null);
        assertThat(seen.dtype()).isEqualTo(type);
        assertThat(Reduction.largestDifference(seen.to(DType.F64), plain(q, k, v, false)))
            .as("whole")
            .isLessThan(bound);
      }
    }
  }
}
