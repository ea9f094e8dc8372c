package io.trimtab.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Attention in 16 bits is, but for rounding, that in 32, whichever kernel the length calls for. */
class AttentionKernelsTest {
  private static Tensor random(long seed, long... shape) {
    return Rng.seeded(seed).normal(1, DType.F32, Device.CPU, shape).to(DType.BF16);
  }

  /** The result and the gradients to queries, keys and values. */
  private static List<Tensor> all(DType dtype, int keys, boolean masked) {
    List<Tensor> inputs = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      inputs.add(Gradients.variable(random(i, 2, 3, i == 0 ? 5 : keys, 16).to(dtype)));
    }
    float[] mask = new float[keys];
    mask[keys - 1] = masked ? Float.NEGATIVE_INFINITY : 0;
    Tensor result =
        Neural.attention(
            inputs.get(0),
            inputs.get(1),
            inputs.get(2),
            masked ? Creation.floats(mask, 1, 1, 1, keys).to(dtype) : null,
            0.25);
    List<Tensor> found = new ArrayList<>(List.of(result));
    found.addAll(Gradients.of(List.of(result), List.of(random(9, 2, 3, 5, 16).to(dtype)), inputs));
    return found;
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 27, 64, 65, 130, 1025})
  void sixteenBitsAreRoundedThirtyTwo(int keys) {
    for (boolean masked : new boolean[] {false, keys > 1}) {
      try (Scope _ = Scope.open()) {
        List<Tensor> wide = all(DType.F32, keys, masked);
        List<Tensor> half = all(DType.BF16, keys, masked);
        for (int i = 0; i < wide.size(); i++) {
          assertThat(half.get(i).dtype()).isEqualTo(DType.BF16);
          assertThat(Reduction.largestDifference(wide.get(i), half.get(i).to(DType.F32)))
              .as(keys + " keys, tensor " + i)
              .isLessThan(0.06);
        }
      }
    }
  }

  /** The result and the gradients of attention to earlier keys, by its own way or by a mask. */
  private static List<Tensor> causal(DType dtype, int length, boolean byMask) {
    List<Tensor> inputs = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      inputs.add(Gradients.variable(random(i, 2, 3, length, 16).to(dtype)));
    }
    float[] later = new float[length * length];
    for (int i = 0; i < length; i++) {
      for (int j = i + 1; j < length; j++) {
        later[i * length + j] = Float.NEGATIVE_INFINITY;
      }
    }
    Tensor q = inputs.get(0);
    Tensor k = inputs.get(1);
    Tensor v = inputs.get(2);
    Tensor result =
        byMask
            ? Neural.attention(q, k, v, Creation.floats(later, 1, 1, length, length), 0.25)
            : Neural.causalAttention(q, k, v, 0.25);
    List<Tensor> found = new ArrayList<>(List.of(result));
    Tensor gradient = random(9, 2, 3, length, 16).to(dtype);
    found.addAll(Gradients.of(List.of(result), List.of(gradient), inputs));
    return found;
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 27, 65, 192, 193, 300, 1025})
  void laterKeysAreOutOfSightWhateverTheKernel(int length) {
    try (Scope _ = Scope.open()) {
      List<Tensor> expected = causal(DType.F32, length, true);
      List<Tensor> wide = causal(DType.F32, length, false);
      List<Tensor> half = causal(DType.BF16, length, false);
      for (int i = 0; i < expected.size(); i++) {
        String what = length + " tokens, tensor " + i;
        assertThat(Reduction.largestDifference(expected.get(i), wide.get(i)))
            .as(what)
            .isLessThan(1e-4);
        assertThat(Reduction.largestDifference(expected.get(i), half.get(i).to(DType.F32)))
            .as(what)
            .isLessThan(0.1);
      }
    }
  }
}
