package io.trimtab.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.trimtab.tensor.DType;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
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

class OnnxInitializersTest {
  @TempDir Path directory;

  static ProtoBuilder tensor(String name, int type, long... shape) {
    var packed = new ProtoBuilder();
    for (long dimension : shape) {
      packed.varint(dimension);
    }
    return new ProtoBuilder().bytes(1, packed.build()).number(2, type).text(8, name);
  }

  static ProtoBuilder floats(String name, long[] shape, float... values) {
    return tensor(name, 1, shape).bytes(9, ProtoBuilder.floats(values));
  }

  static ProtoBuilder node(String type, String left, String right, String result) {
    return new ProtoBuilder().text(1, left).text(1, right).text(2, result).text(4, type);
  }

  static byte[] model(ProtoBuilder graph) {
    return new ProtoBuilder().number(1, 7).text(2, "pytorch").message(7, graph).build();
  }

  private static ProtoBuilder small() {
    return new ProtoBuilder()
        .message(1, node("MatMul", "x", "onnx::MatMul_1", "p"))
        .message(1, node("Add", "layer.bias", "p", "y"))
        .message(1, node("MatMul", "x", "onnx::MatMul_2", "q"))
        .message(1, node("Add", "q", "other.bias", "z"))
        .message(1, node("Mul", "q", "q", "twice"))
        .message(5, floats("onnx::MatMul_1", new long[] {2, 1}, 1, 2))
        .message(5, floats("layer.bias", new long[] {1}, 3))
        .message(5, floats("onnx::MatMul_2", new long[] {2, 1}, 4, 5))
        .message(5, floats("other.bias", new long[] {1}, 6));
  }

  @Test
  void givesMatricesTheirNamesBackWhereTheGraphIsClear() throws IOException {
    try (OnnxInitializers file = open(small())) {
      assertThat(file.names())
          .containsExactly("layer.weight", "layer.bias", "onnx::MatMul_2", "other.bias");
      assertThat(file.isTransposed("layer.weight")).isTrue();
      assertThat(file.isTransposed("onnx::MatMul_2")).isFalse();
      assertThat(file.isTransposed("layer.bias")).isFalse();
      assertThat(file.info("layer.weight").shape()).containsExactly(2, 1);
      assertThat(SafetensorsTest.floats(file.bytes("layer.weight"))).containsExactly(1, 2);
      assertThat(file.metadata()).containsEntry("producer_name", "pytorch");
      assertThatThrownBy(() -> file.isTransposed("onnx::MatMul_1"))
          .isInstanceOf(TensorNotFoundException.class);
    }
  }

  @Test
  void readsTypedElements() throws IOException {
    var packed = new ProtoBuilder().varint(-3).varint(200);
    var graph =
        new ProtoBuilder()
            .message(5, tensor("f", 1, 2).bytes(4, ProtoBuilder.floats(1.5f, -2)))
            .message(5, tensor("f1", 1, 2).fixed32(4, 0x3f800000).fixed32(4, 0x40000000))
            .message(5, tensor("i8", 3, 2).bytes(5, packed.build()))
            .message(5, tensor("i32", 6, 2).number(5, -3).number(5, 200))
            .message(5, tensor("i64", 7, 1, 2).bytes(7, packed.build()))
            .message(5, tensor("half", 10, 1).number(5, 0x3c00))
            .message(5, tensor("scalar", 2).number(5, 255))
            .message(5, tensor("empty", 7, 0));
    try (OnnxInitializers file = open(graph)) {
      assertThat(SafetensorsTest.floats(file.bytes("f"))).containsExactly(1.5f, -2);
      assertThat(SafetensorsTest.floats(file.bytes("f1"))).containsExactly(1, 2);
      assertThat(file.bytes("i8").toArray(ValueLayout.JAVA_BYTE)).containsExactly(-3, 200);
      assertThat(file.bytes("i32").toArray(ValueLayout.JAVA_INT)).containsExactly(-3, 200);
      assertThat(file.bytes("i64").toArray(ValueLayout.JAVA_LONG)).containsExactly(-3, 200);
      assertThat(file.bytes("half").toArray(ValueLayout.JAVA_BYTE)).containsExactly(0, 0x3c);
      assertThat(file.info("scalar")).isEqualTo(new TensorInfo("scalar", DType.U8, new long[0]));
      assertThat(file.bytes("scalar").toArray(ValueLayout.JAVA_BYTE)).containsExactly(255);
      assertThat(file.bytes("empty").byteSize()).isZero();
    }
  }

  static Stream<Arguments> tensors() {
    byte[] four = new byte[4];
    return Stream.of(
        arguments(tensor("t", 8, 1).text(6, "x"), "has elements in field 6, not supported"),
        arguments(tensor("t", 12, 1).bytes(9, four), "unsupported ONNX dtype number 12"),
        arguments(tensor("", 1, 1).bytes(9, four), "a tensor has no name"),
        arguments(tensor("t", 1, 2).bytes(9, four), "should have 2 elements of 4 bytes"),
        arguments(tensor("t", 1, -1).bytes(9, four), "shape [-1] is negative"),
        arguments(tensor("t", 1, 1L << 40, 1L << 40).bytes(9, four), "overflows"),
        arguments(tensor("t", 1, new long[65]).bytes(9, four), "too many dimensions"),
        arguments(tensor("t", 1, 1), "found 0 bytes of elements"),
        arguments(tensor("t", 6, 1L << 40).number(5, 1), "found 1 bytes of elements"),
        arguments(tensor("t", 6, 1).number(5, 1).number(5, 1), "found more elements"),
        arguments(tensor("t", 6, 2).number(5, 300), "found 1 elements"),
        arguments(tensor("t", 6, 1).number(7, 1), "elements in field 7 instead of 5"),
        arguments(tensor("t", 1, 1).bytes(9, four).bytes(4, four), "raw_data and typed"),
        arguments(tensor("t", 1, 1).number(14, 1), "kept in another file (external data)"),
        arguments(tensor("layer.bias", 1, 1).bytes(9, four), "holds 'layer.bias' twice"),
        arguments(tensor("\u00ff", 1, 1).bytes(8, new byte[] {-1}), "a name is not UTF-8"));
  }

  @ParameterizedTest
  @MethodSource("tensors")
  void refusesTensors(ProtoBuilder tensor, String expected) {
    assertThatThrownBy(() -> open(small().message(5, tensor)).close())
        .isInstanceOf(FileFormatException.class)
        .hasMessageContaining(expected);
  }

  @Test
  void refusesWhatIsNoModel() {
    assertThatThrownBy(() -> OnnxInitializers.open(write(new byte[0])).close())
        .isInstanceOf(FileFormatException.class)
        .hasMessageContaining("it has no graph");
    assertThatThrownBy(() -> open(small().message(15, new ProtoBuilder())).close())
        .isInstanceOf(FileFormatException.class)
        .hasMessageContaining("sparse initializers");
  }

  @Property(tries = 1000)
  void damagedFilesAreRefusedOrReadWhole(@ForAll("damage") List<Damage> damage) throws IOException {
    Path made = Damage.temporaryDirectory();
    try {
      byte[] bytes = Damage.apply(damage, model(small()));
      Path file = Files.write(made.resolve("model.onnx"), bytes);
      Damage.assertRefusedOrReadWhole(file, OnnxInitializers::open);
    } finally {
      Damage.deleteAll(made);
    }
  }

  @Provide
  Arbitrary<List<Damage>> damage() {
    return Damage.some();
  }

  private OnnxInitializers open(ProtoBuilder graph) throws IOException {
    return OnnxInitializers.open(write(model(graph)));
  }

  private Path write(byte[] bytes) throws IOException {
    return Files.write(directory.resolve("model.onnx"), bytes);
  }
}
