package io.trimtab.hub;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/** The tokens of a {@code tokenizer.json} by spelling and by number, and its model's kind. */
final class Vocabulary {
  private final String modelType;
  private final Map<String, Integer> ids;
  private final @Nullable String[] tokens;

  private Vocabulary(String modelType, Map<String, Integer> ids, @Nullable String[] tokens) {
    this.modelType = modelType;
    this.ids = ids;
    this.tokens = tokens;
  }

  /** Reads the vocabulary out of the bytes of a {@code tokenizer.json} called {@code name}. */
  static Vocabulary parse(byte[] json, String name) {
    Map<String, @Nullable Object> root = Json.parseObject(json, name);
    if (!(root.get("model") instanceof Map<?, ?> model)) {
      throw new HubException.Malformed(name + ": expected an object \"model\", found none");
    }
    Map<String, Integer> ids = new HashMap<>();
    switch (model.get("vocab")) {
      case Map<?, ?> map -> {
        for (Map.Entry<?, ?> entry : map.entrySet()) {
          put(ids, entry.getKey(), entry.getValue(), name);
        }
      }
      // The Unigram form: [[piece, score], …], numbered by position.
      case List<?> pieces -> {
        for (int i = 0; i < pieces.size(); i++) {
          if (pieces.get(i) instanceof List<?> piece && !piece.isEmpty()) {
            put(ids, piece.getFirst(), i, name);
          }
        }
      }
      case null, default ->
          throw new HubException.Malformed(name + ": expected \"vocab\" in its \"model\"");
    }
    if (root.get("added_tokens") instanceof List<?> added) {
      for (Object item : added) {
        if (item instanceof Map<?, ?> token) {
          put(ids, token.get("content"), token.get("id"), name);
        }
      }
    }
    int size = 0;
    for (int id : ids.values()) {
      size = Math.max(size, id + 1);
    }
    @Nullable String[] tokens = new @Nullable String[size];
    ids.forEach((token, id) -> tokens[id] = token);
    return new Vocabulary(model.get("type") instanceof String type ? type : "", ids, tokens);
  }

  private static void put(
      Map<String, Integer> ids, @Nullable Object token, @Nullable Object id, String name) {
    if (token instanceof String text
        && id instanceof Integer number
        && number >= 0
        && number < 1 << 28) {
      ids.put(text, number);
    } else {
      throw new HubException.Malformed(
          name + ": expected a token and its number, found " + token + ": " + id);
    }
  }

  OptionalInt id(String token) {
    Integer id = ids.get(token);
    return id == null ? OptionalInt.empty() : OptionalInt.of(id);
  }

  String token(int id) {
    return java.util.Objects.requireNonNull(tokens[checked(id)]);
  }

  /** {@code id} itself, which must be in use. */
  int checked(int id) {
    if (id < 0 || id >= tokens.length || tokens[id] == null) {
      throw new HubException.NotFound(
          "no token has the number " + id + "; expected 0 to " + (tokens.length - 1));
    }
    return id;
  }

  int size() {
    return tokens.length;
  }

  /**
   * The customary spelling of a special token for this kind of model, where the vocabulary has it:
   * that of BERT for WordPiece, that of RoBERTa and the like where there is a {@code <mask>}.
   */
  Optional<String> customary(SpecialToken role) {
    boolean encoder = ids.containsKey("<mask>");
    String candidate =
        modelType.equals("WordPiece")
            ? switch (role) {
              case CLS, SEP, MASK, PAD, UNK -> "[" + role.name() + "]";
              case BOS, EOS -> "";
            }
            : switch (role) {
              case CLS -> encoder ? "<s>" : "";
              case SEP -> encoder ? "</s>" : "";
              case MASK -> "<mask>";
              case PAD -> "<pad>";
              case UNK -> "<unk>";
              case BOS -> "<s>";
              case EOS -> "</s>";
            };
    return ids.containsKey(candidate) ? Optional.of(candidate) : Optional.empty();
  }
}
