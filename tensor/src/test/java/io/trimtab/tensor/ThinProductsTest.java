package io.trimtab.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ThinProductsTest {
  /** Rows of segments; 3 is under none, and the gap of rows after it neither. */
  private static final int[] ROWS = {1, 40, 0, 7, 300, 2};

  private static List<ThinProducts.Segment> segments(Rng rng, int in, int out, int rank) {
    List<ThinProducts.Segment> segments = new ArrayList<>();
    int start = 5;
    for (int i = 0; i < ROWS.length; i++) {
      if (i != 3) {
        int own = Math.max(1, rank - i); // ranks differ
        Tensor down = rng.normal(0.1, DType.F32, Device.CPU, own, in);
        Tensor up = rng.normal(0.1, DType.F32, Device.CPU, out, own);
        segments.add(new ThinProducts.Segment(start, ROWS[i], down, up, 0.5 + i));
      }
      start += ROWS[i];
    }
    return segments;
  }

  private static float[] added(
      Tensor output, Tensor input, List<ThinProducts.Segment> segments, int threads) {
    int before = Engine.threads();
    Engine.setThreads(threads);
    try {
      Tensor result = output.copy();
      boolean done = Gradients.none(() -> ThinProducts.add(result, input, segments));
      assertThat(done).isTrue();
      return result.toFloats();
    } finally {
      Engine.setThreads(before);
    }
  }

  @ParameterizedTest
  @CsvSource({"768, 768, 8", "768, 3072, 8", "3072, 768, 8", "33, 17, 5", "64, 48, 64", "1, 1, 1"})
  void addsToEachSegmentItsOwn(int in, int out, int rank) {
    try (Scope _ = Scope.open()) {
      Rng rng = Rng.seeded(1);
      Tensor input = rng.normal(1, DType.F32, Device.CPU, 360, in);
      Tensor output = rng.normal(1, DType.F32, Device.CPU, 360, out);
      List<ThinProducts.Segment> segments = segments(rng, in, out, rank);
      double[] expected = output.toDoubles();
      double largest = 1;
      for (ThinProducts.Segment each : segments) {
        Tensor x = Indexing.slice(input, 0, each.start(), each.rows()).to(DType.F64);
        Tensor low = LinearAlgebra.linear(x, each.down().to(DType.F64), null);
        double[] change = LinearAlgebra.linear(low, each.up().to(DType.F64), null).toDoubles();
        for (int i = 0; i < change.length; i++) {
          expected[each.start() * out + i] += each.scale() * change[i];
          largest = Math.max(largest, Math.abs(expected[each.start() * out + i]));
        }
      }
      float[] found = added(output, input, segments, 2);
      for (int i = 0; i < found.length; i++) {
        assertThat(Math.abs(found[i] - expected[i])).isLessThan(1e-6 * largest);
      }
    }
  }

  @Test
  void neitherThreadsNorOtherSegmentsChangeABit() {
    try (Scope _ = Scope.open()) {
      Rng rng = Rng.seeded(2);
      Tensor input = rng.normal(1, DType.F32, Device.CPU, 360, 768);
      Tensor output = rng.normal(1, DType.F32, Device.CPU, 360, 768);
      List<ThinProducts.Segment> segments = segments(rng, 768, 768, 8);
      float[] together = added(output, input, segments, 2);
      assertThat(added(output, input, segments, 1)).isEqualTo(together);
      Tensor one = output;
      for (ThinProducts.Segment each : segments) {
        one = Creation.floats(added(one, input, List.of(each), 1), 360, 768);
      }
      assertThat(one.toFloats()).isEqualTo(together);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 7})
  void workIsDoneByAsManyThreadsAsTheEngineHas(int threads) {
    Set<Thread> seen = ConcurrentHashMap.newKeySet();
    CountDownLatch all = new CountDownLatch(threads);
    SideBySide.run(
        threads,
        () -> {
          seen.add(Thread.currentThread());
          all.countDown();
          await(all);
        });
    assertThat(seen).hasSize(threads).contains(Thread.currentThread());
    assertThatThrownBy(() -> SideBySide.run(threads, ThinProductsTest::fail))
        .isInstanceOf(IllegalStateException.class);
  }

  private static void await(CountDownLatch latch) {
    try {
      assertThat(latch.await(20, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private static void fail() {
    throw new IllegalStateException("work that fails");
  }

  @Test
  void leavesAloneWhatItCannotDo() {
    try (Scope _ = Scope.open()) {
      Rng rng = Rng.seeded(3);
      Tensor input = rng.normal(1, DType.F32, Device.CPU, 360, 16);
      Tensor output = rng.normal(1, DType.F32, Device.CPU, 360, 16);
      float[] before = output.toFloats();
      List<ThinProducts.Segment> good = segments(rng, 16, 16, 4);
      assertThat(ThinProducts.add(output, input, good)).as("recording").isFalse();
      Gradients.none(
          () -> {
            Tensor turned = rng.normal(1, DType.F32, Device.CPU, 16, 360).transpose(0, 1);
            assertThat(ThinProducts.add(output, turned, good)).as("a view").isFalse();
            Tensor half = input.to(DType.BF16);
            assertThat(ThinProducts.add(output, half, good)).as("bf16").isFalse();
            List<ThinProducts.Segment> wide = segments(rng, 16, 16, 80);
            assertThat(ThinProducts.add(output, input, wide)).as("thick").isFalse();
            return input;
          });
      assertThat(output.toFloats()).isEqualTo(before);
    }
  }
}
