package io.trimtab.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.trimtab.tensor.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class TensorFlowBundleTest {
  @TempDir Path directory;

  private static BundleBuilder small() {
    return new BundleBuilder(2)
        .tensor("module/a/beta", 0, new long[] {2}, 1, 2)
        .tensor("module/a/gamma", 1, new long[] {1}, 3)
        .tensor("module/a/kernel", 0, new long[] {2, 3}, 4, 5, 6, 7, 8, 9)
        .tensor("module/b", 1, new long[] {}, 10)
        .tensor("other", 1, new long[] {0, 5});
  }

  @Test
  void readsNamesShapesAndValuesFromAllShards() throws IOException {
    Path index =
        small()
            .entry("_CHECKPOINTABLE_OBJECT_GRAPH", BundleBuilder.entry(7, new long[] {}, 0, 0, 9))
            .write(directory);
    try (TensorFlowBundle bundle = TensorFlowBundle.open(index)) {
      assertThat(bundle.names())
          .containsExactly(
              "module/a/beta", "module/a/gamma", "module/a/kernel", "module/b", "other");
      assertThat(bundle.info("module/a/kernel"))
          .isEqualTo(new TensorInfo("module/a/kernel", DType.F32, new long[] {2, 3}));
      assertThat(SafetensorsTest.floats(bundle.bytes("module/a/kernel")))
          .containsExactly(4, 5, 6, 7, 8, 9);
      assertThat(SafetensorsTest.floats(bundle.bytes("module/a/gamma"))).containsExactly(3);
      assertThat(SafetensorsTest.floats(bundle.bytes("module/b"))).containsExactly(10);
      bundle.names().forEach(bundle::verify);
    }
  }

  @Test
  void noticesDamagedElements() throws IOException {
    Path index = small().write(directory);
    Path shard = directory.resolve("variables.data-00000-of-00002");
    byte[] bytes = Files.readAllBytes(shard);
    bytes[9] ^= 1;
    Files.write(shard, bytes);
    try (TensorFlowBundle bundle = TensorFlowBundle.open(index)) {
      bundle.verify("module/a/beta");
      assertThatThrownBy(() -> bundle.verify("module/a/kernel"))
          .isInstanceOf(FileFormatException.class)
          .hasMessageContaining("checksum of 'module/a/kernel' is wrong");
    }
  }

  @Test
  void namesAMissingShard() throws IOException {
    Path index = small().write(directory);
    Files.delete(directory.resolve("variables.data-00001-of-00002"));
    refuses(index, "variables.data-00001-of-00002: there is no such file");
  }

  @Test
  void refusesDamagedTables() throws IOException {
    Path index = small().write(directory);
    byte[] bytes = Files.readAllBytes(index);
    Files.write(index, Arrays.copyOf(bytes, bytes.length - 1));
    refuses(index, "is not a TensorFlow bundle index, or cut off");
    Files.write(index, new byte[0]);
    refuses(index, "is not a TensorFlow bundle index, or cut off");
    bytes[3] ^= 1;
    Files.write(index, bytes);
    refuses(index, "the checksum of a block is wrong");
    Files.write(index, small().index(1));
    refuses(index, "compression type 1; only plain blocks are read");
    refuses(Files.write(directory.resolve("x.idx"), bytes), "is not the index of a bundle");
  }

  static Stream<Arguments> entries() {
    long[] one = {1};
    return Stream.of(
        arguments(BundleBuilder.entry(5, one, 0, 0, 2), "unsupported TensorFlow dtype number 5"),
        arguments(BundleBuilder.entry(0, one, 0, 0, 4), "unsupported TensorFlow dtype number 0"),
        arguments(BundleBuilder.entry(1, one, 2, 0, 4), "is in shard 2 of 2"),
        arguments(BundleBuilder.entry(1, one, -1, 0, 4), "is in shard -1 of 2"),
        arguments(BundleBuilder.entry(1, one, 0, 0, 8), "takes 4 bytes, the index says 8"),
        arguments(BundleBuilder.entry(1, new long[] {-1}, 0, 0, 4), "shape [-1] is negative"),
        arguments(
            BundleBuilder.entry(1, new long[] {1L << 32, 1L << 32}, 0, 0, 0), "F32 overflows"),
        arguments(BundleBuilder.entry(1, new long[65], 0, 0, 0), "too many dimensions"),
        arguments(BundleBuilder.entry(1, one, 0, 29, 4), "too few for 'odd' of 4 bytes at offset"),
        arguments(BundleBuilder.entry(1, one, 0, -4, 4), "too few for 'odd'"),
        arguments(BundleBuilder.entry(1, one, 0, 0, 4).text(7, "s"), "is stored in slices"),
        arguments(
            new ProtoBuilder().number(1, 1).message(2, new ProtoBuilder().number(3, 1)),
            "has no known shape"),
        arguments(new ProtoBuilder().text(1, "x"), "wire type 2 instead of 0"),
        arguments(new ProtoBuilder().varint((9 << 3) | 3), "has the wire type 3"),
        arguments(new ProtoBuilder().varint(0), "a field has the number 0"),
        arguments(new ProtoBuilder().varint((2 << 3) | 2).varint(9), "9 bytes wanted where only 0"),
        arguments(
            new ProtoBuilder().varint(8).raw(new byte[] {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1}),
            "a varint is longer than ten bytes"));
  }

  @ParameterizedTest
  @MethodSource("entries")
  void refusesEntries(ProtoBuilder entry, String expected) throws IOException {
    refuses(small().entry("odd", entry).write(directory), expected);
  }

  @Test
  void refusesHeaders() throws IOException {
    refuses(
        new BundleBuilder(1)
            .entry("", new ProtoBuilder().number(1, 1).number(2, 1))
            .write(directory),
        "holds big-endian numbers");
    refuses(
        new BundleBuilder(1).entry("", new ProtoBuilder().number(1, -1)).write(directory),
        "the bundle has -1 shards");
  }

  private static void refuses(Path index, String expected) {
    assertThatThrownBy(() -> TensorFlowBundle.open(index).close())
        .isInstanceOf(FileFormatException.class)
        .hasMessageContaining(expected);
  }

  @Property(tries = 500)
  void damagedEntriesAreRefusedOrReadWhole(@ForAll("damage") List<Damage> damage)
      throws IOException {
    // The table is rebuilt around the damage, which its checksums would hide otherwise.
    byte[] entry = BundleBuilder.entry(1, new long[] {2, 1}, 0, 4, 8).fixed32(6, 7).build();
    Path made = Damage.temporaryDirectory();
    try {
      var damaged = new ProtoBuilder().raw(Damage.apply(damage, entry));
      Damage.assertRefusedOrReadWhole(
          small().entry("odd", damaged).write(made), TensorFlowBundle::open);
    } finally {
      Damage.deleteAll(made);
    }
  }

  @Property(tries = 500)
  void damagedTablesAreRefusedOrReadWhole(@ForAll("damage") List<Damage> damage)
      throws IOException {
    Path made = Damage.temporaryDirectory();
    try {
      Path index = small().write(made);
      Files.write(index, Damage.apply(damage, Files.readAllBytes(index)));
      Damage.assertRefusedOrReadWhole(index, TensorFlowBundle::open);
    } finally {
      Damage.deleteAll(made);
    }
  }

  @Provide
  Arbitrary<List<Damage>> damage() {
    return Damage.some();
  }
}
