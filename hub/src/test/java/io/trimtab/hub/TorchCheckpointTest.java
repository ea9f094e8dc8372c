package io.trimtab.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.trimtab.tensor.DType;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TorchCheckpointTest {
  @TempDir Path directory;

  /** Six floats 0 to 5 under key 0, three bfloat16 under 1, two longs under 2. */
  private static byte[] pickle() {
    return PickleBuilder.stateDict()
        .text("rows")
        .tensor("FloatStorage", "0", 6, 0, new long[] {2, 3}, new long[] {3, 1})
        .text("columns")
        .tensor("FloatStorage", "0", 6, 0, new long[] {3, 2}, new long[] {1, 3})
        .text("middle")
        .tensor("FloatStorage", "0", 6, 2, new long[] {3}, new long[] {1})
        .text("third")
        .tensor("FloatStorage", "0", 6, 1, new long[] {2}, new long[] {3})
        .text("repeated")
        .tensor("FloatStorage", "0", 6, 4, new long[] {2, 2, 1}, new long[] {0, 1, 77})
        .text("scalar")
        .tensor("FloatStorage", "0", 6, 5, new long[] {}, new long[] {})
        .text("nothing")
        .tensor("FloatStorage", "0", 6, 6, new long[] {0, 5}, new long[] {5, 1})
        .text("half")
        .tensor("BFloat16Storage", "1", 3, 0, new long[] {3}, new long[] {1})
        .text("ids")
        .tensor("LongStorage", "2", 2, 0, new long[] {2, 1}, new long[] {1, 1})
        .items();
  }

  private static byte[] storage(ByteOrder order, int key) {
    ByteBuffer buffer = ByteBuffer.allocate(new int[] {24, 6, 16}[key]).order(order);
    switch (key) {
      case 0 -> {
        for (int i = 0; i < 6; i++) {
          buffer.putFloat(i);
        }
      }
      case 1 -> buffer.putShort((short) 0x3F80).putShort((short) 0x4000).putShort((short) -1);
      default -> buffer.putLong(7).putLong(-8);
    }
    return buffer.array();
  }

  static ZipBuilder small(ByteOrder order) {
    ZipBuilder zip = ZipBuilder.checkpoint(pickle());
    for (int key = 0; key < 3; key++) {
      zip.storage(String.valueOf(key), storage(order, key));
    }
    return zip;
  }

  private static void assertSmall(TensorFile file) {
    assertThat(file.names())
        .containsExactly(
            "rows", "columns", "middle", "third", "repeated", "scalar", "nothing", "half", "ids");
    assertThat(file.info("columns"))
        .isEqualTo(new TensorInfo("columns", DType.F32, new long[] {3, 2}));
    assertFloats(file, "rows", 0, 1, 2, 3, 4, 5);
    assertFloats(file, "columns", 0, 3, 1, 4, 2, 5);
    assertFloats(file, "middle", 2, 3, 4);
    assertFloats(file, "third", 1, 4);
    assertFloats(file, "repeated", 4, 5, 4, 5);
    assertFloats(file, "scalar", 5);
    assertFloats(file, "nothing");
    assertThat(file.info("nothing").shape()).containsExactly(0, 5);
    assertThat(file.info("half").dtype()).isEqualTo(DType.BF16);
    assertThat(HexFormat.of().formatHex(file.bytes("half").toArray(ValueLayout.JAVA_BYTE)))
        .isEqualTo("803f0040ffff");
    assertThat(file.info("ids")).isEqualTo(new TensorInfo("ids", DType.I64, new long[] {2, 1}));
    assertThat(HexFormat.of().formatHex(file.bytes("ids").toArray(ValueLayout.JAVA_BYTE)))
        .isEqualTo("0700000000000000f8ffffffffffffff");
    assertThat(file.names()).allMatch(name -> file.bytes(name).isReadOnly());
    assertThatThrownBy(() -> file.bytes("row"))
        .isInstanceOf(TensorNotFoundException.class)
        .hasMessageContaining("'rows'");
  }

  private static void assertFloats(TensorFile file, String name, float... expected) {
    assertThat(SafetensorsTest.floats(file.bytes(name))).containsExactly(expected);
  }

  private Path write(byte[] content) throws IOException {
    return Files.write(directory.resolve("pytorch_model.bin"), content);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void readsViewsOfStorages(boolean wide) throws IOException {
    try (TensorFile file =
        TorchCheckpoint.open(write(small(ByteOrder.LITTLE_ENDIAN).build(wide)))) {
      assertSmall(file);
      // Tensors in row-major order are not copied, so those of one storage share their bytes.
      assertThat(file.bytes("middle").address()).isEqualTo(file.bytes("rows").address() + 8);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"little", "big"})
  void obeysTheByteOrder(String name) throws IOException {
    ByteOrder order = name.equals("big") ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN;
    byte[] zip =
        small(order).entry("m/byteorder", name.getBytes(StandardCharsets.US_ASCII)).build();
    try (TensorFile file = TorchCheckpoint.open(write(zip))) {
      assertSmall(file);
    }
  }

  @Test
  void readsWhatAnotherZipWriterWrote() throws IOException {
    var out = new ByteArrayOutputStream();
    try (var zip = new ZipOutputStream(out)) {
      zip.setComment("PK\5\6 is not the end");
      store(zip, "any name/data.pkl", pickle());
      for (int key = 0; key < 3; key++) {
        store(zip, "any name/data/" + key, storage(ByteOrder.LITTLE_ENDIAN, key));
      }
    }
    try (TensorFile file = TorchCheckpoint.open(write(out.toByteArray()))) {
      assertSmall(file);
    }
  }

  private static void store(ZipOutputStream zip, String name, byte[] content) throws IOException {
    var entry = new ZipEntry(name);
    var crc = new CRC32();
    crc.update(content);
    entry.setMethod(ZipEntry.STORED);
    entry.setSize(content.length);
    entry.setCrc(crc.getValue());
    zip.putNextEntry(entry);
    zip.write(content);
  }

  /** The format of before PyTorch 1.6; its persistent ids have a sixth part. */
  static byte[] legacy() {
    byte[] pickle =
        PickleBuilder.stateDict()
            .text("rows")
            .global("torch._utils", "_rebuild_tensor_v2")
            .op('(', '(')
            .text("storage")
            .global("torch", "FloatStorage")
            .text("94")
            .text("cuda:0")
            .op('K', 6, 'N', 't', 'Q', 'K', 0, 'K', 2, 'K', 3, 0x86, 'K', 3, 'K', 1, 0x86, 0x88)
            // Python 2 made an ordered dict of a list of pairs.
            .global("collections", "OrderedDict")
            .op(']', ']', 'U', 1, 'k', 'a', 'N', 'a', 'a', 0x85, 'R', 't', 'R')
            .items();
    return new PickleBuilder()
        .raw(LegacyTorchFile.MAGIC)
        .op(0x80, 2, 'M', 0xE9, 0x03, '.')
        .raw(PickleBuilder.start().op('}').text("little_endian").op(0x88, 's', '.').build())
        .raw(pickle)
        .raw(PickleBuilder.start().op(']').text("94").op('a', '.').build())
        .int64(6)
        .raw(storage(ByteOrder.LITTLE_ENDIAN, 0))
        .build();
  }

  @Test
  void readsTheFormatBeforeZip() throws IOException {
    try (TensorFile file = TorchCheckpoint.open(write(legacy()))) {
      assertThat(file.names()).containsExactly("rows");
      assertThat(file.info("rows").shape()).containsExactly(2, 3);
      assertFloats(file, "rows", 0, 1, 2, 3, 4, 5);
    }
  }

  @Test
  void readsParametersAndInstructionsOfLaterProtocols() throws IOException {
    byte[] pickle =
        new PickleBuilder()
            .op(0x80, 4, 0x95)
            .int64(99)
            .op('}', 0x94, '(', 0x8C, 1, 'w', 0x94)
            .op(0x8C, 12)
            .raw("torch._utils".getBytes(StandardCharsets.US_ASCII))
            .op(0x8D)
            .int64(18)
            .raw("_rebuild_parameter".getBytes(StandardCharsets.US_ASCII))
            .op(0x93)
            .tensor("ByteStorage", "k", 2, 0, new long[] {2}, new long[] {1})
            .op(0x88, '}', 0x87, 'R')
            .text("size")
            .op('h', 1)
            .text("n")
            .op('J')
            .int32(-5)
            .text("f")
            .op('G', 0x3F, 0xE0, 0, 0, 0, 0, 0, 0)
            .text("b")
            .op(0x88)
            .text("none")
            .op('N')
            .text("zero")
            .op(0x8A, 0)
            .text("minus")
            .op(0x8A, 2, 0xFE, 0xFF)
            .text("type")
            .global("torch", "float32")
            .op('u', '.')
            .build();
    try (TensorFile file =
        TorchCheckpoint.open(
            write(ZipBuilder.checkpoint(pickle).storage("k", new byte[] {1, 2}).build()))) {
      assertThat(file.names()).containsExactly("w");
      assertThat(file.bytes("w").toArray(ValueLayout.JAVA_BYTE)).containsExactly(1, 2);
      assertThat(file.metadata())
          .isEqualTo(
              Map.of(
                  "size",
                  "w",
                  "n",
                  "-5",
                  "f",
                  "0.5",
                  "b",
                  "true",
                  "zero",
                  "0",
                  "minus",
                  "-2",
                  "type",
                  "torch.float32"));
    }
  }

  @Test
  void dropsTheAttributesOfAnOrderedDict() throws IOException {
    byte[] pickle =
        PickleBuilder.stateDict()
            .text("w")
            .tensor("BoolStorage", "0", 1, 0, new long[] {}, new long[] {})
            .op('u', '}')
            .text("_metadata")
            .op('}', 's', 'b', '.')
            .build();
    byte[] zip = ZipBuilder.checkpoint(pickle).storage("0", new byte[] {1}).build();
    try (TensorFile file = TorchCheckpoint.open(write(zip))) {
      assertThat(file.info("w")).isEqualTo(new TensorInfo("w", DType.BOOL, new long[] {}));
      assertThat(file.metadata()).isEmpty();
    }
  }

  @Test
  void readsWhatOpenDeltaWrote() throws IOException {
    Path cases = Path.of(System.getProperty("trimtab.fixtures", "missing")).resolve("opendelta");
    assumeTrue(Files.isDirectory(cases), "no OpenDelta checkpoints at -Dtrimtab.fixtures");
    List<Path> files;
    try (Stream<Path> all = Files.walk(cases)) {
      files = all.filter(path -> path.endsWith("pytorch_model.bin")).sorted().toList();
    }
    assertThat(files).isNotEmpty();
    for (Path path : files) {
      Path reference = path.resolveSibling("delta.safetensors");
      try (TensorFile read = TorchCheckpoint.open(path);
          TensorFile expected = Safetensors.open(reference)) {
        assertThat(read.names()).as("%s", path).isNotEmpty();
        assertThat(read.names())
            .as("%s", path)
            .containsExactlyInAnyOrderElementsOf(expected.names());
        for (String name : expected.names()) {
          assertThat(read.info(name)).as("%s", path).isEqualTo(expected.info(name));
          assertThat(read.bytes(name).mismatch(expected.bytes(name)))
              .as("%s %s", path, name)
              .isEqualTo(-1);
        }
      }
    }
  }
}
