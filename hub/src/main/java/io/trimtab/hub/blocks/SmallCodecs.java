package io.trimtab.hub.blocks;

/**
 * Blocks of 32 values with one scale {@code d}, and in some a smallest value {@code m}, in half
 * precision. Where two values share a byte, value i is in the low half of byte i and value i + 16
 * in the high half.
 */
final class SmallCodecs {
  private static final int SIZE = 32;
  private static final int HALF = SIZE / 2;

  private SmallCodecs() {}

  /** {@code d (q - 8)}, q of 4 bits. */
  static final class Q40 extends BlockCodec {
    @Override
    void decode(byte[] blocks, int at, float[] out, int to) {
      float d = half(blocks, at);
      for (int i = 0; i < HALF; i++) {
        out[to + i] = d * (nibble(blocks, at + 2 + i, 0) - 8);
        out[to + i + HALF] = d * (nibble(blocks, at + 2 + i, 4) - 8);
      }
    }

    @Override
    boolean encodes() {
      return true;
    }

    /** The scale maps the value farthest from zero to -8, the end that has one step more. */
    @Override
    void encode(float[] values, int from, byte[] blocks, int at) {
      float d = farthest(values, from, SIZE) / -8;
      float inverse = inverse(d);
      putHalf(blocks, at, d);
      for (int i = 0; i < HALF; i++) {
        int low = Math.min(15, (int) (values[from + i] * inverse + 8.5f));
        int high = Math.min(15, (int) (values[from + i + HALF] * inverse + 8.5f));
        blocks[at + 2 + i] = (byte) (low | high << 4);
      }
    }
  }

  /** {@code d q + m}, q of 4 bits. */
  static final class Q41 extends BlockCodec {
    @Override
    void decode(byte[] blocks, int at, float[] out, int to) {
      float d = half(blocks, at);
      float m = half(blocks, at + 2);
      for (int i = 0; i < HALF; i++) {
        out[to + i] = d * nibble(blocks, at + 4 + i, 0) + m;
        out[to + i + HALF] = d * nibble(blocks, at + 4 + i, 4) + m;
      }
    }

    @Override
    boolean encodes() {
      return true;
    }

    @Override
    void encode(float[] values, int from, byte[] blocks, int at) {
      Range range = Range.of(values, from);
      float d = (range.largest() - range.smallest()) / 15;
      float inverse = inverse(d);
      putHalf(blocks, at, d);
      putHalf(blocks, at + 2, range.smallest());
      for (int i = 0; i < HALF; i++) {
        int low = Math.min(15, range.step(values[from + i], inverse));
        int high = Math.min(15, range.step(values[from + i + HALF], inverse));
        blocks[at + 4 + i] = (byte) (low | high << 4);
      }
    }
  }

  /** {@code d (q - 16)}, q of 5 bits, the fifth ones together in 32 bits. */
  static final class Q50 extends BlockCodec {
    @Override
    void decode(byte[] blocks, int at, float[] out, int to) {
      float d = half(blocks, at);
      int fifths = integer32(blocks, at + 2);
      for (int i = 0; i < SIZE; i++) {
        int low = nibble(blocks, at + 6 + i % HALF, i < HALF ? 0 : 4);
        out[to + i] = d * ((low | ((fifths >>> i) & 1) << 4) - 16);
      }
    }

    @Override
    boolean encodes() {
      return true;
    }

    @Override
    void encode(float[] values, int from, byte[] blocks, int at) {
      float d = farthest(values, from, SIZE) / -16;
      float inverse = inverse(d);
      putHalf(blocks, at, d);
      int fifths = 0;
      for (int i = 0; i < SIZE; i++) {
        int q = Math.min(31, (int) (values[from + i] * inverse + 16.5f));
        fifths |= (q >> 4) << i;
        blocks[at + 6 + i % HALF] |= (byte) ((q & 15) << (i < HALF ? 0 : 4));
      }
      putInteger32(blocks, at + 2, fifths);
    }
  }

  /** {@code d q + m}, q of 5 bits, the fifth ones together in 32 bits. */
  static final class Q51 extends BlockCodec {
    @Override
    void decode(byte[] blocks, int at, float[] out, int to) {
      float d = half(blocks, at);
      float m = half(blocks, at + 2);
      int fifths = integer32(blocks, at + 4);
      for (int i = 0; i < SIZE; i++) {
        int low = nibble(blocks, at + 8 + i % HALF, i < HALF ? 0 : 4);
        out[to + i] = d * (low | ((fifths >>> i) & 1) << 4) + m;
      }
    }

    @Override
    boolean encodes() {
      return true;
    }

    @Override
    void encode(float[] values, int from, byte[] blocks, int at) {
      Range range = Range.of(values, from);
      float d = (range.largest() - range.smallest()) / 31;
      float inverse = inverse(d);
      putHalf(blocks, at, d);
      putHalf(blocks, at + 2, range.smallest());
      int fifths = 0;
      for (int i = 0; i < SIZE; i++) {
        int q = Math.min(31, range.step(values[from + i], inverse));
        fifths |= (q >> 4) << i;
        blocks[at + 8 + i % HALF] |= (byte) ((q & 15) << (i < HALF ? 0 : 4));
      }
      putInteger32(blocks, at + 4, fifths);
    }
  }

  /** {@code d q}, q of 8 bits with sign. */
  static final class Q80 extends BlockCodec {
    @Override
    void decode(byte[] blocks, int at, float[] out, int to) {
      float d = half(blocks, at);
      for (int i = 0; i < SIZE; i++) {
        out[to + i] = d * blocks[at + 2 + i];
      }
    }

    @Override
    boolean encodes() {
      return true;
    }

    @Override
    void encode(float[] values, int from, byte[] blocks, int at) {
      float d = largestMagnitude(values, from, SIZE) / 127;
      float inverse = inverse(d);
      putHalf(blocks, at, d);
      for (int i = 0; i < SIZE; i++) {
        blocks[at + 2 + i] = (byte) round(values[from + i] * inverse);
      }
    }
  }

  /** The smallest and the largest value of a block. */
  private record Range(float smallest, float largest) {
    static Range of(float[] values, int from) {
      float smallest = values[from];
      float largest = values[from];
      for (int i = from + 1; i < from + SIZE; i++) {
        smallest = Math.min(smallest, values[i]);
        largest = Math.max(largest, values[i]);
      }
      return new Range(smallest, largest);
    }

    /** How many steps the value is above the smallest one. */
    int step(float value, float inverse) {
      return (int) ((value - smallest) * inverse + 0.5f);
    }
  }
}
