package io.trimtab.hub.gguf;

import io.trimtab.hub.ChatTemplates;
import io.trimtab.hub.HubException;
import io.trimtab.hub.ModelConfig;
import io.trimtab.hub.ModelDirectory;
import io.trimtab.hub.SpecialToken;
import io.trimtab.hub.Tokenizer;
import io.trimtab.hub.vocabulary.Pieces;
import io.trimtab.hub.vocabulary.Taken;
import io.trimtab.hub.vocabulary.WordPieces;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
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
    chatTemplates();
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
    // Where the tokenizer names none, the configuration may.
    ids("bos_token_id").forEach(id -> unlessThere("bos_token_id", id));
    ids("eos_token_id").forEach(id -> unlessThere("eos_token_id", id));
    furtherEnds();
  }

  /** What ends a text beside the first such token: llama.cpp knows two more. */
  private void furtherEnds() {
    GgufValue first = metadata.get(GgufTokenizer.PREFIX + "eos_token_id");
    List<Integer> others = new ArrayList<>(ids("eos_token_id"));
    others.removeIf(id -> GgufValue.count(id).equals(first));
    if (others.size() > GgufTokenizer.FURTHER_ENDS.size()) {
      throw new HubException.Unsupported(
          model.path()
              + ": "
              + (others.size() + 1)
              + " tokens that end texts (eos_token_id) cannot"
              + " be said in a GGUF file; expected three at most");
    }
    for (int i = 0; i < others.size(); i++) {
      unlessThere(GgufTokenizer.FURTHER_ENDS.get(i), others.get(i));
    }
  }

  /** A field that is a number, or a list of them. */
  private List<Integer> ids(String field) {
    ModelConfig config = model.config();
    return config.isNumber(field)
        ? List.of(config.integer(field))
        : config.isList(field) ? config.integers(field) : List.of();
  }

  private void unlessThere(String key, int id) {
    metadata.putIfAbsent(GgufTokenizer.PREFIX + key, GgufValue.count(id));
  }

  /** The template without a name first, and the names of all others. */
  private void chatTemplates() {
    ChatTemplates templates = model.chatTemplates();
    templates
        .defaultSource()
        .ifPresent(it -> metadata.put(GgufTokenizer.TEMPLATE, GgufValue.text(it)));
    List<String> others =
        templates.sources().keySet().stream()
            .filter(name -> !name.equals(ChatTemplates.DEFAULT))
            .sorted()
            .toList();
    for (String name : others) {
      metadata.put(
          GgufTokenizer.TEMPLATE + "." + name,
          GgufValue.text(Objects.requireNonNull(templates.sources().get(name))));
    }
    if (!others.isEmpty()) {
      metadata.put(
          GgufTokenizer.TEMPLATES,
          new GgufValue.Items(
              GgufType.TEXT, others.stream().<GgufValue>map(GgufValue::text).toList()));
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
