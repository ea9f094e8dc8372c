package io.trimtab.hub.blocks;

/**
 * The "K" formats: super-blocks of 256 values, cut into 8 or 16 sub-blocks whose scales (and
 * smallest values) are whole numbers of a few bits, themselves scaled by one or two numbers in half
 * precision. Values that share a byte are 32 or 64 places apart.
 */
final class SuperCodecs {
  private static final int SIZE = 256;

  private SuperCodecs() {}

  /** {@code d s q - dmin t}: q of 2 bits, s and t of 4 bits for each 16 values. */
  static final class Q2K extends BlockCodec {
    @Override
    void decode(byte[] blocks, int at, float[] out, int to) {
      int quants = at + 16;
      float d = half(blocks, at + 80);
      float smallest = half(blocks, at + 82);
      for (int sub = 0; sub < 16; sub++) {
        float scale = d * nibble(blocks, at + sub, 0);
        float offset = smallest * nibble(blocks, at + sub, 4);
        for (int i = sub * 16; i < sub * 16 + 16; i++) {
          int q = pair(blocks, quants + i / 128 * 32 + i % 32, i % 128 / 32 * 2);
          out[to + i] = scale * q - offset;
        }
      }
    }
  }

  /** {@code d (s - 32) q}: q of 3 bits from -4 on, s of 6 bits for each 16 values. */
  static final class Q3K extends BlockCodec {
    @Override
    void decode(byte[] blocks, int at, float[] out, int to) {
      int quants = at + 32;
      int scales = at + 96;
      float d = half(blocks, at + 108);
      for (int sub = 0; sub < 16; sub++) {
        int low = nibble(blocks, scales + sub % 8, sub < 8 ? 0 : 4);
        int high = pair(blocks, scales + 8 + sub % 4, sub / 4 * 2);
        float scale = d * ((low | high << 4) - 32);
        for (int i = sub * 16; i < sub * 16 + 16; i++) {
          int q = pair(blocks, quants + i / 128 * 32 + i % 32, i % 128 / 32 * 2);
          // A third bit that is set stands for zero, one that is not for minus four.
          int third = (blocks[at + i % 32] >> (i / 32)) & 1;
          out[to + i] = scale * (q - (third == 0 ? 4 : 0));
        }
      }
    }
  }

  /** {@code d s q - dmin t}: q of 4 bits, s and t of 6 bits for each 32 values. */
  static final class Q4K extends BlockCodec {
    @Override
    void decode(byte[] blocks, int at, float[] out, int to) {
      int quants = at + 16;
      for (int sub = 0; sub < 8; sub++) {
        float scale = half(blocks, at) * scale(blocks, at + 4, sub);
        float offset = half(blocks, at + 2) * offset(blocks, at + 4, sub);
        for (int i = 0; i < 32; i++) {
          int q = nibble(blocks, quants + sub / 2 * 32 + i, sub % 2 * 4);
          out[to + sub * 32 + i] = scale * q - offset;
        }
      }
    }
  }

  /** {@code d s q - dmin t}: q of 5 bits, s and t of 6 bits for each 32 values. */
  static final class Q5K extends BlockCodec {
    @Override
    void decode(byte[] blocks, int at, float[] out, int to) {
      int fifths = at + 16;
      int quants = at + 48;
      for (int sub = 0; sub < 8; sub++) {
        float scale = half(blocks, at) * scale(blocks, at + 4, sub);
        float offset = half(blocks, at + 2) * offset(blocks, at + 4, sub);
        for (int i = 0; i < 32; i++) {
          int low = nibble(blocks, quants + sub / 2 * 32 + i, sub % 2 * 4);
          int q = low | ((blocks[fifths + i] >> sub) & 1) << 4;
          out[to + sub * 32 + i] = scale * q - offset;
        }
      }
    }
  }

  /** {@code d s (q - 32)}: q of 6 bits, s of 8 bits with sign for each 16 values. */
  static final class Q6K extends BlockCodec {
    @Override
    void decode(byte[] blocks, int at, float[] out, int to) {
      int high = at + 128;
      int scales = at + 192;
      float d = half(blocks, at + 208);
      for (int i = 0; i < SIZE; i++) {
        int q =
            nibble(blocks, at + i / 128 * 64 + i % 64, i % 128 / 64 * 4)
                | pair(blocks, high + i / 128 * 32 + i % 32, i % 128 / 32 * 2) << 4;
        out[to + i] = d * blocks[scales + i / 16] * (q - 32);
      }
    }
  }

  /**
   * The scale of a sub-block in the twelve bytes of Q4_K and Q5_K: the first four are the lower six
   * bits of bytes 0 to 3, the others have four bits in bytes 8 to 11 and two in the upper bits.
   */
  private static int scale(byte[] blocks, int at, int sub) {
    return sub < 4
        ? blocks[at + sub] & 63
        : BlockCodec.nibble(blocks, at + sub + 4, 0)
            | BlockCodec.pair(blocks, at + sub - 4, 6) << 4;
  }

  /** The offset of a sub-block, kept like the scales from byte 4 on. */
  private static int offset(byte[] blocks, int at, int sub) {
    return sub < 4
        ? blocks[at + sub + 4] & 63
        : BlockCodec.nibble(blocks, at + sub + 4, 4) | BlockCodec.pair(blocks, at + sub, 6) << 4;
  }
}
