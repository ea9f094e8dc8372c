package io.trimtab.hub.gguf;

import io.trimtab.hub.HubException;
import java.util.Arrays;

/**
 * How llama.cpp stores a tensor in comparison with its Hugging Face checkpoint. Rows are those of
 * the checkpoint, {@code [out, in]}, of which a bias has one value each.
 */
enum Layout {
  /** As it is. */
  PLAIN,
  /**
   * Queries whose rotary embedding turns neighbours (0, 1), (2, 3), … of a head, where the
   * checkpoint's turns (0, n/2), (1, n/2 + 1), …: the rows of each head are another order.
   */
  ROTARY_QUERY,
  /** The same for keys, which may have fewer heads. */
  ROTARY_KEY,
  /** Queries, keys and values of all heads, where the checkpoint has them head by head. */
  QUERIES_KEYS_VALUES,
  /** A norm's weight plus one. */
  PLUS_ONE,
  /**
   * A weight {@code [out, in]} that the checkpoint has as {@code [in, out]}; biases as they are.
   */
  TRANSPOSED,
  /** The matrices of all experts in one tensor {@code [experts, out, in]}. */
  EXPERTS;

  /**
   * The row of the GGUF file that holds a row of the checkpoint.
   *
   * @param row the row in the checkpoint
   * @param rows the number of rows
   * @param heads the heads among which the rows are divided
   */
  long stored(long row, long rows, long heads) {
    return switch (this) {
      case ROTARY_QUERY, ROTARY_KEY -> {
        long size = rows / heads;
        long within = row % size;
        yield row - within + 2 * (within % (size / 2)) + within / (size / 2);
      }
      case QUERIES_KEYS_VALUES -> {
        long size = rows / heads / 3;
        long head = row / (3 * size);
        long part = row / size % 3;
        yield (part * heads + head) * size + row % size;
      }
      case PLAIN, PLUS_ONE, TRANSPOSED, EXPERTS -> row;
    };
  }

  /**
   * Refuses sizes that go with no model.
   *
   * @param tensor what has them
   * @param shape the sizes in the checkpoint, of one expert where there are some
   * @param heads the heads among which the rows are divided
   */
  void check(String tensor, long[] shape, long heads) {
    long parts =
        switch (this) {
          case ROTARY_QUERY, ROTARY_KEY -> 2 * heads; // the halves of each head
          case QUERIES_KEYS_VALUES -> 3 * heads;
          case PLAIN, PLUS_ONE, TRANSPOSED, EXPERTS -> 1;
        };
    boolean matrix = this == EXPERTS || this == TRANSPOSED;
    if ((matrix && shape.length != 2) || shape[0] % parts != 0) {
      throw new HubException.Malformed(
          "%s has the shape %s; expected %s"
              .formatted(
                  tensor,
                  Arrays.toString(shape),
                  matrix ? "a matrix" : "rows that %d heads share".formatted(heads)));
    }
  }

  /** Whether a row here is a row there, so that it can be taken over as it is packed. */
  boolean byRows() {
    return this != TRANSPOSED && this != PLUS_ONE;
  }

  /** Whether rows are in another order than in the checkpoint. */
  boolean reorders() {
    return this == ROTARY_QUERY || this == ROTARY_KEY || this == QUERIES_KEYS_VALUES;
  }
}
