package io.trimtab.hub.blocks;

/** {@code d q} with q of -1, 0 and 1, in blocks of 256 values. */
final class TernaryCodecs {
  private static final int SIZE = 256;

  private TernaryCodecs() {}

  /**
   * Five values a byte, as the digits of a fraction in base three: the byte is about 256/243 of the
   * number, so that multiplying by three pushes out one digit after the other. 160 values are in 32
   * bytes, 80 in 16, and the last 16 four a byte.
   */
  static final class Tq10 extends BlockCodec {
    private static final int[] POWERS = {1, 3, 9, 27, 81};
    private static final int[] STARTS = {0, 160, 240};
    private static final int[] WIDTHS = {32, 16, 4};
    private static final int[] BYTES = {0, 32, 48};
    private static final int[] DIGITS = {5, 5, 4};
    private static final int SCALE = 52;

    @Override
    void decode(byte[] blocks, int at, float[] out, int to) {
      float d = half(blocks, at + SCALE);
      for (int part = 0; part < STARTS.length; part++) {
        int width = WIDTHS[part];
        for (int i = 0; i < width * DIGITS[part]; i++) {
          int packed = Byte.toUnsignedInt(blocks[at + BYTES[part] + i % width]);
          int digit = (((packed * POWERS[i / width]) & 255) * 3) >> 8;
          out[to + STARTS[part] + i] = d * (digit - 1);
        }
      }
    }

    @Override
    boolean encodes() {
      return true;
    }

    @Override
    void encode(float[] values, int from, byte[] blocks, int at) {
      float d = largestMagnitude(values, from, SIZE);
      float inverse = inverse(d);
      putHalf(blocks, at + SCALE, d);
      for (int part = 0; part < STARTS.length; part++) {
        int width = WIDTHS[part];
        for (int i = 0; i < width; i++) {
          int number = 0;
          for (int digit = 0; digit < DIGITS[part]; digit++) {
            int q = round(values[from + STARTS[part] + digit * width + i] * inverse) + 1;
            number += q * POWERS[4 - digit];
          }
          blocks[at + BYTES[part] + i] = (byte) ((number * 256 + 242) / 243);
        }
      }
    }
  }

  /** Two bits a value, which are 32 places apart within a byte. */
  static final class Tq20 extends BlockCodec {
    private static final int SCALE = 64;

    @Override
    void decode(byte[] blocks, int at, float[] out, int to) {
      float d = half(blocks, at + SCALE);
      for (int i = 0; i < SIZE; i++) {
        int q = pair(blocks, at + i / 128 * 32 + i % 32, i % 128 / 32 * 2);
        out[to + i] = d * (q - 1);
      }
    }

    @Override
    boolean encodes() {
      return true;
    }

    @Override
    void encode(float[] values, int from, byte[] blocks, int at) {
      float d = largestMagnitude(values, from, SIZE);
      float inverse = inverse(d);
      putHalf(blocks, at + SCALE, d);
      for (int i = 0; i < SIZE; i++) {
        int q = round(values[from + i] * inverse) + 1;
        blocks[at + i / 128 * 32 + i % 32] |= (byte) (q << (i % 128 / 32 * 2));
      }
    }
  }
}
