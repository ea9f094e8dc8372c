package io.trimtab.hub;

import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every way in which a safetensors file can lie, and what is said about it. */
class SafetensorsHostileTest {
  @TempDir Path directory;

  static Stream<Arguments> files() {
    String a = "'a':{'dtype':'F32','shape':[1],'data_offsets':[0,4]}";
    String huge = "4611686018427387904";
    return Stream.of(
        arguments("empty", new byte[0], "has 0 bytes, too few"),
        arguments("seven bytes", new byte[7], "has 7 bytes, too few"),
        arguments("length only", new byte[8], "header does not start with '{'"),
        arguments("LFS pointer", ascii("version https://git-lfs.github.com/spec/v1\n"), "Git LFS"),
        arguments("ZIP", ascii("PK\3\4\0\0\b\b\0\0\0\0"), "more than the 100000000 allowed"),
        arguments("negative length", raw(-1, "{}"), "header of 18446744073709551615 bytes"),
        arguments("length over limit", raw(100_000_001, "{}"), "announces a header of 100000001"),
        arguments("cut off in header", raw(100, "{}"), "of 100 bytes but only 2 follow"),
        arguments("length one", raw(1, "{}"), "header does not start with '{'"),
        arguments("not an object", file("[]", 0), "header does not start with '{'"),
        arguments("blank first", file(" {}", 0), "header does not start with '{'"),
        arguments("unclosed", file("{", 0), "header does not start with '{'"),
        arguments("unclosed tensor", file("{'a':{", 0), "not valid JSON"),
        arguments("two objects", file("{}{}", 0), "goes on after its JSON object"),
        arguments("zero bytes as padding", file("{}\0\0", 0), "not valid JSON"),
        arguments("comment", file("{/**/}", 0), "not valid JSON"),
        arguments("trailing comma", file("{" + a + ",}", 4), "not valid JSON"),
        arguments("UTF-16", raw(4, "{\0}\0"), "not valid JSON"),
        arguments("bad UTF-8", file("{'\u00ff':{}}", 0), "not valid JSON in UTF-8"),
        arguments("number as tensor", file("{'a':1}", 0), "expected START_OBJECT"),
        arguments("null as tensor", file("{'a':null}", 0), "expected START_OBJECT"),
        arguments("empty tensor", file("{'a':{}}", 0), "lacks one of dtype"),
        arguments("no offsets", file("{'a':{'dtype':'F32','shape':[1]}}", 4), "lacks one of dtype"),
        arguments("unknown key", file("{'a':{'x':1}}", 0), "unknown key 'x'"),
        arguments("nested deeply", file("{'a':" + "[".repeat(9999), 0), "expected START_OBJECT"),
        arguments("same name twice", file("{" + a + "," + a + "}", 4), "duplicate key"),
        arguments("dtype twice", tensor("'dtype':'F32','dtype':'F32'"), "'dtype' twice"),
        arguments("shape twice", tensor("'shape':[1],'shape':[1]"), "'shape' twice"),
        arguments(
            "offsets twice", tensor("'data_offsets':[0,4],'data_offsets':[0,4]"), "offsets' twice"),
        arguments("metadata twice", file("{'__metadata__':{},'__metadata__':{}}", 0), "duplicate"),
        arguments("metadata key twice", file("{'__metadata__':{'k':'','k':''}}", 0), "duplicate"),
        arguments("metadata list", file("{'__metadata__':[]}", 0), "__metadata__: expected START"),
        arguments("metadata number", file("{'__metadata__':{'k':1}}", 0), "expected VALUE_STRING"),
        arguments("dtype number", tensor("'dtype':1"), "expected VALUE_STRING"),
        arguments("dtype I16", tensor("'dtype':'I16'"), "'a' has the unsupported dtype I16"),
        arguments("dtype U64", tensor("'dtype':'U64'"), "unsupported dtype U64"),
        arguments("dtype F8", tensor("'dtype':'F8_E4M3'"), "unsupported dtype F8_E4M3"),
        arguments("dtype nonsense", tensor("'dtype':'f32'"), "unknown dtype f32"),
        arguments("shape number", tensor("'shape':1"), "expected START_ARRAY"),
        arguments("shape text", tensor("'shape':['1']"), "expected VALUE_NUMBER_INT"),
        arguments("shape fraction", tensor("'shape':[1.0]"), "expected VALUE_NUMBER_INT"),
        arguments("shape nested", tensor("'shape':[[1]]"), "expected VALUE_NUMBER_INT"),
        arguments("shape negative", tensor("'shape':[-1]"), "negative number -1"),
        arguments("shape beyond 64 bits", tensor("'shape':[99999999999999999999]"), "JSON"),
        arguments("shape of 65", tensor("'shape':[" + "1,".repeat(64) + "1]"), "more than 64"),
        arguments("offset negative", tensor("'data_offsets':[-4,0]"), "negative number -4"),
        arguments(
            "three offsets",
            tensor("'dtype':'F32','shape':[1],'data_offsets':[0,4,8]"),
            "not [begin, end]"),
        arguments(
            "one offset",
            tensor("'dtype':'F32','shape':[1],'data_offsets':[4]"),
            "not [begin, end]"),
        arguments(
            "offsets reversed",
            tensor("'dtype':'F32','shape':[1],'data_offsets':[4,0]"),
            "not [begin, end]"),
        arguments("range too small", f32("[2]", 0, 4, 4), "takes 8 bytes by shape, 4 by"),
        arguments("range too large", f32("[1]", 0, 8, 8), "takes 4 bytes by shape, 8 by"),
        arguments("size overflows", f32("[" + huge + "]", 0, 0, 0), "overflows 63 bits"),
        arguments(
            "product overflows",
            f32("[4294967296,4294967296]", 0, 0, 0),
            "tensor 'a': shape [4294967296, 4294967296] of F32 overflows"),
        arguments(
            "overflow hidden by zero", f32("[4294967296,4294967296,0]", 0, 0, 0), "overflows"),
        arguments("starts late", f32("[1]", 4, 8, 8), "starts at offset 4 where 0 was expected"),
        arguments(
            "hole",
            file("{" + a + ",'b':{'dtype':'U8','shape':[1],'data_offsets':[5,6]}}", 6),
            "tensor 'b' starts at offset 5 where 4 was expected: there is a hole"),
        arguments(
            "overlap",
            file("{" + a + ",'b':{'dtype':'U8','shape':[1],'data_offsets':[3,4]}}", 4),
            "there is an overlap"),
        arguments(
            "same range twice",
            file("{" + a + ",'b':{'dtype':'F32','shape':[1],'data_offsets':[0,4]}}", 4),
            "there is an overlap"),
        arguments("cut off in data", file("{" + a + "}", 3), "take 4 bytes but only 3 follow"),
        arguments("trailing byte", file("{" + a + "}", 5), "only 4: trailing bytes"),
        arguments("data without tensors", file("{}", 8), "only 0: trailing bytes"),
        arguments("line break in name", file("{'x\\ny':1}", 0), "tensor 'x?y'"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("files")
  void refuses(String name, byte[] content, String expected) throws IOException {
    Path file = Files.write(directory.resolve("model.safetensors"), content);
    assertThatThrownBy(() -> Safetensors.open(file).close())
        .isInstanceOf(FileFormatException.class)
        .hasMessageStartingWith(file + ": ")
        .hasMessageContaining(expected);
  }

  private static byte[] f32(String shape, long begin, long end, int data) {
    return file(
        "{'a':{'dtype':'F32','shape':%s,'data_offsets':[%d,%d]}}".formatted(shape, begin, end),
        data);
  }

  private static byte[] tensor(String fields) {
    return file("{'a':{" + fields + "}}", 0);
  }

  private static byte[] file(String header, int dataBytes) {
    String json = header.replace('\'', '"');
    return raw(json.length(), json + "\0".repeat(dataBytes));
  }

  /** A length and what follows it, a character a byte. */
  private static byte[] raw(long length, String rest) {
    byte[] bytes = rest.getBytes(StandardCharsets.ISO_8859_1);
    return ByteBuffer.allocate(Long.BYTES + bytes.length)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(length)
        .put(bytes)
        .array();
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }
}
