package io.trimtab.hub.vocabulary;

import io.trimtab.hub.HubException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A vocabulary: what each number is spelled like, and what part it plays.
 *
 * @param tokens the spellings by number
 * @param kinds the parts, as many
 */
public record Pieces(List<String> tokens, List<Kind> kinds) {

  /** The part that a token plays. */
  public enum Kind {
    /** A piece of text. */
    NORMAL(1),
    /** Stands for what cannot be spelled. */
    UNKNOWN(2),
    /** Steers the model, such as the end of a turn; a text cannot contain it. */
    CONTROL(3),
    /** A text that is always one token. */
    USER_DEFINED(4),
    /** Never used. */
    UNUSED(5),
    /** A single byte. */
    BYTE(6);

    private final int number;

    Kind(int number) {
      this.number = number;
    }

    /** The number that stands for the part in SentencePiece's and in GGUF files. */
    public int number() {
      return number;
    }

    /**
     * The part of that number.
     *
     * @throws HubException.Malformed where there is none
     */
    public static Kind of(long number) {
      for (Kind each : values()) {
        if (each.number == number) {
          return each;
        }
      }
      throw new HubException.Malformed("expected a token's type from 1 to 6, found " + number);
    }
  }

  /** Copies the lists and checks that they are equally long. */
  public Pieces {
    tokens = List.copyOf(tokens);
    kinds = List.copyOf(kinds);
    if (tokens.size() != kinds.size() || tokens.isEmpty()) {
      throw new HubException.Malformed(
          "a vocabulary of %d tokens and %d types; expected as many of both"
              .formatted(tokens.size(), kinds.size()));
    }
  }

  /** The spelling of a number, which must be one of the vocabulary. */
  String spelling(int id) {
    if (id < 0 || id >= tokens.size()) {
      throw new HubException.Malformed(
          "token " + id + " is named, and the vocabulary has " + tokens.size());
    }
    return tokens.get(id);
  }

  /** The numbers by spelling; the first wins where two are spelled alike. */
  Map<String, Object> ids() {
    Map<String, Object> ids = new LinkedHashMap<>();
    for (int i = 0; i < tokens.size(); i++) {
      ids.putIfAbsent(tokens.get(i), i);
    }
    return ids;
  }

  /** What {@code added_tokens} lists: tokens that are looked for before a text is taken apart. */
  List<Object> added() {
    List<Object> added = new ArrayList<>();
    for (int i = 0; i < tokens.size(); i++) {
      Kind kind = kinds.get(i);
      boolean special = kind == Kind.CONTROL || kind == Kind.UNKNOWN;
      if ((special || kind == Kind.USER_DEFINED) && !tokens.get(i).isEmpty()) {
        Map<String, Object> token = new LinkedHashMap<>();
        token.put("id", i);
        token.put("content", tokens.get(i));
        token.put("single_word", false);
        token.put("lstrip", false);
        token.put("rstrip", false);
        token.put("normalized", false);
        token.put("special", special);
        added.add(token);
      }
    }
    return added;
  }

  /** The outermost object of a {@code tokenizer.json}. */
  Map<String, @Nullable Object> document(
      @Nullable Object normalizer,
      @Nullable Object preTokenizer,
      @Nullable Object postProcessor,
      Object decoder,
      Object model) {
    Map<String, @Nullable Object> root = new LinkedHashMap<>();
    root.put("version", "1.0");
    root.put("truncation", null);
    root.put("padding", null);
    root.put("added_tokens", added());
    root.put("normalizer", normalizer);
    root.put("pre_tokenizer", preTokenizer);
    root.put("post_processor", postProcessor);
    root.put("decoder", decoder);
    root.put("model", model);
    return root;
  }
}
