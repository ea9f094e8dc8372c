package io.trimtab.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.trimtab.tensor.TrimtabException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

/**
 * Products against double arithmetic. Runs with the widest vectors, with those of 128 bits and on a
 * JVM without the Vector API.
 */
class ProductTest {
  /** What a sum in single precision may be off by, of Σ |w| |x|. */
  private static final double PRECISION = 2e-6;

  private static void check(float[] found, double[][] weights, float[] x, double spread) {
    for (int row = 0; row < found.length; row++) {
      double sum = 0;
      double size = 1e-30;
      for (int k = 0; k < x.length; k++) {
        sum += weights[row][k] * x[k];
        size += (Math.abs(weights[row][k]) + spread) * Math.abs(x[k]);
      }
      assertThat((double) found[row]).as("row " + row).isCloseTo(sum, within(PRECISION * size));
    }
  }

  /** The largest weight or offset: what a weight that is scale times q plus minimum is made of. */
  private static double largest(double[][] weights) {
    double largest = 0;
    for (double[] row : weights) {
      for (double weight : row) {
        largest = Math.max(largest, Math.abs(weight));
      }
    }
    return largest;
  }

  @Property(tries = 120)
  void packedProductsAreThoseOfTheDequantizedMatrix(
      @ForAll Format format,
      @ForAll @IntRange(min = 1, max = 70) int rows,
      @ForAll @IntRange(min = 1, max = 5) int blocks,
      @ForAll @IntRange(min = 1, max = 4) int threads,
      @ForAll long seed) {
    Random random = new Random(seed);
    int columns = blocks * format.block();
    try (Arena arena = Arena.ofShared();
        Crew crew = Crew.of(threads)) {
      MemorySegment data = Sample.blocks(format, rows, columns, arena, random);
      double[][] weights = Sample.weights(format, rows, columns, data);
      float[] x = Sample.row(columns, random);
      Panels panels = Panels.pack(format, rows, columns, data, crew, arena);
      double spread = largest(weights);
      check(new Kernel(crew, Backend.fastest()).product(panels, x), weights, x, spread);
      check(new Kernel(crew, Backend.scalar()).product(panels, x), weights, x, spread);
    }
  }

  @Property(tries = 120)
  void plainProductsAreThoseOfTheMatrix(
      @ForAll Rows.Type type,
      @ForAll @IntRange(min = 1, max = 40) int rows,
      @ForAll @IntRange(min = 1, max = 150) int columns,
      @ForAll @IntRange(min = 1, max = 3) int threads,
      @ForAll long seed) {
    Random random = new Random(seed);
    float[] numbers = Sample.row(rows * columns, random);
    double[][] weights = new double[rows][columns];
    try (Arena arena = Arena.ofShared();
        Crew crew = Crew.of(threads)) {
      MemorySegment data = arena.allocate((long) numbers.length * type.bytes, 2);
      for (int i = 0; i < numbers.length; i++) {
        int bits = Float.floatToRawIntBits(numbers[i]);
        if (type == Rows.Type.BF16) {
          bits &= 0xFFFF0000;
          data.set(
              ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN),
              2L * i,
              (short) (bits >> 16));
        } else {
          data.set(Blocks.INT, 4L * i, bits);
        }
        weights[i / columns][i % columns] = Float.intBitsToFloat(bits);
      }
      float[] x = Sample.row(columns, random);
      Rows matrix = new Rows(type, rows, columns, data);
      check(new Kernel(crew, Backend.fastest()).product(matrix, x), weights, x, 0);
      check(new Kernel(crew, Backend.scalar()).product(matrix, x), weights, x, 0);
    }
  }

  @Test
  void neitherThreadsNorCompanyChangeABit() {
    Random random = new Random(3);
    try (Arena arena = Arena.ofShared();
        Crew packers = Crew.of(2)) {
      List<Matrix> matrices = new ArrayList<>();
      for (Format format : Format.values()) {
        MemorySegment data = Sample.blocks(format, 211, 512, arena, random);
        matrices.add(Panels.pack(format, 211, 512, data, packers, arena));
      }
      MemorySegment plain = Sample.native32(Sample.row(37 * 512, random), arena);
      matrices.add(new Rows(Rows.Type.F32, 37, 512, plain));
      float[] x = Sample.row(512, random);
      List<float[]> expected = new ArrayList<>();
      for (int threads = 1; threads <= 4; threads++) {
        try (Crew crew = Crew.of(threads)) {
          Kernel kernel = new Kernel(crew, Backend.fastest());
          List<float[]> together = kernel.products(matrices, x);
          for (int i = 0; i < matrices.size(); i++) {
            if (threads == 1) {
              expected.add(kernel.product(matrices.get(i), x));
            }
            assertThat(together.get(i)).containsExactly(expected.get(i));
          }
        }
      }
    }
  }

  @Test
  void theBackendSaysWhatItIs() {
    boolean present = ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent();
    Backend backend = Backend.fastest();
    assertThat(backend.vectors()).isEqualTo(present);
    if (present) {
      assertThat(backend.toString()).matches("vectors of (128|256|512) bits");
    } else {
      assertThat(backend.toString()).contains("--add-modules jdk.incubator.vector");
    }
    assertThat(Backend.scalar().vectors()).isFalse();
  }

  @Test
  void whatDoesNotFitIsRefused() {
    try (Crew crew = Crew.of(1);
        Arena arena = Arena.ofConfined()) {
      Kernel kernel = new Kernel(crew, Backend.fastest());
      Rows rows = new Rows(Rows.Type.F32, 2, 3, arena.allocate(24));
      assertThatThrownBy(() -> kernel.product(rows, new float[4]))
          .isInstanceOf(TrimtabException.class)
          .hasMessageContaining("4 numbers for F32 [2, 3]");
      assertThatThrownBy(() -> new Rows(Rows.Type.BF16, 2, 3, arena.allocate(24)))
          .isInstanceOf(TrimtabException.class)
          .hasMessageContaining("24 bytes");
      assertThatThrownBy(() -> Panels.pack(Format.Q4_1, 1, 33, arena.allocate(20), crew, arena))
          .isInstanceOf(TrimtabException.class)
          .hasMessageContaining("multiple of 32");
      assertThatThrownBy(() -> Panels.pack(Format.Q4_1, 1, 32, arena.allocate(21), crew, arena))
          .isInstanceOf(TrimtabException.class)
          .hasMessageContaining("expected 20");
      MemorySegment infinite = arena.allocate(34);
      infinite.set(ValueLayout.JAVA_SHORT_UNALIGNED, 0, (short) 0x7C00);
      assertThatThrownBy(() -> Panels.pack(Format.Q8_0, 1, 32, infinite, crew, arena))
          .isInstanceOf(TrimtabException.class)
          .hasMessageContaining("finite");
      assertThatThrownBy(() -> Crew.of(0)).isInstanceOf(TrimtabException.class);
    }
  }
}
