package io.trimtab.hub;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.lifecycle.AfterContainer;

class TorchCheckpointPropertiesTest {
  private static final Path directory = Damage.temporaryDirectory();
  private static final Path file = directory.resolve("pytorch_model.bin");

  private static final byte[] ZIP = TorchCheckpointTest.small(ByteOrder.LITTLE_ENDIAN).build();
  private static final byte[] WIDE = TorchCheckpointTest.small(ByteOrder.LITTLE_ENDIAN).build(true);
  private static final byte[] LEGACY = TorchCheckpointTest.legacy();

  @AfterContainer
  static void deleteDirectory() {
    Damage.deleteAll(directory);
  }

  @Example
  void filesCutAtAnyByteAreRefused() throws IOException {
    for (byte[] valid : List.of(WIDE, LEGACY)) {
      for (int size = 0; size < valid.length; size++) {
        Files.write(file, Arrays.copyOf(valid, size));
        assertThat(refused()).as("cut at %d of %d", size, valid.length).isTrue();
      }
    }
  }

  private static boolean refused() {
    try (TensorFile _ = TorchCheckpoint.open(file)) {
      return false;
    } catch (FileFormatException _) {
      return true;
    }
  }

  @Property(tries = 2000)
  void damagedFilesAreRefusedOrReadWhole(
      @ForAll @IntRange(max = 2) int which, @ForAll("damage") List<Damage> damage)
      throws IOException {
    Files.write(file, Damage.apply(damage, List.of(ZIP, WIDE, LEGACY).get(which)));
    Damage.assertRefusedOrReadWhole(file, TorchCheckpoint::open);
  }

  @Property(tries = 2000)
  void damagedPicklesAreRefusedOrReadWhole(@ForAll("damage") List<Damage> damage)
      throws IOException {
    // The container is built around the damage, which it would mostly be in otherwise.
    byte[] pickle =
        PickleBuilder.stateDict()
            .text("a")
            .tensor("FloatStorage", "0", 4, 0, new long[] {2, 2}, new long[] {1, 2})
            .op('u', '}')
            .text("_metadata")
            .op('}', 's', 'b', '.')
            .build();
    Files.write(
        file,
        ZipBuilder.checkpoint(Damage.apply(damage, pickle)).storage("0", new byte[16]).build());
    Damage.assertRefusedOrReadWhole(file, TorchCheckpoint::open);
  }

  @Property(tries = 500)
  void randomInstructionsAreRefusedOrReadWhole(@ForAll("instructions") List<Integer> program)
      throws IOException {
    PickleBuilder pickle = PickleBuilder.stateDict();
    program.forEach(pickle::op);
    Files.write(file, ZipBuilder.checkpoint(pickle.items()).build());
    Damage.assertRefusedOrReadWhole(file, TorchCheckpoint::open);
  }

  /** Any view is read as its definition says: element i, j, k is at offset + i*s + j*t + k*u. */
  @Property(tries = 500)
  void readsAnyView(
      @ForAll("sizes") long[] shape,
      @ForAll("strides") long[] allStrides,
      @ForAll @IntRange(max = 5) int offset,
      @ForAll boolean big)
      throws IOException {
    long[] strides = Arrays.copyOf(allStrides, shape.length);
    int elements = 5 + 3 * 4 * 12 + 1;
    ByteOrder order = big ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN;
    ByteBuffer content = ByteBuffer.allocate(elements * Short.BYTES).order(order);
    IntStream.range(0, elements).forEach(i -> content.putShort((short) i));
    byte[] pickle =
        PickleBuilder.stateDict()
            .text("view")
            .tensor("HalfStorage", "0", elements, offset, shape, strides)
            .items();
    Files.write(
        file,
        ZipBuilder.checkpoint(pickle)
            .storage("0", content.array())
            .entry("m/byteorder", (big ? "big" : "little").getBytes(StandardCharsets.US_ASCII))
            .build());
    try (TensorFile read = TorchCheckpoint.open(file)) {
      ByteBuffer bytes =
          ByteBuffer.wrap(read.bytes("view").toArray(ValueLayout.JAVA_BYTE))
              .order(ByteOrder.LITTLE_ENDIAN);
      for (long[] index : indices(shape)) {
        long expected = offset;
        for (int i = 0; i < index.length; i++) {
          expected += index[i] * strides[i];
        }
        assertThat(bytes.getShort()).isEqualTo((short) expected);
      }
      assertThat(bytes.hasRemaining()).isFalse();
    }
  }

  /** All indices of a shape in row-major order. */
  private static List<long[]> indices(long[] shape) {
    List<long[]> all = List.of(new long[0]);
    for (long size : shape) {
      all =
          all.stream()
              .flatMap(
                  front ->
                      IntStream.range(0, (int) size)
                          .mapToObj(
                              last -> {
                                long[] index = Arrays.copyOf(front, front.length + 1);
                                index[front.length] = last;
                                return index;
                              }))
              .toList();
    }
    return all;
  }

  @Provide
  Arbitrary<List<Damage>> damage() {
    return Damage.some();
  }

  @Provide
  Arbitrary<List<Integer>> instructions() {
    Integer[] known = "NKMU)tae}su(qhR.Qb]".chars().boxed().toArray(Integer[]::new);
    return Arbitraries.oneOf(
            Arbitraries.of(known),
            Arbitraries.of(0x85, 0x86, 0x87, 0x88, 0x94, 0x8A, 0x93),
            Arbitraries.integers().between(0, 3))
        .list()
        .ofMaxSize(40);
  }

  @Provide
  Arbitrary<long[]> sizes() {
    return Arbitraries.longs().between(0, 4).array(long[].class).ofMaxSize(3);
  }

  @Provide
  Arbitrary<long[]> strides() {
    return Arbitraries.longs().between(0, 12).array(long[].class).ofSize(3);
  }
}
