package io.trimtab.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.trimtab.tensor.TrimtabException;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** What a decode step needs besides products, against double arithmetic. */
class StepTest {
  private final Random random = new Random(11);

  @ParameterizedTest
  @EnumSource(Activation.class)
  void activations(Activation activation) {
    try (Crew crew = Crew.of(1)) {
      for (int n : new int[] {1, 5, 16, 47, 1536}) {
        float[] x = Sample.row(n, random);
        x[0] = -200;
        x[n - 1] *= 30;
        float[] found = x.clone();
        new Kernel(crew, Backend.fastest()).activate(activation, found);
        for (int i = 0; i < n; i++) {
          double in = x[i];
          double expected =
              switch (activation) {
                case SILU -> in / (1 + Math.exp(-in));
                case GELU_TANH ->
                    in
                        / 2
                        * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (in + 0.044715 * in * in * in)));
                case RELU -> Math.max(in, 0);
              };
          assertThat((double) found[i])
              .isCloseTo(expected, within(4e-6 * Math.abs(expected) + 1e-6));
        }
      }
    }
  }

  @Test
  void expIsExactToTwoUnits() {
    for (float x = -87; x < 88; x += 0.00731f) {
      assertThat(Exp.of(x) / Math.exp(x)).isCloseTo(1, within(2.4e-7));
    }
    assertThat(Exp.of(0)).isEqualTo(1);
    assertThat(Exp.of(-1e9f)).isLessThan(1e-37f);
  }

  @ParameterizedTest
  @CsvSource({"1", "6", "576"})
  void norms(int n) {
    float[] x = Sample.row(n + 3, random);
    float[] weight = Sample.row(n, random);
    float[] bias = Sample.row(n, random);
    double sum = 0;
    double squares = 0;
    for (int i = 0; i < n; i++) {
      sum += x[3 + i];
      squares += (double) x[3 + i] * x[3 + i];
    }
    float[] root = x.clone();
    RowMath.rmsNorm(root, 3, weight, 1e-5);
    float[] layer = x.clone();
    RowMath.layerNorm(layer, 3, weight, bias, 1e-5);
    double mean = sum / n;
    double variance = squares / n - mean * mean;
    for (int i = 0; i < n; i++) {
      double byRoot = x[3 + i] / Math.sqrt(squares / n + 1e-5) * weight[i];
      assertThat((double) root[3 + i]).isCloseTo(byRoot, within(1e-6 * Math.abs(byRoot)));
      double byLayer = (x[3 + i] - mean) / Math.sqrt(variance + 1e-5) * weight[i] + bias[i];
      assertThat((double) layer[3 + i]).isCloseTo(byLayer, within(2e-6));
    }
    assertThat(root).startsWith(x[0], x[1], x[2]);
  }

  @Test
  void rotationTurnsHalvesAndLeavesTheRest() {
    float[] x = Sample.row(20, random);
    float[] turned = x.clone();
    float[] cosine = {0.6f, 0.8f};
    float[] sine = {0.8f, 0.6f};
    RowMath.rotate(turned, 2, cosine, sine);
    for (int head = 0; head < 20; head += 10) {
      for (int i = 0; i < 2; i++) {
        float a = x[head + i];
        float b = x[head + 2 + i];
        assertThat(turned[head + i]).isCloseTo(a * cosine[i] - b * sine[i], within(1e-6f));
        assertThat(turned[head + 2 + i]).isCloseTo(b * cosine[i] + a * sine[i], within(1e-6f));
      }
      assertThat(turned[head + 4]).isEqualTo(x[head + 4]);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "1, 0, 64, 9, 3, 0, 0",
    "15, 4, 8, 2, 2, 0, 0",
    "16, 16, 6, 4, 1, 0, 3",
    "201, 77, 64, 9, 3, 0, 0",
    "201, 77, 64, 9, 3, 50, 0",
    "201, 77, 64, 9, 3, 100, 2",
    "40, 0, 80, 2, 1, 7, 0"
  })
  void attention(
      int positions, int shared, int size, int heads, int keyHeads, int from, float cap) {
    float[] keys = Sample.row(keyHeads * positions * size, random);
    float[] values = Sample.row(keyHeads * positions * size, random);
    float[] query = Sample.row(heads * size, random);
    float scale = (float) (1 / Math.sqrt(size));
    Kernel.Form form = new Kernel.Form(heads, keyHeads, scale, cap);
    try (Arena arena = Arena.ofShared();
        Crew crew = Crew.of(3)) {
      var k = Sample.native32(keys, arena);
      var v = Sample.native32(values, arena);
      long stride = 4L * positions * size;
      long skip = 4L * shared * size;
      List<Kernel.Stretch> stretches =
          List.of(
              new Kernel.Stretch(k, v, stride, stride, shared),
              new Kernel.Stretch(
                  k.asSlice(skip), v.asSlice(skip), stride, stride, positions - shared));
      float[] found = new Kernel(crew, Backend.fastest()).attend(query, stretches, from, form);
      float[] scalar = new Kernel(crew, Backend.scalar()).attend(query, stretches, from, form);
      for (int head = 0; head < heads; head++) {
        int of = head / (heads / keyHeads);
        double[] weight = new double[positions];
        double sum = 0;
        for (int p = from; p < positions; p++) {
          double dot = 0;
          for (int d = 0; d < size; d++) {
            dot += (double) query[head * size + d] * keys[(of * positions + p) * size + d];
          }
          double score = dot * scale;
          weight[p] = Math.exp(cap == 0 ? score : cap * Math.tanh(score / cap));
          sum += weight[p];
        }
        for (int d = 0; d < size; d++) {
          double expected = 0;
          for (int p = from; p < positions; p++) {
            expected += weight[p] / sum * values[(of * positions + p) * size + d];
          }
          assertThat((double) found[head * size + d]).isCloseTo(expected, within(5e-6));
          assertThat((double) scalar[head * size + d]).isCloseTo(expected, within(5e-6));
        }
      }
      assertThatThrownBy(
              () -> new Kernel(crew, Backend.fastest()).attend(query, stretches, positions, form))
          .isInstanceOf(TrimtabException.class)
          .hasMessageContaining("0 positions");
    }
  }
}
