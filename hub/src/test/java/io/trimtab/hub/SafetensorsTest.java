package io.trimtab.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trimtab.tensor.DType;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Reading and writing, held against a file that the reference implementation wrote. */
class SafetensorsTest {
  private static final String ODD_NAME = "größe 𝛂\"x\"/\\\n";

  @TempDir Path directory;
  private Path recorded;

  @BeforeEach
  void copyRecorded() throws IOException {
    recorded = directory.resolve("recorded.safetensors");
    try (InputStream in = SafetensorsTest.class.getResourceAsStream("recorded.safetensors")) {
      Files.write(recorded, in.readAllBytes());
    }
  }

  @Test
  void readsNamesTypesAndShapesOfTheReferenceImplementation() {
    try (TensorFile file = Safetensors.open(recorded)) {
      assertThat(file.metadata()).containsExactly(Map.entry("format", "pt"));
      assertThat(file.names())
          .containsExactly(
              "long",
              "double",
              "empty",
              "größe \uffee",
              ODD_NAME,
              "matrix",
              "scalar",
              "int",
              "brain",
              "half",
              "byte",
              "ubyte",
              "bool");
      assertThat(file.info("matrix"))
          .isEqualTo(new TensorInfo("matrix", DType.F32, new long[] {2, 3}));
      assertThat(file.info("scalar"))
          .isEqualTo(new TensorInfo("scalar", DType.F32, new long[] {}))
          .extracting(TensorInfo::elements)
          .isEqualTo(1L);
      assertThat(file.info("empty").byteSize()).isZero();
      assertThat(file.info("brain").dtype()).isEqualTo(DType.BF16);
      assertThat(file.info("half").dtype()).isEqualTo(DType.F16);
      assertThat(file.info("bool").dtype()).isEqualTo(DType.BOOL);
    }
  }

  @Test
  void readsValuesOfTheReferenceImplementation() {
    try (TensorFile file = Safetensors.open(recorded)) {
      assertThat(floats(file.bytes("matrix"))).containsExactly(0f, 0.25f, 0.5f, 0.75f, 1f, 1.25f);
      assertThat(floats(file.bytes(ODD_NAME))).containsExactly(3f);
      assertThat(floats(file.bytes("größe \uffee"))).containsExactly(4f);
      assertThat(
              file.bytes("long")
                  .toArray(ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN)))
          .containsExactly(-1, 1L << 40);
      assertThat(
              file.bytes("double")
                  .toArray(ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN)))
          .containsExactly(-1.5, 2.5e300);
      assertThat(
              file.bytes("int")
                  .toArray(ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN)))
          .containsExactly(-7, 1 << 30);
      assertThat(
              file.bytes("brain")
                  .toArray(ValueLayout.JAVA_CHAR_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN)))
          .containsExactly('\u3f80', '\uc000', '\u3f00');
      assertThat(file.bytes("byte").toArray(ValueLayout.JAVA_BYTE)).containsExactly(-128, 127);
      assertThat(file.bytes("bool").toArray(ValueLayout.JAVA_BYTE)).containsExactly(1, 0, 1);
      assertThat(file.bytes("matrix").isReadOnly()).isTrue();
    }
  }

  @Test
  void writesTheSameBytesAsTheReferenceImplementation() {
    Path copy = directory.resolve("copy.safetensors");
    try (TensorFile file = Safetensors.open(recorded)) {
      var tensors = new LinkedHashMap<String, TensorData>();
      for (String name : file.names().reversed()) {
        TensorInfo info = file.info(name);
        tensors.put(name, new TensorData(info.dtype(), info.shape(), file.bytes(name)));
      }
      Safetensors.write(copy, tensors, file.metadata());
    }
    assertThat(copy).hasSameBinaryContentAs(recorded);
  }

  @Test
  void replacesTheFileItReadsFromAndLeavesNothingElse() throws IOException {
    var tensors = new LinkedHashMap<String, TensorData>();
    try (TensorFile file = Safetensors.open(recorded)) {
      tensors.put("matrix", new TensorData(DType.F32, new long[] {6}, file.bytes("matrix")));
      Safetensors.write(recorded, tensors, Map.of());
      assertThat(floats(file.bytes("scalar"))).containsExactly(42f);
    }
    try (TensorFile file = Safetensors.open(recorded)) {
      assertThat(file.names()).containsExactly("matrix");
      assertThat(file.metadata()).isEmpty();
      assertThat(floats(file.bytes("matrix"))).startsWith(0f, 0.25f);
    }
    assertThat(children()).containsExactly(recorded);
  }

  @Test
  void writesJavaArrays() {
    Path file = directory.resolve("arrays.safetensors");
    var tensors = new LinkedHashMap<String, TensorData>();
    float[] values = new float[700_000];
    values[699_999] = 2.5f;
    tensors.put("a", new TensorData(DType.F32, new long[] {7, 100_000}, segment(values)));
    Safetensors.write(file, tensors, Map.of());
    try (TensorFile read = Safetensors.open(file)) {
      assertThat(floats(read.bytes("a"))).isEqualTo(values);
    }
  }

  @Test
  void writesAndReadsAFileWithoutTensors() {
    Path file = directory.resolve("none.safetensors");
    Safetensors.write(file, new LinkedHashMap<>(), Map.of());
    try (TensorFile read = Safetensors.open(file)) {
      assertThat(read.names()).isEmpty();
      assertThatThrownBy(() -> read.info("x")).hasMessageContaining("no tensors at all");
    }
  }

  @Test
  void namesNearMisses() {
    try (TensorFile file = Safetensors.open(recorded)) {
      assertThatThrownBy(() -> file.info("matrx"))
          .isInstanceOf(TensorNotFoundException.class)
          .hasMessageContaining("holds no tensor 'matrx'; closest are 'matrix', ");
      assertThatThrownBy(() -> file.bytes("bert.scalar"))
          .isInstanceOf(TensorNotFoundException.class)
          .hasMessageContaining("closest are 'scalar', ");
    }
  }

  @Test
  void refusesToReadAfterClosing() {
    TensorFile file = Safetensors.open(recorded);
    MemorySegment matrix = file.bytes("matrix");
    file.close();
    file.close();
    assertThatThrownBy(() -> floats(matrix)).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void refusesWhatCannotBeWritten() throws IOException {
    var tensors = new LinkedHashMap<String, TensorData>();
    tensors.put("__metadata__", new TensorData(DType.U8, new long[] {0}, segment(new float[0])));
    assertThatThrownBy(() -> Safetensors.write(directory.resolve("x"), tensors, Map.of()))
        .isInstanceOf(FileFormatException.class)
        .hasMessageContaining("no tensor can be called __metadata__");
    Path absent = directory.resolve("absent").resolve("x");
    assertThatThrownBy(() -> Safetensors.write(absent, new LinkedHashMap<>(), Map.of()))
        .isInstanceOf(FileFormatException.class)
        .hasMessageContaining("cannot be written");
    assertThatThrownBy(() -> new TensorData(DType.F32, new long[] {2, 3}, segment(new float[5])))
        .isInstanceOf(FileFormatException.class)
        .hasMessageContaining("F32[2, 3] takes 24 bytes, 20 were given");
    assertThat(children()).containsExactly(recorded);
  }

  @Test
  void saysWhatIsThereInsteadOfAFile() {
    assertThatThrownBy(() -> Safetensors.open(directory.resolve("absent")))
        .isInstanceOf(FileFormatException.class)
        .hasMessageContaining("there is no such file");
    assertThatThrownBy(() -> Safetensors.open(directory))
        .isInstanceOf(FileFormatException.class)
        .hasMessageContaining("is not a regular file");
  }

  private List<Path> children() throws IOException {
    try (Stream<Path> children = Files.list(directory)) {
      return children.toList();
    }
  }

  static MemorySegment segment(float[] values) {
    return MemorySegment.ofArray(values).asReadOnly();
  }

  static float[] floats(MemorySegment bytes) {
    return bytes.toArray(ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN));
  }
}
