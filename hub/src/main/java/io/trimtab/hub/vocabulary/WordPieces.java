package io.trimtab.hub.vocabulary;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** BERT's WordPiece: words taken apart from the front, each time the longest piece there is. */
public final class WordPieces {
  private static final String WORD = "\u2581";
  private static final String CONTINUED = "##";

  private WordPieces() {}

  /**
   * The spelling of BERT's vocabularies for one in which pieces that begin a word are marked with
   * {@code ▁}, and those within words are not.
   */
  public static Pieces unmarked(Pieces pieces) {
    List<String> tokens = new java.util.ArrayList<>();
    for (int i = 0; i < pieces.tokens().size(); i++) {
      String token = pieces.tokens().get(i);
      boolean bracketed = token.startsWith("[") && token.endsWith("]") && token.length() > 2;
      if (token.startsWith(WORD)) {
        tokens.add(token.substring(WORD.length()));
      } else if (bracketed || pieces.kinds().get(i) != Pieces.Kind.NORMAL) {
        tokens.add(token);
      } else {
        tokens.add(CONTINUED + token);
      }
    }
    return new Pieces(tokens, pieces.kinds());
  }

  /** The opposite of {@link #unmarked}. */
  public static Pieces marked(Pieces pieces) {
    List<String> tokens = new java.util.ArrayList<>();
    for (int i = 0; i < pieces.tokens().size(); i++) {
      String token = pieces.tokens().get(i);
      boolean bracketed = token.startsWith("[") && token.endsWith("]") && token.length() > 2;
      if (token.startsWith(CONTINUED) && token.length() > CONTINUED.length()) {
        tokens.add(token.substring(CONTINUED.length()));
      } else if (bracketed || pieces.kinds().get(i) != Pieces.Kind.NORMAL) {
        tokens.add(token);
      } else {
        tokens.add(WORD + token);
      }
    }
    return new Pieces(tokens, pieces.kinds());
  }

  /**
   * What {@code tokenizer.json} would say.
   *
   * @param pieces the vocabulary in BERT's spelling
   * @param unknown the number of the piece for what cannot be spelled
   * @param lowerCase whether texts are put into lower case, and accents removed, first
   * @param frame what is put around a text
   */
  public static Map<String, @Nullable Object> json(
      Pieces pieces, int unknown, boolean lowerCase, Frame frame) {
    Map<String, @Nullable Object> normalizer = new LinkedHashMap<>();
    normalizer.put("type", "BertNormalizer");
    normalizer.put("clean_text", true);
    normalizer.put("handle_chinese_chars", true);
    normalizer.put("strip_accents", null);
    normalizer.put("lowercase", lowerCase);
    Map<String, Object> model = new LinkedHashMap<>();
    model.put("type", "WordPiece");
    model.put("unk_token", pieces.spelling(unknown));
    model.put("continuing_subword_prefix", CONTINUED);
    model.put("max_input_chars_per_word", 100);
    model.put("vocab", pieces.ids());
    return pieces.document(
        normalizer,
        Map.of("type", "BertPreTokenizer"),
        frame.postProcessor(pieces),
        Map.of("type", "WordPiece", "prefix", CONTINUED, "cleanup", true),
        model);
  }
}
