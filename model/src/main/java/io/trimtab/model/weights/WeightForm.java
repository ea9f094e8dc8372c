package io.trimtab.model.weights;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** How a model's matrices are to be held in memory. */
public enum WeightForm {
  /**
   * As plain numbers of the type that is computed in; as the file has them where its layers are
   * quantized to be computed with so, and in single precision blocks that single tokens are
   * computed with as they are.
   */
  AUTO,
  /** As plain numbers in single precision. */
  F32,
  /** In BF16, whatever is computed in. */
  BF16,
  /** As 8-bit whole numbers with a scale for each row. */
  INT8,
  /** As 4-bit NormalFloats with a scale for 64 of them. */
  NF4,
  /** As 4-bit whole numbers with a scale for 32 of them. */
  INT4,
  /** As the file has them: blocks of GGUF files, quantized layers, 16-bit numbers in place. */
  STORED;

  /** The form of that name in lower case; empty for none. */
  public static Optional<WeightForm> named(String name) {
    return Arrays.stream(values()).filter(form -> form.word().equals(name)).findFirst();
  }

  /** Its name as options and reports have it. */
  public String word() {
    return name().toLowerCase(Locale.ROOT);
  }
}
