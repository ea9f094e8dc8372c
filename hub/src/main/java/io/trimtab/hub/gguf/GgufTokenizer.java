package io.trimtab.hub.gguf;

import io.trimtab.hub.ChatTemplates;
import io.trimtab.hub.HubException;
import io.trimtab.hub.vocabulary.ByteLevelBpe;
import io.trimtab.hub.vocabulary.Frame;
import io.trimtab.hub.vocabulary.Pieces;
import io.trimtab.hub.vocabulary.PreTokenizer;
import io.trimtab.hub.vocabulary.SentencePieceBpe;
import io.trimtab.hub.vocabulary.WordPieces;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.SequencedMap;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The tokenizer of a GGUF file as Hugging Face's files. */
final class GgufTokenizer {
  static final String PREFIX = "tokenizer.ggml.";

  /** The chat template, or, with a dot and a name, another one. */
  static final String TEMPLATE = "tokenizer.chat_template";

  /** The names of the other ones. */
  static final String TEMPLATES = "tokenizer.chat_templates";

  /** What ends texts beside the token that ends them: turns, and messages. */
  static final List<String> FURTHER_ENDS = List.of("eot_token_id", "eom_token_id");

  /** Special tokens: what Hugging Face calls them, and what GGUF. */
  private static final Map<String, String> ROLES =
      Map.of(
          "bos_token", "bos_token_id",
          "eos_token", "eos_token_id",
          "unk_token", "unknown_token_id",
          "sep_token", "seperator_token_id",
          "pad_token", "padding_token_id",
          "cls_token", "cls_token_id",
          "mask_token", "mask_token_id");

  private final GgufMetadata metadata;

  GgufTokenizer(GgufMetadata metadata) {
    this.metadata = metadata;
  }

  /** What {@code tokenizer.json} would say. */
  Map<String, @Nullable Object> json() {
    String model = metadata.text(PREFIX + "model");
    return switch (model) {
      case "gpt2" -> byteLevel();
      case "llama" -> sentencePiece();
      case "bert" -> wordPieces();
      default ->
          throw new HubException.Unsupported(
              "the tokenizer model "
                  + model
                  + " is not supported; expected one of gpt2, llama, bert");
    };
  }

  private Map<String, @Nullable Object> byteLevel() {
    String pre = metadata.text(PREFIX + "pre", "default");
    return ByteLevelBpe.json(
        pieces(), metadata.texts(PREFIX + "merges"), pre, frame(PreTokenizer.addsBeginning(pre)));
  }

  private Map<String, @Nullable Object> sentencePiece() {
    return SentencePieceBpe.json(
        pieces(),
        metadata.reals(PREFIX + "scores"),
        id("unknown_token_id").orElse(0),
        metadata.flag(PREFIX + "add_space_prefix", true),
        frame(true));
  }

  private Map<String, @Nullable Object> wordPieces() {
    Pieces pieces = WordPieces.unmarked(pieces());
    int first = id("cls_token_id").or(() -> id("bos_token_id")).orElse(101);
    int last = id("seperator_token_id").or(() -> id("eos_token_id")).orElse(102);
    return WordPieces.json(
        pieces,
        id("unknown_token_id").orElse(100),
        metadata.flag(PREFIX + "normalizer.lowercase", true),
        new Frame(first, last, true));
  }

  private Frame frame(boolean beginsByDefault) {
    boolean begins = metadata.flag(PREFIX + "add_bos_token", beginsByDefault);
    boolean ends = metadata.flag(PREFIX + "add_eos_token", false);
    int first = begins ? needed("bos_token_id", "add_bos_token") : -1;
    int last = ends ? needed("eos_token_id", "add_eos_token") : -1;
    return new Frame(first, last, false);
  }

  private int needed(String key, String because) {
    return id(key)
        .orElseThrow(
            () ->
                new HubException.Malformed(
                    PREFIX + because + " asks for a token, and " + PREFIX + key + " is missing"));
  }

  private Optional<Integer> id(String key) {
    OptionalInt id = metadata.token(PREFIX + key);
    return id.isPresent() ? Optional.of(id.getAsInt()) : Optional.empty();
  }

  private Pieces pieces() {
    List<String> tokens = metadata.texts(PREFIX + "tokens");
    List<Pieces.Kind> kinds = new ArrayList<>();
    if (metadata.has(PREFIX + "token_type")) {
      for (long type : metadata.wholes(PREFIX + "token_type")) {
        kinds.add(Pieces.Kind.of(type));
      }
    } else {
      tokens.forEach(_ -> kinds.add(Pieces.Kind.NORMAL));
    }
    return new Pieces(tokens, kinds);
  }

  /** The chat templates by name. */
  private SequencedMap<String, String> templates() {
    SequencedMap<String, String> out = new LinkedHashMap<>();
    if (metadata.has(TEMPLATE)) {
      out.put(ChatTemplates.DEFAULT, metadata.text(TEMPLATE));
    }
    for (String key : metadata.values().keySet()) {
      if (key.startsWith(TEMPLATE + ".")) {
        out.put(key.substring(TEMPLATE.length() + 1), metadata.text(key));
      }
    }
    return out;
  }

  /** What {@code tokenizer_config.json} would say. */
  Map<String, @Nullable Object> config() {
    Map<String, @Nullable Object> config = new LinkedHashMap<>();
    if (metadata.has(PREFIX + "tokens")) {
      List<String> tokens = metadata.texts(PREFIX + "tokens");
      ROLES.forEach(
          (role, key) ->
              id(key)
                  .filter(id -> id >= 0 && id < tokens.size())
                  .ifPresent(id -> config.put(role, tokens.get(id))));
    }
    SequencedMap<String, String> templates = templates();
    if (templates.keySet().equals(Set.of(ChatTemplates.DEFAULT))) {
      config.put("chat_template", metadata.text(TEMPLATE));
    } else if (!templates.isEmpty()) {
      List<Object> named = new ArrayList<>();
      templates.forEach((name, text) -> named.add(Map.of("name", name, "template", text)));
      config.put("chat_template", named);
    }
    return config;
  }
}
