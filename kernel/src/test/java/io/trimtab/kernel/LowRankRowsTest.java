package io.trimtab.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.trimtab.kernel.FusedRows.Block;
import io.trimtab.kernel.LowRankRows.Segment;
import io.trimtab.tensor.TrimtabException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Low-rank products of segments against double arithmetic, odd sizes and tails among them. */
class LowRankRowsTest {
  private static final ArrayLanes PLAIN = new ScalarArrays();

  /** Rows of segments; before them, between them and after them are rows under none. */
  private static final int[] ROWS = {1, 70, 0, 3, 66, 2};

  private static final int ALL = 155;

  private final Random random = new Random(11);
  private final Arena arena = Arena.ofAuto();

  private Block block(Rows.Type type, float[] values, int columns) {
    MemorySegment data = arena.allocate((long) values.length * type.bytes, 64);
    PLAIN.narrow(type, values, 0, values.length, data, 0);
    return new Block(type, values.length / columns, columns, data);
  }

  private Block sample(Rows.Type type, int columns) {
    return block(type, Sample.row(ALL * columns, random), columns);
  }

  private static float[] values(Block block) {
    float[] found = new float[(int) block.rows() * block.columns()];
    PLAIN.widen(block.type(), block.data(), 0, found, 0, found.length);
    return found;
  }

  private List<Segment> segments(int in, int out, int rank) {
    List<Segment> segments = new ArrayList<>();
    int start = 5;
    for (int i = 0; i < ROWS.length; i++) {
      int own = i % 2 == 0 ? rank : Math.max(1, rank - i); // ranks differ
      MemorySegment down = Sample.native32(Sample.row(own * in, random), arena);
      MemorySegment up = Sample.native32(Sample.row(own * out, random), arena);
      segments.add(new Segment(start, ROWS[i], own, down, up, 0.5 - i));
      start += ROWS[i] + i % 2;
    }
    return segments;
  }

  /** What y becomes, in memory of its own. */
  private Block added(Block x, Block y, List<Segment> segments, int threads) {
    Block result = block(y.type(), values(y), y.columns());
    try (Crew crew = Crew.of(threads)) {
      new LowRankRows(crew, Backend.fastest()).add(x, result, segments);
    }
    return result;
  }

  private static void expect(Segment segment, Block x, double[] y, double[] size) {
    int in = x.columns();
    int out = y.length / ALL;
    float[] inputs = values(x);
    float[] a = segment.down().toArray(ScalarLanes.FLOAT);
    float[] b = segment.up().toArray(ScalarLanes.FLOAT);
    for (int row = (int) segment.start(); row < segment.start() + segment.rows(); row++) {
      for (int j = 0; j < segment.rank(); j++) {
        double inner = 0;
        double terms = 0;
        for (int k = 0; k < in; k++) {
          double term = (double) inputs[row * in + k] * a[j * in + k] * segment.scale();
          inner += term;
          terms += Math.abs(term);
        }
        for (int i = 0; i < out; i++) {
          y[row * out + i] += inner * b[i * segment.rank() + j];
          size[row * out + i] += terms * Math.abs(b[i * segment.rank() + j]);
        }
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "1,1,1",
    "768,768,8",
    "33,17,5",
    "64,48,64",
    "31,300,3",
    "300,31,16",
    "16,32,4",
    "75,130,63"
  })
  void isThatOfDoubles(int in, int out, int rank) {
    for (Rows.Type type : Rows.Type.values()) {
      Block x = sample(type, in);
      Block y = sample(type, out);
      List<Segment> segments = segments(in, out, rank);
      double[] expected = new double[ALL * out];
      double[] size = new double[ALL * out]; // of the terms of its sum
      float[] before = values(y);
      for (int i = 0; i < expected.length; i++) {
        expected[i] = before[i];
        size[i] = Math.abs(before[i]);
      }
      segments.forEach(each -> expect(each, x, expected, size));
      float[] found = values(added(x, y, segments, 2));
      for (int i = 0; i < expected.length; i++) {
        double rounding = type == Rows.Type.F32 ? 0 : Math.abs(expected[i]) / 256;
        assertThat((double) found[i])
            .as("%s, element %d", type, i)
            .isCloseTo(expected[i], within(rounding + 1e-6 * size[i]));
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Rows.Type.class)
  void neitherThreadsNorOtherRowsChangeABit(Rows.Type type) {
    int in = 1000;
    int out = 777;
    Block x = sample(type, in);
    Block y = sample(type, out);
    List<Segment> segments = segments(in, out, 9);
    Block together = added(x, y, segments, 2);
    for (int threads : new int[] {1, 3, 4}) {
      Block other = added(x, y, segments, threads);
      assertThat(other.data().mismatch(together.data())).isEqualTo(-1);
    }
    Block oneByOne = y;
    for (Segment each : segments) {
      for (int row = 0; row < each.rows(); row += 1 + row % 7) {
        int rows = Math.min(1 + row % 7, each.rows() - row);
        Segment some =
            new Segment(
                each.start() + row, rows, each.rank(), each.down(), each.up(), each.scale());
        oneByOne = added(x, oneByOne, List.of(some), 1);
      }
    }
    assertThat(oneByOne.data().mismatch(together.data())).isEqualTo(-1);
  }

  @Test
  void rowsUnderNoneStayAsTheyAre() {
    Block x = sample(Rows.Type.F32, 40);
    Block y = sample(Rows.Type.F32, 50);
    List<Segment> segments = segments(40, 50, 2);
    float[] found = values(added(x, y, segments, 2));
    float[] before = values(y);
    for (int row = 0; row < ALL; row++) {
      int at = row;
      boolean under = segments.stream().anyMatch(s -> at >= s.start() && at < s.start() + s.rows());
      assertThat(found[row * 50] == before[row * 50]).as("row %d", row).isEqualTo(!under);
    }
  }

  @Test
  void refusesWhatDoesNotFit() {
    Block x = sample(Rows.Type.F32, 6);
    Block y = sample(Rows.Type.F32, 4);
    MemorySegment down = Sample.native32(new float[12], arena);
    MemorySegment up = Sample.native32(new float[8], arena);
    List<List<Segment>> wrong =
        List.of(
            List.of(new Segment(0, ALL + 1, 2, down, up, 1)),
            List.of(new Segment(-1, 2, 2, down, up, 1)),
            List.of(new Segment(0, 2, 0, down, up, 1)),
            List.of(new Segment(0, 2, 2, up, up, 1)),
            List.of(new Segment(0, 2, 2, down, down, 1)));
    for (List<Segment> each : wrong) {
      assertThatThrownBy(() -> added(x, y, each, 1))
          .isInstanceOf(TrimtabException.class)
          .hasMessageContaining("expected rows below 155");
    }
    Block other = sample(Rows.Type.BF16, 4);
    assertThatThrownBy(() -> added(x, other, List.of(), 1)).isInstanceOf(TrimtabException.class);
  }
}
