package io.trimtab.hub;

import java.util.Locale;

/** The parts that reserved tokens play; a tokenizer has some of them. */
public enum SpecialToken {
  /** Stands first in what an encoder reads, such as {@code [CLS]}. */
  CLS,
  /** Ends a sequence or stands between two, such as {@code [SEP]}. */
  SEP,
  /** The gap that a masked language model fills, such as {@code [MASK]}. */
  MASK,
  /** Fills up the shorter rows of a batch, such as {@code [PAD]}. */
  PAD,
  /** Stands for what the vocabulary cannot spell, such as {@code [UNK]}. */
  UNK,
  /** Begins a text of a decoder. */
  BOS,
  /** Ends a text of a decoder. */
  EOS;

  /** The name of its entry in {@code tokenizer_config.json}. */
  String configKey() {
    return name().toLowerCase(Locale.ROOT) + "_token";
  }
}
