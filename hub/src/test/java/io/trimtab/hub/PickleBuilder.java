package io.trimtab.hub;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** Assembles pickles of protocol 2, instruction by instruction, right ones and others. */
final class PickleBuilder {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  /** A pickle that has only said its protocol. */
  static PickleBuilder start() {
    return new PickleBuilder().op(0x80, 2);
  }

  /** An empty ordered dict and a mark, behind which names and values belong. */
  static PickleBuilder stateDict() {
    return start().global("collections", "OrderedDict").op(')', 'R', '(');
  }

  PickleBuilder op(int... bytes) {
    for (int b : bytes) {
      out.write(b);
    }
    return this;
  }

  PickleBuilder raw(byte[] bytes) {
    out.writeBytes(bytes);
    return this;
  }

  PickleBuilder repeat(int times, int... bytes) {
    for (int i = 0; i < times; i++) {
      op(bytes);
    }
    return this;
  }

  PickleBuilder int32(int value) {
    return raw(little(4).putInt(value).array());
  }

  PickleBuilder int64(long value) {
    return raw(little(8).putLong(value).array());
  }

  PickleBuilder text(String text) {
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    return op('X').int32(utf8.length).raw(utf8);
  }

  /** A whole number of any size, as eight bytes. */
  PickleBuilder number(long value) {
    return op(0x8A, 8).int64(value);
  }

  PickleBuilder global(String module, String name) {
    return raw(("c" + module + "\n" + name + "\n").getBytes(StandardCharsets.UTF_8));
  }

  /** {@code ('storage', type, key, 'cpu', elements)} as a persistent id. */
  PickleBuilder storage(String type, String key, long elements) {
    return op('(')
        .text("storage")
        .global("torch", type)
        .text(key)
        .text("cpu")
        .number(elements)
        .op('t', 'Q');
  }

  /** A tensor over a storage. */
  PickleBuilder tensor(
      String type, String key, long elements, long offset, long[] shape, long[] strides) {
    return global("torch._utils", "_rebuild_tensor_v2")
        .op('(')
        .storage(type, key, elements)
        .number(offset)
        .tuple(shape)
        .tuple(strides)
        .op(0x89)
        .global("collections", "OrderedDict")
        .op(')', 'R', 't', 'R');
  }

  PickleBuilder tuple(long... numbers) {
    op('(');
    for (long number : numbers) {
      number(number);
    }
    return op('t');
  }

  /** The end of a {@link #stateDict()}. */
  byte[] items() {
    return op('u', '.').build();
  }

  byte[] build() {
    return out.toByteArray();
  }

  private static ByteBuffer little(int size) {
    return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
  }
}
