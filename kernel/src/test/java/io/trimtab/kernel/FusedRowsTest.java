package io.trimtab.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.trimtab.kernel.FusedRows.Block;
import io.trimtab.tensor.TrimtabException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Random;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Fused passes against double arithmetic, odd sizes and tails among them. */
class FusedRowsTest {
  private static final ArrayLanes PLAIN = new ScalarArrays();
  private static final double EPSILON = 1e-5;

  private final Random random = new Random(5);
  private final Arena arena = Arena.ofAuto();

  private Block room(Rows.Type type, int rows, int columns) {
    MemorySegment data = arena.allocate((long) rows * columns * type.bytes, 64);
    return new Block(type, rows, columns, data.fill((byte) 0x7F));
  }

  private Block sample(Rows.Type type, int rows, int columns) {
    Block block = room(type, rows, columns);
    float[] values = new float[rows * columns];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    PLAIN.narrow(type, values, 0, values.length, block.data(), 0);
    return block;
  }

  private static double[] values(Block block) {
    float[] found = new float[(int) block.rows() * block.columns()];
    PLAIN.widen(block.type(), block.data(), 0, found, 0, found.length);
    double[] wide = new double[found.length];
    for (int i = 0; i < wide.length; i++) {
      wide[i] = found[i];
    }
    return wide;
  }

  private static void with(int threads, Consumer<FusedRows> work) {
    try (Crew crew = Crew.of(threads)) {
      work.accept(new FusedRows(crew, Backend.fastest()));
    }
  }

  /** All of them are smooth and of the size of one: so an absolute bound says what a relative. */
  private static void assertClose(Block found, double... expected) {
    double bound = found.type() == Rows.Type.F32 ? 2e-6 : 1.0 / 256;
    double[] numbers = values(found);
    for (int i = 0; i < expected.length; i++) {
      assertThat(numbers[i])
          .as("element %d", i)
          .isCloseTo(expected[i], within(bound * Math.max(1, Math.abs(expected[i]))));
    }
  }

  @ParameterizedTest
  @CsvSource({"F32,1,1", "F32,7,37", "F32,3,576", "BF16,1,3", "BF16,7,37", "BF16,5,576"})
  void rootMeanSquare(Rows.Type type, int rows, int n) {
    Block x = sample(type, rows, n);
    Block w = sample(type, 1, n);
    Block g = sample(type, rows, n);
    Block y = room(type, rows, n);
    Block dx = room(type, rows, n);
    with(2, fused -> fused.rmsNorm(x, w, EPSILON, y));
    with(2, fused -> fused.rmsNormGradient(x, w, EPSILON, g, dx));
    double[] expected = new double[rows * n];
    double[] slope = new double[rows * n];
    double[] in = values(x);
    double[] weight = values(w);
    double[] up = values(g);
    for (int r = 0; r < rows; r++) {
      double square = 0;
      double inner = 0;
      for (int i = r * n; i < (r + 1) * n; i++) {
        square += in[i] * in[i] / n;
        inner += in[i] * up[i] * weight[i - r * n] / n;
      }
      double s = 1 / Math.sqrt(square + EPSILON);
      for (int i = r * n; i < (r + 1) * n; i++) {
        expected[i] = in[i] * s * weight[i - r * n];
        slope[i] = up[i] * weight[i - r * n] * s - in[i] * s * s * s * inner;
      }
    }
    assertClose(y, expected);
    assertClose(dx, slope);
  }

  private static double activated(Activation activation, double x) {
    return switch (activation) {
      case SILU -> x / (1 + Math.exp(-x));
      case GELU_TANH ->
          x / 2 * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
      case RELU -> Math.max(x, 0);
    };
  }

  @ParameterizedTest
  @EnumSource(Activation.class)
  void gates(Activation activation) {
    for (Rows.Type type : Rows.Type.values()) {
      for (int n : new int[] {1, 31, 32, 75}) {
        Block a = sample(type, 5, n);
        Block b = sample(type, 5, n);
        Block g = sample(type, 5, n);
        Block y = room(type, 5, n);
        Block da = room(type, 5, n);
        with(2, fused -> fused.gate(activation, a, b, y));
        double[] x = values(a);
        double[] through = values(b);
        double[] up = values(g);
        double[] expected = new double[x.length];
        double[] first = new double[x.length];
        double[] second = new double[x.length];
        for (int i = 0; i < x.length; i++) {
          double h = 1e-6;
          double slope =
              (activated(activation, x[i] + h) - activated(activation, x[i] - h)) / (2 * h);
          expected[i] = activated(activation, x[i]) * through[i];
          first[i] = up[i] * through[i] * slope;
          second[i] = up[i] * activated(activation, x[i]);
        }
        assertClose(y, expected);
        with(2, fused -> fused.gateGradient(activation, a, b, g, da, b)); // into b's own memory
        assertClose(da, first);
        assertClose(b, second);
      }
    }
  }

  @Test
  void gatesFarFromZeroAreFinite() {
    Block a = room(Rows.Type.F32, 1, 4);
    float[] far = {-1000, 1000, -90, 90};
    PLAIN.narrow(Rows.Type.F32, far, 0, 4, a.data(), 0);
    for (Activation activation : Activation.values()) {
      Block g = sample(Rows.Type.F32, 1, 4);
      Block da = room(Rows.Type.F32, 1, 4);
      Block db = room(Rows.Type.F32, 1, 4);
      with(1, fused -> fused.gateGradient(activation, a, g, g, da, db));
      double[] up = values(g);
      assertClose(da, 0, up[1] * up[1], 0, up[3] * up[3]);
      assertClose(db, 0, up[1] * 1000, 0, up[3] * 90);
    }
  }

  @ParameterizedTest
  @CsvSource({"F32,64,32", "BF16,64,32", "BF16,20,7", "F32,9,4", "BF16,128,64"})
  void rotation(Rows.Type type, int size, int half) {
    int heads = 3;
    int tokens = 5;
    Block x = sample(type, tokens, heads * size);
    Block c = sample(type, tokens, half);
    Block s = sample(type, tokens, half);
    Block y = room(type, tokens, heads * size);
    Block back = room(type, tokens, heads * size);
    with(2, fused -> fused.rotate(x, heads, c, s, false, y));
    with(2, fused -> fused.rotate(x, heads, c, s, true, back));
    double[] in = values(x);
    double[] forward = in.clone();
    double[] backward = in.clone();
    for (int head = 0; head < tokens * heads; head++) {
      for (int i = 0; i < half; i++) {
        int a = head * size + i;
        double cosine = values(c)[head / heads * half + i];
        double sine = values(s)[head / heads * half + i];
        forward[a] = in[a] * cosine - in[a + half] * sine;
        forward[a + half] = in[a + half] * cosine + in[a] * sine;
        backward[a] = in[a] * cosine + in[a + half] * sine;
        backward[a + half] = in[a + half] * cosine - in[a] * sine;
      }
    }
    assertClose(y, forward);
    assertClose(back, backward);
  }

  @ParameterizedTest
  @CsvSource({"F32,1", "F32,37", "BF16,5", "BF16,70"})
  void causalSoftmax(Rows.Type type, int n) {
    int rows = 3 * n;
    double scale = 0.7;
    Block scores = sample(type, rows, n);
    Block g = sample(type, rows, n);
    Block p = room(type, rows, n);
    Block ds = room(type, rows, n);
    with(2, fused -> fused.causalSoftmax(scores, scale, p));
    with(2, fused -> fused.causalSoftmaxGradient(p, g, scale, ds));
    double[] in = values(scores);
    double[] up = values(g);
    double[] expected = new double[rows * n];
    double[] slope = new double[rows * n];
    double[] rounded = values(p);
    for (int r = 0; r < rows; r++) {
      double sum = 0;
      double inner = 0;
      for (int i = 0; i <= r % n; i++) {
        sum += Math.exp(scale * in[r * n + i]);
        inner += rounded[r * n + i] * up[r * n + i];
      }
      for (int i = 0; i <= r % n; i++) {
        expected[r * n + i] = Math.exp(scale * in[r * n + i]) / sum;
        slope[r * n + i] = scale * rounded[r * n + i] * (up[r * n + i] - inner);
      }
    }
    assertClose(p, expected);
    assertClose(ds, slope);
  }

  @ParameterizedTest
  @CsvSource({"F32,3", "F32,2049", "BF16,5000"})
  void crossEntropy(Rows.Type type, int n) {
    int rows = 4;
    Block logits = sample(type, rows, n);
    long[] classes = {0, n - 1, n / 2, 1};
    double[] in = values(logits);
    double[][] sums = new double[1][];
    with(2, fused -> sums[0] = fused.logSumExp(logits));
    with(
        1,
        fused -> {
          double[] own = fused.pick(logits, classes);
          for (int r = 0; r < rows; r++) {
            assertThat(own[r]).isEqualTo(in[r * n + (int) classes[r]]);
          }
        });
    with(2, fused -> fused.crossEntropyGradient(logits, sums[0], classes, 10, logits));
    double[] expected = new double[rows * n];
    for (int r = 0; r < rows; r++) {
      double sum = 0;
      for (int i = 0; i < n; i++) {
        sum += Math.exp(in[r * n + i]);
      }
      assertThat(sums[0][r]).isCloseTo(Math.log(sum), within(2e-6));
      for (int i = 0; i < n; i++) {
        expected[r * n + i] = 10 * (Math.exp(in[r * n + i]) / sum - (i == classes[r] ? 1 : 0));
      }
    }
    assertClose(logits, expected);
  }

  @Test
  void theNumberOfThreadsChangesNoBit() {
    Block x = sample(Rows.Type.BF16, 64, 50);
    Block w = sample(Rows.Type.BF16, 1, 50);
    BiConsumer<FusedRows, Block> work = (fused, to) -> fused.rmsNorm(x, w, EPSILON, to);
    Block alone = room(Rows.Type.BF16, 64, 50);
    Block together = room(Rows.Type.BF16, 64, 50);
    with(1, fused -> work.accept(fused, alone));
    with(3, fused -> work.accept(fused, together));
    assertThat(together.data().mismatch(alone.data())).isEqualTo(-1);
  }

  @Test
  void roundingIsToTheNearestAndHalvesToEven() {
    float[] values = new float[67];
    for (int i = 0; i < values.length; i++) {
      // One more than a multiple of what stays, by halves of it.
      values[i] = 1 + i / 256f;
    }
    try (Arena own = Arena.ofConfined()) {
      MemorySegment fast = own.allocate(2L * values.length);
      Backend.fastest().arrays().narrow(Rows.Type.BF16, values, 0, values.length, fast, 0);
      float[] found = new float[values.length];
      Backend.fastest().arrays().widen(Rows.Type.BF16, fast, 0, found, 0, values.length);
      for (int i = 0; i < values.length; i++) {
        float even = i % 4 == 1 ? i - 1 : i % 4 == 3 ? i + 1 : i;
        assertThat(found[i]).isEqualTo(1 + even / 256f);
      }
      assertThat(found[66]).isEqualTo(1 + 66 / 256f);
    }
  }

  @Test
  void otherShapesAreRefused() {
    Block x = sample(Rows.Type.F32, 2, 8);
    Block narrow = sample(Rows.Type.F32, 2, 4);
    with(
        1,
        fused -> {
          assertThatThrownBy(() -> fused.gate(Activation.SILU, x, narrow, x))
              .isInstanceOf(TrimtabException.class)
              .hasMessageContaining("[2, 4]");
          assertThatThrownBy(() -> fused.rmsNorm(x, narrow, EPSILON, x))
              .hasMessageContaining("weight [2, 4]");
          assertThatThrownBy(() -> fused.rotate(x, 2, narrow, narrow, false, x))
              .hasMessageContaining("2 heads");
        });
    assertThatThrownBy(() -> new Block(Rows.Type.BF16, 2, 8, x.data()))
        .hasMessageContaining("64 bytes");
  }
}
