package io.trimtab.kernel;

/** What a feed-forward network does to each element. */
public enum Activation {
  /** x σ(x). */
  SILU,
  /** GELU by its tanh approximation: x σ(√(8/π) (x + 0.044715 x³)). */
  GELU_TANH,
  /** max(x, 0). */
  RELU;

  /** √(8/π). */
  static final float GELU_SLOPE = (float) 1.5957691216057308;

  static final float GELU_CUBE = 0.044715f;
}
