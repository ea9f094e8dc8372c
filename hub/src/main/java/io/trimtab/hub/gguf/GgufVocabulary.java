package io.trimtab.hub.gguf;

import io.trimtab.hub.ModelDirectory;
import io.trimtab.hub.SpecialToken;
import io.trimtab.hub.Tokenizer;
import io.trimtab.hub.vocabulary.Pieces;
import io.trimtab.hub.vocabulary.Taken;
import io.trimtab.hub.vocabulary.WordPieces;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.SequencedMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The tokenizer of a model's files as metadata of a GGUF file. */
final class GgufVocabulary {
  private final ModelDirectory model;
  private final SequencedMap<String, GgufValue> metadata;

  GgufVocabulary(ModelDirectory model, SequencedMap<String, GgufValue> metadata) {
    this.model = model;
    this.metadata = metadata;
  }

  /** A model without {@code tokenizer.json} gets the mark of one that works on numbers alone. */
  void put() {
    Optional<Map<String, @Nullable Object>> json = model.tokenizerJson();
    if (json.isEmpty()) {
      text("model", "no_vocab");
      return;
    }
    Taken taken = Taken.apart(json.get(), model.config().integer("vocab_size"));
    Pieces pieces = taken.pieces();
    switch (taken.kind()) {
      case BYTES -> {
        text("model", "gpt2");
        text("pre", taken.preTokenizer());
        pieces(pieces);
        items("merges", GgufType.TEXT, taken.merges().stream().map(GgufValue::text));
        flag("add_space_prefix", false);
      }
      case SENTENCE_PIECE -> {
        text("model", "llama");
        text("pre", "default");
        pieces(pieces);
        items("scores", GgufType.F32, taken.scores().stream().map(GgufValue::real));
        flag("add_space_prefix", taken.blankFirst());
      }
      case WORD_PIECE -> {
        text("model", "bert");
        text("pre", "default");
        pieces(WordPieces.marked(pieces));
        flag("normalizer.lowercase", taken.lowerCase());
      }
    }
    specialTokens();
    flag("add_bos_token", taken.begins());
    flag("add_eos_token", taken.ends());
    model
        .chatTemplates()
        .defaultSource()
        .ifPresent(it -> metadata.put(GgufTokenizer.TEMPLATE, GgufValue.text(it)));
  }

  private void pieces(Pieces pieces) {
    items("tokens", GgufType.TEXT, pieces.tokens().stream().map(GgufValue::text));
    items(
        "token_type",
        GgufType.I32,
        pieces.kinds().stream().map(kind -> new GgufValue.Whole(GgufType.I32, kind.number())));
  }

  private void specialTokens() {
    try (Tokenizer tokenizer = model.tokenizer()) {
      Map<SpecialToken, String> keys =
          Map.of(
              SpecialToken.BOS, "bos_token_id",
              SpecialToken.EOS, "eos_token_id",
              SpecialToken.UNK, "unknown_token_id",
              SpecialToken.SEP, "seperator_token_id",
              SpecialToken.PAD, "padding_token_id",
              SpecialToken.CLS, "cls_token_id",
              SpecialToken.MASK, "mask_token_id");
      for (SpecialToken role : SpecialToken.values()) {
        String key = keys.get(role);
        OptionalInt id =
            tokenizer.special(role).map(tokenizer::tokenId).orElse(OptionalInt.empty());
        if (key != null && id.isPresent()) {
          metadata.put(GgufTokenizer.PREFIX + key, GgufValue.count(id.getAsInt()));
        }
      }
    }
    for (String field : List.of("bos_token_id", "eos_token_id")) {
      // Where the tokenizer names none, the configuration may; a list of ends has the first first.
      String key = GgufTokenizer.PREFIX + field;
      if (!metadata.containsKey(key) && model.config().isNumber(field)) {
        metadata.put(key, GgufValue.count(model.config().integer(field)));
      } else if (!metadata.containsKey(key) && model.config().isList(field)) {
        metadata.put(key, GgufValue.count(model.config().integers(field).getFirst()));
      }
    }
  }

  private void text(String key, String value) {
    metadata.put(GgufTokenizer.PREFIX + key, GgufValue.text(value));
  }

  private void flag(String key, boolean value) {
    metadata.put(GgufTokenizer.PREFIX + key, GgufValue.flag(value));
  }

  private void items(String key, GgufType type, Stream<? extends GgufValue> values) {
    metadata.put(
        GgufTokenizer.PREFIX + key,
        new GgufValue.Items(type, values.<GgufValue>map(value -> value).toList()));
  }
}
