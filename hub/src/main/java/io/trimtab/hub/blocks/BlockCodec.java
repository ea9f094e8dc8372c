package io.trimtab.hub.blocks;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * Packs and unpacks single blocks. All numbers in a block are little-endian; all arithmetic is in
 * single precision in the order in which the reference does it, so that values are exact.
 */
abstract class BlockCodec {
  private static final VarHandle SHORT =
      MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle INT =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);

  /** Writes the values of the block at {@code at} to {@code out} from {@code to} on. */
  abstract void decode(byte[] blocks, int at, float[] out, int to);

  /** Whether {@link #encode} is there. */
  boolean encodes() {
    return false;
  }

  /** Packs the values from {@code from} on into the block at {@code at}, which is all zero. */
  void encode(float[] values, int from, byte[] blocks, int at) {
    throw new UnsupportedOperationException(getClass().getSimpleName() + " only unpacks");
  }

  static float half(byte[] bytes, int at) {
    return Float.float16ToFloat((short) SHORT.get(bytes, at));
  }

  static void putHalf(byte[] bytes, int at, float value) {
    SHORT.set(bytes, at, Float.floatToFloat16(value));
  }

  static int integer16(byte[] bytes, int at) {
    return Short.toUnsignedInt((short) SHORT.get(bytes, at));
  }

  static void putInteger16(byte[] bytes, int at, int value) {
    SHORT.set(bytes, at, (short) value);
  }

  static int integer32(byte[] bytes, int at) {
    return (int) INT.get(bytes, at);
  }

  static void putInteger32(byte[] bytes, int at, int value) {
    INT.set(bytes, at, value);
  }

  /** The low (0) or high (4) half of a byte. */
  static int nibble(byte[] bytes, int at, int shift) {
    return (bytes[at] >> shift) & 15;
  }

  /** Two bits of a byte. */
  static int pair(byte[] bytes, int at, int shift) {
    return (bytes[at] >> shift) & 3;
  }

  /** One over {@code scale}, and zero for a block of zeros. */
  static float inverse(float scale) {
    return scale == 0 ? 0 : 1 / scale;
  }

  /** The largest of the magnitudes. */
  static float largestMagnitude(float[] values, int from, int count) {
    float largest = 0;
    for (int i = from; i < from + count; i++) {
      largest = Math.max(largest, Math.abs(values[i]));
    }
    return largest;
  }

  /** The first of the values that have the largest magnitude, with its sign. */
  static float farthest(float[] values, int from, int count) {
    float farthest = values[from];
    for (int i = from + 1; i < from + count; i++) {
      if (Math.abs(values[i]) > Math.abs(farthest)) {
        farthest = values[i];
      }
    }
    return farthest;
  }

  /** Rounds to the nearest whole number, halves away from zero. */
  static int round(float value) {
    float magnitude = Math.abs(value);
    float floor = (float) Math.floor(magnitude);
    float rounded = floor + (float) Math.floor(2 * (magnitude - floor));
    return (int) (value < 0 ? -rounded : rounded);
  }
}
