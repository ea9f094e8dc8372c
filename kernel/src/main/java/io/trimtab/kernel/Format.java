package io.trimtab.kernel;

/**
 * How a quantized matrix lies in a file, row after row. The formats are GGML's, little-endian: a
 * row is cut into blocks, each with scales of its own; {@code q} are the stored small integers.
 */
public enum Format {
  /** 32 weights: f16 d, 16 bytes of two 4-bit q. A weight is d · (q − 8). */
  Q4_0(32, 18, 32),
  /** 32 weights: f16 d, f16 m, 16 bytes of two 4-bit q. A weight is d · q + m. */
  Q4_1(32, 20, 32),
  /** 32 weights: f16 d, 32 × i8 q. A weight is d · q. */
  Q8_0(32, 34, 32),
  /**
   * 256 weights in 8 groups: f16 d, f16 e, 12 bytes of 6-bit scales s and minima t, 128 bytes of
   * two 4-bit q. A weight is d · s · q − e · t.
   */
  Q4_K(256, 144, 32),
  /**
   * 256 weights in 16 groups: 128 bytes with the lower 4 and 64 bytes with the upper 2 bits of q,
   * 16 × i8 s, f16 d. A weight is d · s · (q − 32).
   */
  Q6_K(256, 210, 16);

  private final int block;
  private final int bytes;
  private final int group;

  Format(int block, int bytes, int group) {
    this.block = block;
    this.bytes = bytes;
    this.group = group;
  }

  /** Weights in a block; a row's length is a multiple of it. */
  public int block() {
    return block;
  }

  /** Bytes of a block. */
  public int blockBytes() {
    return bytes;
  }

  /** Weights under one scale. */
  int group() {
    return group;
  }
}
