package io.trimtab.hub.blocks;

/** Floating-point numbers one by one: blocks of a single value. */
final class PlainCodecs {
  private PlainCodecs() {}

  /** IEEE single precision. */
  static final class F32 extends BlockCodec {
    @Override
    void decode(byte[] blocks, int at, float[] out, int to) {
      out[to] = Float.intBitsToFloat(integer32(blocks, at));
    }

    @Override
    boolean encodes() {
      return true;
    }

    @Override
    void encode(float[] values, int from, byte[] blocks, int at) {
      putInteger32(blocks, at, Float.floatToRawIntBits(values[from]));
    }
  }

  /** IEEE half precision, rounded to nearest even. */
  static final class F16 extends BlockCodec {
    @Override
    void decode(byte[] blocks, int at, float[] out, int to) {
      out[to] = half(blocks, at);
    }

    @Override
    boolean encodes() {
      return true;
    }

    @Override
    void encode(float[] values, int from, byte[] blocks, int at) {
      putHalf(blocks, at, values[from]);
    }
  }

  /** The upper half of single precision, rounded to nearest even. */
  static final class Bf16 extends BlockCodec {
    private static final int INFINITY = 0x7F80_0000;
    private static final int QUIET = 0x40;

    @Override
    void decode(byte[] blocks, int at, float[] out, int to) {
      out[to] = Float.intBitsToFloat(integer16(blocks, at) << 16);
    }

    @Override
    boolean encodes() {
      return true;
    }

    @Override
    void encode(float[] values, int from, byte[] blocks, int at) {
      int bits = Float.floatToRawIntBits(values[from]);
      boolean notANumber = (bits & 0x7FFF_FFFF) > INFINITY;
      int upper =
          notANumber
              ? (bits >>> 16) | QUIET
              : (bits + 0x7FFF + ((bits >>> 16) & 1)) >>> 16; // wraps like an unsigned sum
      putInteger16(blocks, at, upper);
    }
  }
}
