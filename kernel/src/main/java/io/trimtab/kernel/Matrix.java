package io.trimtab.kernel;

/**
 * A frozen matrix {@code [rows, columns]} = {@code [out, in]} in a form that products of single
 * rows stream.
 */
public sealed interface Matrix permits Rows, Panels {
  /** Outputs of a product. */
  int rows();

  /** Inputs of a product. */
  int columns();

  /** Bytes that a product reads: all of them, once. */
  long bytes();

  /** Pieces that threads can share, each computed by one. */
  int pieces();
}
