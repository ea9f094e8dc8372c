package io.trimtab.hub.blocks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.trimtab.hub.ModelConfig;
import io.trimtab.hub.Safetensors;
import io.trimtab.hub.TensorFile;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

class BlockFormatTest {
  private static final Path RECORDED =
      Path.of(System.getProperty("trimtab.fixtures", "none"), "gguf");

  static Stream<String> recorded() {
    Path list = RECORDED.resolve("blocks.json");
    return Files.isRegularFile(list)
        ? ModelConfig.read(list).fields().stream()
        : Stream.of("nothing recorded at -Dtrimtab.fixtures");
  }

  @ParameterizedTest
  @MethodSource("recorded")
  void isExactlyTheReference(String name) {
    assumeThat(RECORDED.resolve("blocks.json")).isRegularFile();
    BlockFormat format = BlockFormat.valueOf(name);
    ModelConfig said = ModelConfig.read(RECORDED.resolve("blocks.json")).section(name);
    assertThat(format.ggmlType()).isEqualTo(said.integer("id"));
    assertThat(format.blockSize()).isEqualTo(said.integer("block"));
    assertThat(format.bytesPerBlock()).isEqualTo(said.integer("bytes"));
    assertThat(BlockFormat.ofGgmlType(said.integer("id"))).contains(format);
    try (TensorFile file = Safetensors.open(RECORDED.resolve("blocks.safetensors"))) {
      MemorySegment bytes = file.bytes(name + ".bytes");
      MemorySegment values = file.bytes(name + ".values");
      MemorySegment unpacked = MemorySegment.ofArray(new byte[(int) values.byteSize()]);
      format.dequantize(bytes, unpacked);
      assertThat(floats(unpacked)).isEqualTo(floats(values));
      boolean hasSource = file.names().contains(name + ".source");
      assertThat(format.canQuantize()).isEqualTo(hasSource);
      if (hasSource) {
        MemorySegment packed = MemorySegment.ofArray(new byte[(int) bytes.byteSize()]);
        format.quantize(file.bytes(name + ".source"), packed);
        assertThat(packed.toArray(ValueLayout.JAVA_BYTE))
            .isEqualTo(bytes.toArray(ValueLayout.JAVA_BYTE));
      }
    }
  }

  /** More values than are worked on at a time, so that the seams are tested too. */
  @ParameterizedTest
  @EnumSource
  void packsWhatItUnpacked(BlockFormat format) {
    assumeThat(format.canQuantize()).isTrue();
    float[] plain = new float[5 * 8192 + 256];
    Random random = new Random(3);
    for (int i = 0; i < plain.length; i++) {
      plain[i] = (float) random.nextGaussian();
    }
    MemorySegment values = MemorySegment.ofArray(plain);
    MemorySegment blocks = MemorySegment.ofArray(new byte[(int) format.bytes(plain.length)]);
    format.quantize(values, blocks);
    float[] again = new float[plain.length];
    format.dequantize(blocks, MemorySegment.ofArray(again));
    double error = 0;
    double power = 0;
    for (int i = 0; i < plain.length; i++) {
      error += Math.pow(again[i] - plain[i], 2);
      power += Math.pow(plain[i], 2);
    }
    // Three levels for a bell curve lose half of it; all others have at least four bits.
    double most = format.name().startsWith("TQ") ? 0.7 : format.bytes(256) < 145 ? 0.02 : 0.01;
    assertThat(error / power).isLessThan(most);
    MemorySegment twice = MemorySegment.ofArray(new byte[(int) blocks.byteSize()]);
    format.quantize(values, twice);
    assertThat(twice.mismatch(blocks)).isEqualTo(-1);
  }

  @ParameterizedTest
  @EnumSource
  void packsZerosAsZeros(BlockFormat format) {
    assumeThat(format.canQuantize()).isTrue();
    MemorySegment blocks = MemorySegment.ofArray(new byte[(int) format.bytes(256)]);
    format.quantize(MemorySegment.ofArray(new float[256]), blocks);
    float[] again = new float[256];
    format.dequantize(blocks, MemorySegment.ofArray(again));
    for (float value : again) {
      assertThat(value == 0).isTrue(); // a scale of minus zero makes them minus zero
    }
  }

  @Test
  void refusesSizesThatDoNotFit() {
    assertThatThrownBy(() -> BlockFormat.Q4_0.bytes(33)).hasMessageContaining("no whole number");
    assertThatThrownBy(() -> BlockFormat.F32.bytes(Long.MAX_VALUE)).hasMessageContaining("63 bits");
    MemorySegment values = MemorySegment.ofArray(new float[32]);
    assertThatThrownBy(
            () -> BlockFormat.Q4_0.dequantize(MemorySegment.ofArray(new byte[19]), values))
        .hasMessageContaining("do not belong together");
    assertThatThrownBy(
            () ->
                BlockFormat.Q6_K.quantize(
                    MemorySegment.ofArray(new float[256]), MemorySegment.ofArray(new byte[210])))
        .isInstanceOf(UnsupportedOperationException.class);
    assertThat(BlockFormat.ofGgmlType(16)).isEmpty();
  }

  private static float[] floats(MemorySegment bytes) {
    return bytes.toArray(ValueLayout.JAVA_FLOAT_UNALIGNED);
  }
}
