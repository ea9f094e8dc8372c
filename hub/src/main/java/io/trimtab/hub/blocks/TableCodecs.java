package io.trimtab.hub.blocks;

/** Formats whose whole numbers are looked up in a table of values that are not evenly spaced. */
final class TableCodecs {
  /** Sixteen levels that follow the distribution of weights. */
  private static final byte[] LEVELS = {
    -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113
  };

  private TableCodecs() {}

  /** {@code d level[q]}, q of 4 bits, 32 values. */
  static final class Iq4Nl extends BlockCodec {
    @Override
    void decode(byte[] blocks, int at, float[] out, int to) {
      float d = half(blocks, at);
      for (int i = 0; i < 16; i++) {
        out[to + i] = d * LEVELS[nibble(blocks, at + 2 + i, 0)];
        out[to + i + 16] = d * LEVELS[nibble(blocks, at + 2 + i, 4)];
      }
    }
  }

  /** {@code d (s - 32) level[q]}, q of 4 bits, s of 6 bits for each 32 of 256 values. */
  static final class Iq4Xs extends BlockCodec {
    @Override
    void decode(byte[] blocks, int at, float[] out, int to) {
      float d = half(blocks, at);
      int high = integer16(blocks, at + 2);
      for (int sub = 0; sub < 8; sub++) {
        int low = nibble(blocks, at + 4 + sub / 2, sub % 2 * 4);
        float scale = d * ((low | ((high >> (sub * 2)) & 3) << 4) - 32);
        for (int i = 0; i < 16; i++) {
          int pairOfQuants = at + 8 + sub * 16 + i;
          out[to + sub * 32 + i] = scale * LEVELS[nibble(blocks, pairOfQuants, 0)];
          out[to + sub * 32 + i + 16] = scale * LEVELS[nibble(blocks, pairOfQuants, 4)];
        }
      }
    }
  }

  /**
   * The microscaling format of the Open Compute Project: 32 numbers of 1 sign, 2 exponent and 1
   * mantissa bit with one power of two. The table holds twice their values, so that it is of whole
   * numbers, and the power is halved.
   */
  static final class Mxfp4 extends BlockCodec {
    private static final int SIZE = 32;
    private static final byte[] DOUBLED = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

    @Override
    void decode(byte[] blocks, int at, float[] out, int to) {
      float d = halvedPower(Byte.toUnsignedInt(blocks[at]));
      for (int i = 0; i < SIZE / 2; i++) {
        out[to + i] = d * DOUBLED[nibble(blocks, at + 1 + i, 0)];
        out[to + i + SIZE / 2] = d * DOUBLED[nibble(blocks, at + 1 + i, 4)];
      }
    }

    @Override
    boolean encodes() {
      return true;
    }

    @Override
    void encode(float[] values, int from, byte[] blocks, int at) {
      float largest = largestMagnitude(values, from, SIZE);
      // 6 = 1.5 * 2^2 is the largest number of the format, hence the two.
      int exponent = largest > 0 ? Math.clamp(Math.getExponent(largest) - 2 + 127, 0, 254) : 0;
      float d = halvedPower(exponent);
      blocks[at] = (byte) exponent;
      for (int i = 0; i < SIZE; i++) {
        int q = nearest(values[from + i], d);
        blocks[at + 1 + i % (SIZE / 2)] |= (byte) (q << (i < SIZE / 2 ? 0 : 4));
      }
    }

    private static int nearest(float value, float d) {
      int best = 0;
      for (int q = 1; q < DOUBLED.length; q++) {
        if (Math.abs(d * DOUBLED[q] - value) < Math.abs(d * DOUBLED[best] - value)) {
          best = q;
        }
      }
      return best;
    }

    /** 2^(exponent - 128), also where that is below the normal numbers. */
    private static float halvedPower(int exponent) {
      int bits = exponent < 2 ? 0x0020_0000 << exponent : (exponent - 1) << 23;
      return Float.intBitsToFloat(bits);
    }
  }
}
