package io.trimtab.hub;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** Writes protocol-buffers wire format, to make small files for tests. */
final class ProtoBuilder {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  ProtoBuilder number(int field, long value) {
    varint(field << 3);
    varint(value);
    return this;
  }

  ProtoBuilder fixed32(int field, int value) {
    varint((field << 3) | 5);
    out.writeBytes(
        ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN).putInt(value).array());
    return this;
  }

  ProtoBuilder bytes(int field, byte[] value) {
    varint((field << 3) | 2);
    varint(value.length);
    out.writeBytes(value);
    return this;
  }

  ProtoBuilder text(int field, String value) {
    return bytes(field, value.getBytes(StandardCharsets.UTF_8));
  }

  ProtoBuilder message(int field, ProtoBuilder value) {
    return bytes(field, value.build());
  }

  /** A varint on its own, as packed lists and tables have them. */
  ProtoBuilder varint(long value) {
    long rest = value;
    while ((rest & ~0x7FL) != 0) {
      out.write((int) ((rest & 0x7F) | 0x80));
      rest >>>= 7;
    }
    out.write((int) rest);
    return this;
  }

  ProtoBuilder raw(byte... value) {
    out.writeBytes(value);
    return this;
  }

  int size() {
    return out.size();
  }

  byte[] build() {
    return out.toByteArray();
  }

  static byte[] floats(float... values) {
    var buffer = ByteBuffer.allocate(values.length * 4).order(ByteOrder.LITTLE_ENDIAN);
    for (float value : values) {
      buffer.putFloat(value);
    }
    return buffer.array();
  }
}
