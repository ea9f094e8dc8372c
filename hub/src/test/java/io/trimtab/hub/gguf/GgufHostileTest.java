package io.trimtab.hub.gguf;

import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.trimtab.hub.FileFormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every way in which a GGUF file can lie, and what is said about it. */
class GgufHostileTest {
  private static final int F32 = 0;
  private static final int Q4_0 = 2;
  private static final int TEXT = 8;
  private static final int ARRAY = 9;

  @TempDir Path directory;

  private static GgufBuilder file(long tensors, long entries) {
    return GgufBuilder.file(tensors, entries);
  }

  static Stream<Arguments> files() {
    return Stream.of(
        arguments("empty", new byte[0], "does not start as a GGUF file does"),
        arguments("magic only", new GgufBuilder().raw("GGUF").bytes(), "cut off"),
        arguments(
            "other magic",
            new GgufBuilder().raw("GGML").u32(3).u64(0).u64(0).bytes(),
            "does not start as a GGUF file does"),
        arguments(
            "ZIP", new GgufBuilder().raw("PK\3\4").zeros(40).bytes(), "does not start as a GGUF"),
        arguments(
            "version 1",
            new GgufBuilder().raw("GGUF").u32(1).u64(0).u64(0).bytes(),
            "is of GGUF version 1; expected 2 or 3"),
        arguments(
            "version 4294967295",
            new GgufBuilder().raw("GGUF").u32(-1).u64(0).u64(0).bytes(),
            "is of GGUF version 4294967295"),
        arguments(
            "big-endian",
            new GgufBuilder().raw("GGUF").u32(3 << 24).u64(0).u64(0).bytes(),
            "big-endian"),
        arguments("absurd tensors", file(1L << 40, 0).zeros(64).bytes(), "tensors: 1099511627776"),
        arguments("negative tensors", file(-1, 0).bytes(), "tensors: 18446744073709551615 of them"),
        arguments("absurd entries", file(0, 1L << 50).zeros(64).bytes(), "metadata entries: 11258"),
        arguments("no entry there", file(0, 1).bytes(), "metadata entries: 1 of them"),
        arguments(
            "key past the end",
            file(0, 1).u64(1000).raw("general").zeros(16).bytes(),
            "length of a metadata key: 1000 of them cannot be in the 23 bytes"),
        arguments(
            "key of 2^63 bytes", file(0, 1).u64(Long.MIN_VALUE).zeros(16).bytes(), "length of a"),
        arguments("key not UTF-8", file(0, 1).key("\u00ff", TEXT).text("").bytes(), "is not UTF-8"),
        arguments(
            "unknown value type",
            file(0, 1).key("k", 13).zeros(8).bytes(),
            "metadata 'k' has the unknown type 13"),
        arguments(
            "text past the end",
            file(0, 1).key("k", TEXT).u64(9).raw("short").bytes(),
            "length of metadata 'k': 9 of them cannot be in the 5 bytes"),
        arguments(
            "text not UTF-8", file(0, 1).key("k", TEXT).text("\u00c3").bytes(), "is not UTF-8"),
        arguments(
            "neither true nor false",
            file(0, 1).key("k", 7).u8(2).bytes(),
            "metadata 'k' is neither true nor false but 2"),
        arguments(
            "number cut off", file(0, 1).key("key", 10).u32(1).bytes(), "it ends within metadata"),
        arguments(
            "absurd array",
            file(0, 1).key("k", ARRAY).u32(4).u64(1L << 60).zeros(16).bytes(),
            "metadata 'k': 1152921504606846976 of them"),
        arguments(
            "array of unknown",
            file(0, 1).key("k", ARRAY).u32(99).u64(1).zeros(8).bytes(),
            "elements of metadata 'k' has the unknown type 99"),
        arguments(
            "array of arrays",
            file(0, 1).key("k", ARRAY).u32(ARRAY).u64(1).u32(4).u64(0).bytes(),
            "array of arrays"),
        arguments(
            "array of texts past the end",
            file(0, 1).key("k", ARRAY).u32(TEXT).u64(2).text("a").u64(77).bytes(),
            "length of metadata 'k': 77 of them"),
        arguments(
            "key twice",
            file(0, 2).key("k", 4).u32(1).key("k", 4).u32(2).bytes(),
            "has the metadata key 'k' twice"),
        arguments(
            "alignment zero",
            file(0, 1).key("general.alignment", 4).u32(0).bytes(),
            "expected a power of two"),
        arguments(
            "alignment 48",
            file(0, 1).key("general.alignment", 4).u32(48).bytes(),
            "has general.alignment 48"),
        arguments(
            "alignment huge",
            file(0, 1).key("general.alignment", 10).u64(1L << 40).bytes(),
            "expected a power of two up to"),
        arguments(
            "alignment a text",
            file(0, 1).key("general.alignment", TEXT).text("32").bytes(),
            "metadata general.alignment: expected a whole number, found TEXT"),
        arguments("no dimensions", one("a", F32, 0).bytes(), "'a' has 0 dimensions"),
        arguments("five dimensions", one("a", F32, 0, 1, 1, 1, 1, 1).bytes(), "5 dimensions"),
        arguments(
            "absurd dimensions",
            file(1, 0).text("a").u32(-1).zeros(64).bytes(),
            "'a' has 4294967295 dimensions"),
        arguments("dimension zero", one("a", F32, 0, 0).bytes(), "has a dimension of 0"),
        arguments(
            "dimension negative",
            one("a", F32, 0, -4).bytes(),
            "dimension of 18446744073709551612"),
        arguments(
            "product overflows",
            one("a", F32, 0, 1L << 32, 1L << 32).bytes(),
            "more values than 63 bits can count"),
        arguments(
            "bytes overflow",
            one("a", F32, 0, 1L << 62).bytes(),
            "take more than 63 bits of bytes"),
        arguments(
            "unknown format",
            one("a", 77, 0, 32).zeros(256).bytes(),
            "'a' has the block format number 77, which is not supported"),
        arguments(
            "format IQ2_XXS",
            one("a", 16, 0, 256).zeros(256).bytes(),
            "block format IQ2_XXS (number 16), which is not supported"),
        arguments(
            "format negative", one("a", -1, 0, 32).zeros(64).bytes(), "format number 4294967295"),
        arguments(
            "row no whole blocks",
            one("a", Q4_0, 0, 33).zeros(64).bytes(),
            "rows of 33 values, which are no whole number of Q4_0 blocks of 32"),
        arguments(
            "row of no whole blocks hidden by rows",
            one("a", Q4_0, 0, 16, 2).zeros(64).bytes(),
            "rows of 16 values"),
        arguments(
            "offset unaligned",
            one("a", F32, 4, 1).pad(32).zeros(64).bytes(),
            "starts at offset 4; expected a multiple of 32"),
        arguments(
            "offset negative",
            one("a", F32, -32, 1).pad(32).zeros(64).bytes(),
            "starts at offset 18446744073709551584"),
        arguments(
            "offset past the end",
            one("a", F32, 64, 1).pad(32).zeros(64).bytes(),
            "is cut off: tensor 'a' takes 4 bytes from offset 64 on, and 64 bytes"),
        arguments(
            "cut off in data",
            one("a", F32, 0, 16).pad(32).zeros(63).bytes(),
            "is cut off: tensor"),
        arguments(
            "ends before the tensors",
            file(1, 1).key("general.alignment", 4).u32(4096).tensor("a", F32, 0, 1).bytes(),
            "it ends before its tensors"),
        arguments(
            "overlap",
            file(2, 0).tensor("a", F32, 0, 16).tensor("b", F32, 32, 8).pad(32).zeros(64).bytes(),
            "tensor 'b' overlaps tensor 'a'"),
        arguments(
            "same place",
            file(2, 0).tensor("a", F32, 0, 8).tensor("b", F32, 0, 8).pad(32).zeros(32).bytes(),
            "overlaps"),
        arguments(
            "same name",
            file(2, 0).tensor("a", F32, 0, 8).tensor("a", F32, 32, 8).pad(32).zeros(64).bytes(),
            "has the tensor 'a' twice"),
        arguments(
            "name past the end",
            file(1, 0).u64(1 << 20).zeros(40).bytes(),
            "length of a tensor's name: 1048576 of them"),
        arguments(
            "line break in a name",
            one("x\ny", F32, 0, 0).bytes(),
            "tensor 'x?y' has a dimension of 0"));
  }

  private static GgufBuilder one(String name, int type, long offset, long... sizes) {
    return file(1, 0).tensor(name, type, offset, sizes).zeros(sizes.length == 0 ? 16 : 0);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("files")
  void refuses(String name, byte[] content, String expected) throws IOException {
    Path file = Files.write(directory.resolve("model.gguf"), content);
    assertThatThrownBy(() -> GgufFile.open(file).close())
        .isInstanceOf(io.trimtab.tensor.TrimtabException.class)
        .hasMessageStartingWith(file + ": ")
        .hasMessageContaining(expected)
        .message()
        .hasLineCount(1);
  }

  @Test
  void refusesWhatIsNotThere() {
    assertThatThrownBy(() -> GgufFile.open(directory.resolve("none.gguf")))
        .isInstanceOf(FileFormatException.class)
        .hasMessageContaining("no such file");
    assertThatThrownBy(() -> GgufFile.open(directory))
        .isInstanceOf(FileFormatException.class)
        .hasMessageContaining("not a regular file");
  }
}
