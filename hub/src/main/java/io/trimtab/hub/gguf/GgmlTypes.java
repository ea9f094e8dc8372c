package io.trimtab.hub.gguf;

import java.util.Map;

/** Names of the block formats that files may have and Trimtab does not read. */
final class GgmlTypes {
  private static final Map<Integer, String> OTHERS =
      Map.ofEntries(
          Map.entry(4, "Q4_2"),
          Map.entry(5, "Q4_3"),
          Map.entry(9, "Q8_1"),
          Map.entry(15, "Q8_K"),
          Map.entry(16, "IQ2_XXS"),
          Map.entry(17, "IQ2_XS"),
          Map.entry(18, "IQ3_XXS"),
          Map.entry(19, "IQ1_S"),
          Map.entry(21, "IQ3_S"),
          Map.entry(22, "IQ2_S"),
          Map.entry(24, "I8"),
          Map.entry(25, "I16"),
          Map.entry(26, "I32"),
          Map.entry(27, "I64"),
          Map.entry(28, "F64"),
          Map.entry(29, "IQ1_M"),
          Map.entry(40, "NVFP4"),
          Map.entry(41, "Q1_0"));

  private GgmlTypes() {}

  static String name(int type) {
    String known = OTHERS.get(type);
    String number = Integer.toUnsignedString(type);
    return known == null ? "number " + number : known + " (number " + number + ")";
  }
}
