package io.trimtab.hub.blocks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.trimtab.hub.Safetensors;
import io.trimtab.hub.TensorFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What bitsandbytes made of weights, and read back, is what is read and made here. */
class BitsAndBytesParityTest {
  private static final Path RECORDED =
      Path.of(System.getProperty("trimtab.fixtures", "none"), "compress");
  private static final String NOTHING = "nothing recorded at -Dtrimtab.fixtures";
  private static final Pattern NAME =
      Pattern.compile("bnb-(nf4|fp4)-(\\d+)(-nested)?\\.safetensors");

  static Stream<String> recorded() {
    if (!Files.isDirectory(RECORDED)) {
      return Stream.of(NOTHING);
    }
    try (Stream<Path> files = Files.list(RECORDED)) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(name -> name.startsWith("bnb-"))
          .sorted()
          .toList()
          .stream();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @ParameterizedTest
  @MethodSource("recorded")
  void isReadAsItReadsItAndMadeAsItMakesIt(String name) {
    assumeThat(name).isNotEqualTo(NOTHING);
    try (TensorFile weights = Safetensors.open(RECORDED.resolve("weights.safetensors"));
        TensorFile file = Safetensors.open(RECORDED.resolve(name))) {
      List<String> names =
          weights.names().stream()
              .filter(each -> file.names().contains(each + ".read_back"))
              .toList();
      assertThat(names).isNotEmpty();
      Matcher four = NAME.matcher(name);
      for (String weight : names) {
        if (four.matches()) {
          FourBitCode code = FourBitCode.valueOf(four.group(1).toUpperCase(java.util.Locale.ROOT));
          fourBit(weights, file, weight, code, Integer.parseInt(four.group(2)));
        } else {
          rows(weights, file, weight);
        }
      }
    }
  }

  private static void fourBit(
      TensorFile weights, TensorFile file, String weight, FourBitCode code, int blockSize) {
    assertThat(code.table()).isEqualTo(floats(file.bytes("code")));
    boolean nested = file.names().contains("state2_code");
    MemorySegment absmax = file.bytes(weight + ".absmax");
    Scales scales =
        nested
            ? new Scales.Nested(
                absmax,
                floats(file.bytes("state2_code")),
                new Scales.Plain(file.bytes(weight + ".state2_absmax")),
                256,
                floats(file.bytes(weight + ".offset"))[0])
            : new Scales.Plain(absmax);
    long[] shape = weights.info(weight).shape();
    FourBitTensor theirs =
        new FourBitTensor(code, shape, blockSize, file.bytes(weight + ".packed"), scales);
    assertThat(plain(theirs)).as(weight).isEqualTo(floats(file.bytes(weight + ".read_back")));
    if (code != FourBitCode.NF4) {
      return; // read only
    }
    try (Arena arena = Arena.ofShared()) {
      FourBitTensor ours = FourBitTensor.nf4(weights.bytes(weight), shape, blockSize, arena);
      assertThat(bytes(ours.codes())).as(weight).isEqualTo(bytes(theirs.codes()));
      if (!nested) {
        assertThat(bytes(((Scales.Plain) ours.scales()).values())).isEqualTo(bytes(absmax));
        return;
      }
      Scales.Nested made = (Scales.Nested) ours.nested(arena).scales();
      Scales.Nested given = (Scales.Nested) scales;
      assertThat(made.table()).as("table").isEqualTo(given.table());
      assertThat(made.offset()).isCloseTo(given.offset(), within(given.offset() * 1e-6f));
      int apart = 0;
      for (long i = 0; i < given.count(); i++) {
        int one = Byte.toUnsignedInt(made.codes().get(ValueLayout.JAVA_BYTE, i));
        int other = Byte.toUnsignedInt(given.codes().get(ValueLayout.JAVA_BYTE, i));
        assertThat(Math.abs(one - other)).as("steps apart").isLessThanOrEqualTo(1);
        apart += one == other ? 0 : 1;
      }
      // Scales that lie next to the middle of two steps: six of 693 in all that is recorded.
      assertThat(apart)
          .as("codes of scales that differ")
          .isLessThanOrEqualTo((int) (given.count() / 40));
    }
  }

  private static org.assertj.core.data.Offset<Float> within(float gap) {
    return org.assertj.core.api.Assertions.within(gap);
  }

  private static void rows(TensorFile weights, TensorFile file, String weight) {
    long[] shape = weights.info(weight).shape();
    Int8Rows theirs =
        new Int8Rows(shape, file.bytes(weight + ".int8"), file.bytes(weight + ".scale"));
    assertThat(plain(theirs)).isEqualTo(floats(file.bytes(weight + ".read_back")));
    try (Arena arena = Arena.ofShared()) {
      Int8Rows ours = Int8Rows.quantize(weights.bytes(weight), shape, arena);
      assertThat(bytes(ours.largest())).isEqualTo(bytes(theirs.largest()));
      byte[] one = bytes(ours.codes());
      byte[] other = bytes(theirs.codes());
      int apart = 0;
      for (int i = 0; i < one.length; i++) {
        assertThat(Math.abs(one[i] - other[i])).isLessThanOrEqualTo(1);
        apart += one[i] == other[i] ? 0 : 1;
      }
      // One that lies in the middle of two steps.
      assertThat(apart).as("codes of " + weight + " that differ").isLessThanOrEqualTo(1);
    }
  }

  private static float[] plain(PackedTensor tensor) {
    long[] shape = tensor.shape();
    try (Arena arena = Arena.ofShared()) {
      MemorySegment out = arena.allocate(shape[0] * shape[1] * Float.BYTES, Float.BYTES);
      long row = shape[1] * Float.BYTES;
      // In two parts, so that the seam is tested too.
      long first = shape[0] / 3;
      tensor.dequantize(0, first, out.asSlice(0, first * row));
      tensor.dequantize(first, shape[0] - first, out.asSlice(first * row));
      return floats(out);
    }
  }

  private static float[] floats(MemorySegment bytes) {
    return bytes.toArray(ValueLayout.JAVA_FLOAT_UNALIGNED);
  }

  private static byte[] bytes(MemorySegment bytes) {
    return bytes.toArray(ValueLayout.JAVA_BYTE);
  }
}
