package io.trimtab.hub;

import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every way in which a PyTorch checkpoint can attack its reader, and what is said about it. */
class TorchCheckpointHostileTest {
  private static final long HUGE = 1L << 62;

  @TempDir Path directory;

  static Stream<Arguments> programs() {
    return Stream.of(
        arguments("os.system", call("os", "system", "rm -rf /"), "names 'os.system', which could"),
        arguments("posix.system", call("posix", "system", "id"), "names 'posix.system'"),
        arguments("nt.system", call("nt", "system", "cmd"), "names 'nt.system'"),
        arguments("eval", call("builtins", "eval", "1"), "names 'builtins.eval'"),
        arguments("eval of Python 2", call("__builtin__", "eval", "1"), "'__builtin__.eval'"),
        arguments("getattr", call("builtins", "getattr", "x"), "'builtins.getattr'"),
        arguments("torch.load", call("torch", "load", "x"), "names 'torch.load'"),
        arguments("dotted name", call("collections", "OrderedDict.x", "x"), "OrderedDict.x'"),
        arguments("dotted module", call("torch._utils._rebuild", "x", "x"), "_rebuild.x'"),
        arguments("dict, not OrderedDict", call("builtins", "dict", "x"), "'builtins.dict'"),
        arguments("STACK_GLOBAL", p().text("os").text("system").op(0x93, '.'), "names 'os.system'"),
        arguments("STACK_GLOBAL of numbers", p().op('K', 1, 'K', 2, 0x93, '.'), "named by an int"),
        arguments(
            "INST",
            p().op('(').text("id").op('i').raw(ascii("os\nsystem\n")).op('.'),
            "names 'os.system'"),
        arguments("OBJ", ordered().op('(', 'o', '.'), "instruction 0x6f at byte"),
        arguments("NEWOBJ", ordered().op(')', 0x81, '.'), "instruction 0x81"),
        arguments("NEWOBJ_EX", ordered().op(')', '}', 0x92, '.'), "instruction 0x92"),
        arguments("EXT1", p().op(0x82, 1, '.'), "instruction 0x82"),
        arguments("PERSID", p().op('P').raw(ascii("0\n")).op('.'), "instruction 0x50"),
        arguments("LONG4", p().op(0x8B).int32(-1).op('.'), "instruction 0x8b"),
        arguments("LONG", p().op('L').raw(ascii("1L\n.")), "instruction 0x4c"),
        arguments("LONG1 of 255 bytes", p().op(0x8A, 255), "an int of 255 bytes"),
        arguments("pop", p().op('N', '0', '.'), "instruction 0x30"),
        arguments("protocol 6", new PickleBuilder().op(0x80, 6, '.'), "has protocol 6"),
        arguments(
            "name without end", p().op('c').repeat(300, 'x'), "with a name of more than 256 bytes"),
        arguments("name cut off", p().op('c', 'o', 's'), "bytes wanted where only 0 are left"),
        arguments("name not UTF-8", p().op('c', 0xFF, '\n', '\n'), "not UTF-8"),
        arguments("call of a number", p().op('K', 1, ')', 'R', '.'), "calls an int with a tuple"),
        arguments("call with a list", ordered().op(']', 'R', '.'), "OrderedDict with a list"),
        arguments(
            "call of a storage class",
            p().global("torch", "FloatStorage").op(')', 'R', '.'),
            "'torch.FloatStorage' is called"),
        arguments(
            "ordered dict of a text",
            ordered().text("x").op(0x85, 'R', '.'),
            "something else than a list of pairs"),
        arguments(
            "ordered dict of singles",
            ordered().op(']', ')', 'a', 0x85, 'R', '.'),
            "something else than pairs"),
        arguments(
            "BUILD of a global",
            ordered().op('}').text("__setstate__").op('}', 's', 'b', '.'),
            "sets the state of collections.OrderedDict to a dict"),
        arguments("BUILD of a plain dict", p().op('}', '}', 'b', '.'), "sets the state of a dict"),
        arguments(
            "BUILD with slots",
            ordered().op(')', 'R', 'N', '}', 0x86, 'b', '.'),
            "sets the state of a dict to a tuple"),
        arguments("BINUNICODE", p().op('X').int32(-1), "4294967295 bytes wanted"),
        arguments("BINUNICODE8", p().op(0x8D).int64(-1), "18446744073709551615 bytes wanted"),
        arguments("BINUNICODE8 at limit", p().op(0x8D).int64(Long.MAX_VALUE), "bytes wanted"),
        arguments("long text", p().text("x".repeat(1 << 17)).op('.'), "a name has 131072 bytes"),
        arguments("text not UTF-8", p().op('U', 1, 0xC0, '.'), "not UTF-8"),
        arguments("memo never set", p().op('j').int32(-2).op('.'), "recalls the value 4294967294"),
        arguments("memo of nothing", p().op('q', 0), "from an empty stack"),
        arguments("memo below a mark", p().op('N', '(', 'q', 0), "from an empty stack"),
        arguments("no value", p().op('.'), "ends with 0 values"),
        arguments("two values", p().op('N', 'N', '.'), "ends with 2 values"),
        arguments("open mark", p().op('N', '(', '.'), "ends with 1 values"),
        arguments("tuple of nothing", p().op(0x85), "from an empty stack"),
        arguments("no mark", p().op('N', 't'), "a mark that it has not set"),
        arguments("append to a tuple", p().op(')', 'N', 'a', '.'), "appends to a tuple"),
        arguments("item of a list", p().op(']').text("k").op('N', 's'), "item of a list"),
        arguments("odd items", p().op('}', '(', 'N', 'u', '.'), "a key without a value"),
        arguments("number as key", p().op('}', 'K', 1, 'N', 's', '.'), "has an int as a key"),
        arguments(
            "itself as key", p().op('}', 'q', 0, 'h', 0, 'N', 's', '.'), "has a dict as a key"),
        arguments(
            "itself as value",
            p().op('}', 'q', 0).text("k").op('h', 0, 's', '.'),
            "has a dict at 'k'; expected a flat dict"),
        arguments("goes on", p().op('}', '.', '.'), "goes on after its end"),
        arguments("cut off", p().op('}'), "bytes wanted where only 0 are left"),
        arguments("empty", new PickleBuilder(), "bytes wanted where only 0 are left"),
        arguments("list", p().op(']', '.'), "holds a list; expected a state dict"),
        arguments("deep tuples", p().op(')').repeat(1_000_000, 0x85).op('.'), "holds a tuple"),
        arguments("deep marks", p().repeat(3_000_000, '('), "makes more than 2097152 values"),
        arguments("many dicts", p().repeat(3_000_000, '}'), "makes more than 2097152 values"),
        arguments("wide memo", wideMemo(), "memorises more than 2097152 values"),
        arguments("repeated list", repeatedList(), "makes more than 2097152 values"),
        arguments("repeated shape", repeatedShape(), "makes more than 2097152 values"));
  }

  static Stream<Arguments> tensors() {
    return Stream.of(
        arguments("id is a text", p().text("storage").op('Q', '.'), "a persistent id is not"),
        arguments("id of nothing", p().op(')', 'Q', '.'), "a persistent id is not"),
        arguments(
            "id of a module",
            p().op('(').text("module").op('N', 'N', 'N', 'N', 't', 'Q'),
            "a persistent id is not"),
        arguments("key is a number", id('K', 0, 'K', 1), "a persistent id is not"),
        arguments("view of a storage", id('U', 1, '0', 'K', 4, ')'), "a persistent id is not"),
        arguments("negative storage", view(-1, 0, shape(1), shape(1)), "'0' has -1 elements of"),
        arguments(
            "storage of another class",
            p().op('(')
                .text("storage")
                .global("torch", "Size")
                .text("0")
                .text("cpu")
                .op('K', 4)
                .op('t', 'Q'),
            "4 elements of torch.Size"),
        arguments("int16", tensor("ShortStorage", "0"), "unsupported type (torch.ShortStorage)"),
        arguments("complex", tensor("ComplexFloatStorage", "0"), "(torch.ComplexFloatStorage)"),
        arguments(
            "float8",
            p().global("torch._utils", "_rebuild_tensor_v3"),
            "unsupported type (torch._utils._rebuild_tensor_v3)"),
        arguments("no such storage", tensor("FloatStorage", "1"), "has no storage '1'"),
        arguments("path as key", tensor("FloatStorage", "../data.pkl"), "'../data.pkl'"),
        arguments(
            "two kinds of storage",
            PickleBuilder.stateDict().storage("FloatStorage", "0", 4).storage("IntStorage", "0", 4),
            "two kinds of storage '0'"),
        arguments("too many elements", view(5, 0, shape(1), shape(1)), "which has 16 bytes"),
        arguments("too few elements", view(3, 0, shape(1), shape(1)), "which has 16 bytes"),
        arguments("overflowing storage", view(HUGE + 4, 0, shape(1), shape(1)), "has 16 bytes"),
        arguments("offset", view(4, 4, shape(1), shape(1)), "reaches to element 4 of storage '0'"),
        arguments("negative offset", view(4, -1, shape(1), shape(1)), "the offset -1"),
        arguments("huge offset", view(4, Long.MAX_VALUE, shape(2), shape(1)), "overflow 63 bits"),
        arguments("shape", view(4, 0, shape(5), shape(1)), "reaches to element 4"),
        arguments("negative size", view(4, 0, shape(-1), shape(1)), "shape [-1] is negative"),
        arguments("two negative sizes", view(4, 0, shape(-2, -2), shape(2, 1)), "is negative"),
        arguments("stride", view(4, 0, shape(2, 2), shape(3, 1)), "reaches to element 4"),
        arguments("negative stride", view(4, 3, shape(2), shape(-1)), "negative stride -1"),
        arguments("huge stride", view(4, 0, shape(3), shape(HUGE)), "overflow 63 bits"),
        arguments("huge sum", view(4, 0, shape(2, 2), shape(HUGE, HUGE)), "overflow 63 bits"),
        arguments("fewer strides", view(4, 0, shape(2, 2), shape(2)), "2 dimensions, 1 strides"),
        arguments("huge shape", view(4, 0, shape(HUGE, 4), shape(0, 0)), "overflows 63 bits"),
        arguments(
            "hidden by zero", view(4, 0, shape(HUGE, 4, 0), shape(0, 0, 0)), "overflows 63 bits"),
        arguments(
            "repeated elements", view(4, 0, shape(1L << 40), shape(0)), "'w' would be copied into"),
        arguments("rank 65", view(4, 0, new long[65], new long[65]), "a tensor has 65 dimensions"),
        arguments("text as size", rebuild().text("x").op(0x85, ')', 'N', 'N', 't', 'R'), "a text"),
        arguments("five arguments", rebuild().op(')', ')', 'N', 't', 'R'), "with 5 arguments"),
        arguments(
            "conjugated",
            rebuild().op(')', ')', 'N', 'N', '}').text("conj").op(0x88, 's', 't', 'R'),
            "negated or conjugated"),
        arguments(
            "no arguments",
            p().global("torch._utils", "_rebuild_tensor_v2").op(')', 'R'),
            "called with nothing"),
        arguments(
            "parameter of a text",
            p().global("torch._utils", "_rebuild_parameter").text("x").op('N', 'N', 0x87, 'R'),
            "3 arguments, the first a text"),
        arguments("storage as value", named().storage("FloatStorage", "0", 4).op('u', '.'), "flat"),
        arguments("nested dict", named().op('}', 'u', '.'), "save the state dict alone"));
  }

  static Stream<Arguments> files() {
    byte[] pickle = named().tensor("ByteStorage", "0", 4, 0, shape(4), shape(1)).items();
    byte[] four = new byte[4];
    byte[] whole = ZipBuilder.checkpoint(pickle).storage("0", four).build();
    byte[] prefixed = new byte[whole.length + 4];
    System.arraycopy(whole, 0, prefixed, 4, whole.length);
    System.arraycopy(whole, 0, prefixed, 0, 4);
    return Stream.of(
        arguments("empty", new byte[0], "is no PyTorch checkpoint"),
        arguments("tar", new byte[1024], "is no PyTorch checkpoint"),
        arguments("LFS pointer", ascii("version https://git-lfs.github.com/spec/v1\n"), "git lfs"),
        arguments("bare pickle", p().op('}', '.').build(), "is no PyTorch checkpoint"),
        arguments("head only", ascii("PK\3\4"), "no directory at its end; the file is cut off"),
        arguments("cut off", Arrays.copyOf(whole, whole.length - 1), "no directory at its end"),
        arguments("bytes in front", prefixed, "has no entry at byte"),
        arguments("no pickle", new ZipBuilder().entry("m/x", four).build(), "without a data.pkl"),
        arguments(
            "pickle too deep", new ZipBuilder().entry("a/b/data.pkl", four).build(), "without a"),
        arguments("no storage", ZipBuilder.checkpoint(pickle).build(), "has no storage '0'"),
        arguments(
            "storage elsewhere",
            ZipBuilder.checkpoint(pickle).entry("n/data/0", four).build(),
            "has no storage '0'"),
        arguments(
            "byte order",
            ZipBuilder.checkpoint(pickle)
                .storage("0", four)
                .entry("m/byteorder", ascii("middle"))
                .build(),
            "its byte order is 'middle'"),
        arguments(
            "deflated", ZipBuilder.checkpoint(pickle).method(8).build(), "is compressed or encr"),
        arguments(
            "encrypted", ZipBuilder.checkpoint(pickle).flags(1).build(), "is compressed or encr"),
        arguments(
            "entry twice",
            ZipBuilder.checkpoint(pickle).entry("m/data.pkl", pickle).build(),
            "the entry 'm/data.pkl' twice"),
        arguments(
            "same bytes twice",
            ZipBuilder.checkpoint(pickle).storage("0", four).again("m/data/1").build(),
            "has another name in front of its content"),
        arguments(
            "same entry twice",
            ZipBuilder.checkpoint(pickle).storage("0", four).again("m/data/0").build(),
            "shares its bytes with another entry"),
        arguments(
            "overlap",
            ZipBuilder.checkpoint(pickle).lie(9).storage("0", four).build(),
            "share bytes"),
        arguments(
            "beyond the end",
            ZipBuilder.checkpoint(pickle).lie(1L << 31).build(),
            "where the limit"),
        arguments(
            "64-bit size",
            ZipBuilder.checkpoint(pickle).lie(Long.MAX_VALUE - pickle.length).build(true),
            "'m/data.pkl' has 9223372036854775807 bytes"),
        arguments(
            "negative 64-bit size",
            ZipBuilder.checkpoint(pickle).lie(-2L * pickle.length).build(true),
            "where the limit"),
        arguments("old: magic only", LegacyTorchFile.MAGIC, "bytes wanted where only 0 are left"),
        arguments(
            "old: other version",
            new PickleBuilder().raw(LegacyTorchFile.MAGIC).op('K', 1, '.').build(),
            "another version than 1001"),
        arguments("old: no keys", old().op('}', '.').build(), "it has no list of storages"),
        arguments(
            "old: strange key", old().op(']', 'K', 1, 'a', '.').build(), "that no tensor uses"),
        arguments("old: storage missing", old().op(']', '.').build(), "has no storage '0'"),
        arguments(
            "old: other size", oldKeys().int64(5).raw(new byte[5]).build(), "5 elements instead"),
        arguments("old: cut off", oldKeys().int64(4).raw(new byte[3]).build(), "4 bytes wanted"),
        arguments(
            "old: goes on", oldKeys().int64(4).raw(new byte[5]).build(), "after its last storage"),
        arguments(
            "old: huge",
            old(HUGE).op(']').text("0").op('a', '.').int64(HUGE).build(),
            HUGE + " bytes wanted"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource({"programs", "tensors"})
  void refusesPickles(String name, PickleBuilder pickle, String expected) throws IOException {
    refuses(ZipBuilder.checkpoint(pickle.build()).storage("0", new byte[16]).build(), expected);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("files")
  void refusesFiles(String name, byte[] content, String expected) throws IOException {
    refuses(content, expected);
  }

  private void refuses(byte[] content, String expected) throws IOException {
    Path file = Files.write(directory.resolve("pytorch_model.bin"), content);
    Assertions.assertTimeoutPreemptively(
        Duration.ofSeconds(60),
        () ->
            assertThatThrownBy(() -> TorchCheckpoint.open(file).close())
                .isInstanceOf(FileFormatException.class)
                .hasMessageStartingWith(file + ": ")
                .hasMessageContaining(expected));
  }

  private static PickleBuilder p() {
    return PickleBuilder.start();
  }

  private static PickleBuilder ordered() {
    return p().global("collections", "OrderedDict");
  }

  private static PickleBuilder named() {
    return PickleBuilder.stateDict().text("w");
  }

  private static PickleBuilder call(String module, String name, String argument) {
    return p().global(module, name).text(argument).op(0x85, 'R', '.');
  }

  private static PickleBuilder id(int... keyAndRest) {
    return p().op('(')
        .text("storage")
        .global("torch", "FloatStorage")
        .op(Arrays.copyOf(keyAndRest, 2 + (keyAndRest[0] == 'U' ? 1 : 0)))
        .text("cpu")
        .op(Arrays.copyOfRange(keyAndRest, 2 + (keyAndRest[0] == 'U' ? 1 : 0), keyAndRest.length))
        .op('t', 'Q', '.');
  }

  private static PickleBuilder tensor(String type, String key) {
    return named().tensor(type, key, 4, 0, shape(4), shape(1)).op('u', '.');
  }

  private static PickleBuilder view(long elements, long offset, long[] shape, long[] strides) {
    return named().tensor("FloatStorage", "0", elements, offset, shape, strides).op('u', '.');
  }

  /** A call of the function that makes tensors, with storage and offset. */
  private static PickleBuilder rebuild() {
    return p().global("torch._utils", "_rebuild_tensor_v2")
        .op('(')
        .storage("FloatStorage", "0", 4)
        .op('K', 0);
  }

  private static long[] shape(long... sizes) {
    return sizes;
  }

  private static PickleBuilder wideMemo() {
    PickleBuilder pickle = p().op('N');
    for (int i = 0; i < 2_200_000; i++) {
      pickle.op('r').int32(i);
    }
    return pickle;
  }

  /** A list of a thousand pairs, of which an ordered dict is made again and again. */
  private static PickleBuilder repeatedList() {
    PickleBuilder pickle = p().op(']', 'q', 0, '(');
    for (int i = 0; i < 1000; i++) {
      pickle.text("key" + i).op('N', 0x86);
    }
    pickle.op('e').global("collections", "OrderedDict").op('q', 1);
    return pickle.repeat(3000, 'h', 1, 'h', 0, 0x85, 'R');
  }

  /** A shape of 64 sizes, which is copied for every tensor. */
  private static PickleBuilder repeatedShape() {
    return p().global("torch._utils", "_rebuild_tensor_v2")
        .op('q', 1, '(')
        .storage("FloatStorage", "0", 4)
        .op('K', 0)
        .tuple(new long[64])
        .tuple(new long[64])
        .op('N', 'N', 't', 'q', 2)
        .repeat(20_000, 'h', 1, 'h', 2, 'R');
  }

  /** An old file up to its list of storages, with one tensor of four bytes. */
  private static PickleBuilder old() {
    return old(4);
  }

  private static PickleBuilder old(long elements) {
    byte[] object = named().tensor("ByteStorage", "0", elements, 0, shape(4), shape(1)).items();
    return new PickleBuilder()
        .raw(LegacyTorchFile.MAGIC)
        .op('M', 0xE9, 0x03, '.', '}', '.')
        .raw(object);
  }

  private static PickleBuilder oldKeys() {
    return old().op(']').text("0").op('a', '.');
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }
}
