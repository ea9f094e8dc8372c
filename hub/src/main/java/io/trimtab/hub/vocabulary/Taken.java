package io.trimtab.hub.vocabulary;

import io.trimtab.hub.HubException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * A {@code tokenizer.json} taken apart into what other formats store of a tokenizer.
 *
 * @param kind how it works
 * @param pieces the vocabulary
 * @param merges of {@link Kind#BYTES}: pairs with a blank between; else empty
 * @param scores of {@link Kind#SENTENCE_PIECE}: the higher is merged first; else empty
 * @param preTokenizer of {@link Kind#BYTES}: the name of the way in which texts are cut; else empty
 * @param blankFirst of {@link Kind#SENTENCE_PIECE}: whether a text gets a blank before it
 * @param lowerCase of {@link Kind#WORD_PIECE}: whether texts are put into lower case
 * @param begins whether a token is put before a text
 * @param ends whether a token is put behind a text
 */
public record Taken(
    Kind kind,
    Pieces pieces,
    List<String> merges,
    List<Double> scores,
    String preTokenizer,
    boolean blankFirst,
    boolean lowerCase,
    boolean begins,
    boolean ends) {
  private static final String BLANK = "\u2581";

  /** How a tokenizer works. */
  public enum Kind {
    /** See {@link ByteLevelBpe}. */
    BYTES,
    /** See {@link SentencePieceBpe}. */
    SENTENCE_PIECE,
    /** See {@link WordPieces}. */
    WORD_PIECE
  }

  /**
   * Takes a {@code tokenizer.json} apart.
   *
   * @param least the least number of tokens; missing ones at the end are filled up as unused
   * @throws HubException.Unsupported for one of another kind
   */
  public static Taken apart(Map<String, @Nullable Object> json, int least) {
    Map<?, ?> model = map(json.get("model"), "model");
    Pieces pieces = pieces(json, model, least);
    String type = String.valueOf(model.get("type"));
    boolean bytes =
        steps(json.get("pre_tokenizer"), "pretokenizers").stream()
            .anyMatch(step -> "ByteLevel".equals(step.get("type")));
    boolean[] frame = frame(json.get("post_processor"));
    return switch (type) {
      case "WordPiece" ->
          new Taken(
              Kind.WORD_PIECE,
              pieces,
              List.of(),
              List.of(),
              "",
              false,
              Boolean.TRUE.equals(map(json.get("normalizer"), "normalizer").get("lowercase")),
              frame[0],
              frame[1]);
      case "BPE" -> {
        List<String[]> merges = merges(model);
        if (bytes) {
          List<String> joined = merges.stream().map(pair -> pair[0] + " " + pair[1]).toList();
          yield new Taken(
              Kind.BYTES,
              pieces,
              joined,
              List.of(),
              preTokenizer(json, model),
              false,
              false,
              frame[0],
              frame[1]);
        }
        if (!Boolean.TRUE.equals(model.get("byte_fallback"))) {
          throw unsupported("a BPE without bytes");
        }
        boolean blank = blankFirst(json, merges);
        yield new Taken(
            Kind.SENTENCE_PIECE,
            pieces,
            List.of(),
            scores(pieces, merges),
            "",
            blank,
            false,
            frame[0],
            frame[1]);
      }
      default -> throw unsupported("a tokenizer of type " + type);
    };
  }

  private static Pieces pieces(Map<String, @Nullable Object> json, Map<?, ?> model, int least) {
    Map<Integer, String> tokens = new LinkedHashMap<>();
    Map<Integer, Pieces.Kind> kinds = new HashMap<>();
    map(model.get("vocab"), "vocab")
        .forEach((token, id) -> tokens.put(((Number) id).intValue(), String.valueOf(token)));
    if (json.get("added_tokens") instanceof List<?> added) {
      for (Object one : added) {
        Map<?, ?> token = map(one, "added_tokens");
        if (token.get("id") instanceof Number id) {
          tokens.put(id.intValue(), String.valueOf(token.get("content")));
          boolean special = Boolean.TRUE.equals(token.get("special"));
          kinds.put(id.intValue(), special ? Pieces.Kind.CONTROL : Pieces.Kind.USER_DEFINED);
        }
      }
    }
    int count = Math.max(least, Collections.max(tokens.keySet()) + 1);
    Object unknown = model.get("unk_token");
    boolean fallback = Boolean.TRUE.equals(model.get("byte_fallback"));
    List<String> all = new ArrayList<>();
    List<Pieces.Kind> parts = new ArrayList<>();
    for (int id = 0; id < count; id++) {
      String token = tokens.get(id);
      all.add(token == null ? "[PAD" + id + "]" : token);
      if (token == null) {
        parts.add(Pieces.Kind.UNUSED);
      } else if (token.equals(unknown)) {
        parts.add(Pieces.Kind.UNKNOWN);
      } else if (fallback && token.matches("<0x[0-9A-F]{2}>")) {
        parts.add(Pieces.Kind.BYTE);
      } else {
        parts.add(kinds.getOrDefault(id, Pieces.Kind.NORMAL));
      }
    }
    return new Pieces(all, parts);
  }

  private static List<String[]> merges(Map<?, ?> model) {
    List<String[]> out = new ArrayList<>();
    if (model.get("merges") instanceof List<?> merges) {
      for (Object merge : merges) {
        if (merge instanceof List<?> pair && pair.size() == 2) {
          out.add(new String[] {String.valueOf(pair.get(0)), String.valueOf(pair.get(1))});
        } else {
          String text = String.valueOf(merge);
          int blank = text.indexOf(' ');
          if (blank < 1) {
            throw unsupported("the merge \"" + text + "\"");
          }
          out.add(new String[] {text.substring(0, blank), text.substring(blank + 1)});
        }
      }
    }
    return out;
  }

  /** The earlier a piece is merged, the higher its score; what is never merged has the lowest. */
  private static List<Double> scores(Pieces pieces, List<String[]> merges) {
    Map<String, Integer> ranks = new HashMap<>();
    for (int rank = 0; rank < merges.size(); rank++) {
      ranks.putIfAbsent(merges.get(rank)[0] + merges.get(rank)[1], rank);
    }
    List<Double> scores = new ArrayList<>();
    for (String token : pieces.tokens()) {
      scores.add((double) -ranks.getOrDefault(token, merges.size()));
    }
    return scores;
  }

  /**
   * Whether a text gets a blank before it. Blanks become {@code ▁} in a normalizer or in Metaspace;
   * where that cuts at blanks too, which GGUF files cannot say, no piece must reach over one.
   */
  private static boolean blankFirst(Map<String, @Nullable Object> json, List<String[]> merges) {
    boolean first = false;
    boolean replaced = false;
    for (Map<?, ?> step : steps(json.get("normalizer"), "normalizers")) {
      String type = String.valueOf(step.get("type"));
      if (type.equals("Prepend") && BLANK.equals(step.get("prepend"))) {
        first = true;
      } else if (type.equals("Replace")
          && BLANK.equals(step.get("content"))
          && Map.of("String", " ").equals(step.get("pattern"))) {
        replaced = true;
      } else {
        throw unsupported("the normalizer " + step);
      }
    }
    for (Map<?, ?> step : steps(json.get("pre_tokenizer"), "pretokenizers")) {
      String type = String.valueOf(step.get("type"));
      if (type.equals("Metaspace") && BLANK.equals(step.get("replacement"))) {
        // Before there were schemes, there was a flag.
        boolean flagged = !Boolean.FALSE.equals(step.get("add_prefix_space"));
        Object scheme = step.get("prepend_scheme");
        first |= scheme == null ? flagged : !scheme.equals("never");
        replaced = true;
        if (!Boolean.FALSE.equals(step.get("split")) && merges.stream().anyMatch(Taken::reaches)) {
          throw unsupported("a Metaspace that cuts at blanks beside pieces that reach over one");
        }
      } else if (!type.equals("Split")
          || !replaced
          || !Map.of("String", " ").equals(step.get("pattern"))) {
        // What cuts at blanks finds none once they are replaced.
        throw unsupported("the pre-tokenizer " + step);
      }
    }
    if (!replaced) {
      throw unsupported("a BPE that does not write blanks as " + BLANK);
    }
    return first;
  }

  private static boolean reaches(String[] merge) {
    return (merge[0] + merge[1]).indexOf(BLANK, 1) > 0;
  }

  private static String preTokenizer(Map<String, @Nullable Object> json, Map<?, ?> model) {
    List<String> expressions = new ArrayList<>();
    for (Map<?, ?> step : steps(json.get("pre_tokenizer"), "pretokenizers")) {
      String type = String.valueOf(step.get("type"));
      switch (type) {
        case "Split" -> expressions.add(expression(step));
        case "Digits" ->
            expressions.add(
                Boolean.TRUE.equals(step.get("individual_digits")) ? "\\p{N}" : "\\p{N}+");
        case "ByteLevel" -> {
          if (Boolean.TRUE.equals(step.get("add_prefix_space"))) {
            throw unsupported("a ByteLevel with add_prefix_space");
          }
          if (!Boolean.FALSE.equals(step.get("use_regex"))) { // true where it is absent
            expressions.addAll(PreTokenizer.GPT2.expressions());
          }
        }
        default -> throw unsupported("the pre-tokenizer " + type);
      }
    }
    String found =
        PreTokenizer.of(expressions)
            .orElseThrow(() -> unsupported("a pre-tokenizer with the expressions " + expressions))
            .bestKnown();
    boolean whole = Boolean.TRUE.equals(model.get("ignore_merges"));
    if (whole != PreTokenizer.takesWholeWords(found)) {
      throw unsupported("the pre-tokenizer " + found + " with ignore_merges " + whole);
    }
    return found;
  }

  private static String expression(Map<?, ?> step) {
    if (!"Isolated".equals(step.get("behavior")) || Boolean.TRUE.equals(step.get("invert"))) {
      throw unsupported("a Split that is not Isolated");
    }
    Object regex = map(step.get("pattern"), "pattern").get("Regex");
    if (!(regex instanceof String expression)) {
      throw unsupported("a Split at " + step.get("pattern"));
    }
    return expression;
  }

  /** Whether there is a token before and behind a single text. */
  private static boolean[] frame(@Nullable Object postProcessor) {
    boolean begins = false;
    boolean ends = false;
    for (Map<?, ?> step : steps(postProcessor, "processors")) {
      String type = String.valueOf(step.get("type"));
      if (type.equals("TemplateProcessing") && step.get("single") instanceof List<?> single) {
        begins |= map(single.getFirst(), "single").containsKey("SpecialToken");
        ends |= map(single.getLast(), "single").containsKey("SpecialToken");
      } else if (Set.of("BertProcessing", "RobertaProcessing").contains(type)) {
        begins = true;
        ends = true;
      } else if (!type.equals("ByteLevel")) {
        throw unsupported("the post-processor " + type);
      }
    }
    return new boolean[] {begins, ends};
  }

  /** The steps of a sequence; a step by itself is a sequence of one. */
  private static List<Map<?, ?>> steps(@Nullable Object value, String field) {
    if (value == null) {
      return List.of();
    }
    Map<?, ?> step = map(value, field);
    if (!"Sequence".equals(step.get("type"))) {
      return List.of(step);
    }
    List<Map<?, ?>> out = new ArrayList<>();
    if (step.get(field) instanceof List<?> several) {
      for (Object each : several) {
        out.addAll(steps(each, field));
      }
    }
    return List.copyOf(out);
  }

  private static Map<?, ?> map(@Nullable Object value, String name) {
    if (value instanceof Map<?, ?> map) {
      return map;
    }
    throw new HubException.Malformed(
        "tokenizer.json: expected an object " + name + ", found " + value);
  }

  private static HubException unsupported(String what) {
    Set<String> known = new TreeSet<>();
    for (PreTokenizer each : PreTokenizer.values()) {
      known.add(each.bestKnown());
    }
    return new HubException.Unsupported(
        "tokenizer.json: "
            + what
            + " has no counterpart in GGUF here; expected WordPiece, SentencePiece's BPE, or"
            + " byte-level BPE that cuts texts like one of "
            + known);
  }
}
