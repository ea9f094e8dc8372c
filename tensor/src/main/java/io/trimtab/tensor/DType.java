package io.trimtab.tensor;

/** The element types a {@link Tensor} can have. */
public enum DType {
  F64(8, true),
  F32(4, true),
  F16(2, true),
  BF16(2, true),
  I64(8, false),
  I32(4, false),
  I8(1, false),
  U8(1, false),
  BOOL(1, false);

  private final int bytes;
  private final boolean floating;

  DType(int bytes, boolean floating) {
    this.bytes = bytes;
    this.floating = floating;
  }

  /** Bytes one element takes in memory and in files. */
  public int bytes() {
    return bytes;
  }

  /** Whether this is one of the floating-point types, which alone can have gradients. */
  public boolean isFloating() {
    return floating;
  }
}
