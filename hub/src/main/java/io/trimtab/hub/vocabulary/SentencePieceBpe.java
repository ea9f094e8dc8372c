package io.trimtab.hub.vocabulary;

import io.trimtab.hub.HubException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * SentencePiece's byte-pair encoding: pieces with scores, of which the two neighbours are merged
 * first whose union scores highest. Blanks are written as {@code ▁}; characters without a piece
 * fall back to bytes. The scores become an order of merges.
 */
public final class SentencePieceBpe {
  private static final String BLANK = "\u2581";

  private SentencePieceBpe() {}

  /**
   * What {@code tokenizer.json} would say.
   *
   * @param pieces the vocabulary, blanks written as {@code ▁}
   * @param scores the score of each piece; the higher is merged first
   * @param unknown the number of the piece for what cannot be spelled, or -1
   * @param blankFirst whether a text gets a blank before it
   * @param frame what is put around a text
   */
  public static Map<String, @Nullable Object> json(
      Pieces pieces, List<Double> scores, int unknown, boolean blankFirst, Frame frame) {
    if (scores.size() != pieces.tokens().size()) {
      throw new HubException.Malformed(
          "a vocabulary of %d pieces and %d scores; expected as many of both"
              .formatted(pieces.tokens().size(), scores.size()));
    }
    Map<String, @Nullable Object> model = new LinkedHashMap<>();
    model.put("type", "BPE");
    model.put("dropout", null);
    model.put("unk_token", unknown < 0 ? null : pieces.spelling(unknown));
    model.put("continuing_subword_prefix", null);
    model.put("end_of_word_suffix", null);
    model.put("fuse_unk", true);
    model.put("byte_fallback", pieces.kinds().contains(Pieces.Kind.BYTE));
    model.put("ignore_merges", false);
    model.put("vocab", pieces.ids());
    model.put("merges", merges(pieces, scores));
    return pieces.document(
        normalizer(blankFirst), null, frame.postProcessor(pieces), decoder(blankFirst), model);
  }

  private static Object normalizer(boolean blankFirst) {
    Map<String, Object> replace =
        Map.of("type", "Replace", "pattern", Map.of("String", " "), "content", BLANK);
    return blankFirst
        ? Map.of(
            "type",
            "Sequence",
            "normalizers",
            List.of(Map.of("type", "Prepend", "prepend", BLANK), replace))
        : replace;
  }

  private static Object decoder(boolean blankFirst) {
    List<Object> steps = new ArrayList<>();
    steps.add(Map.of("type", "Replace", "pattern", Map.of("String", BLANK), "content", " "));
    steps.add(Map.of("type", "ByteFallback"));
    steps.add(Map.of("type", "Fuse"));
    if (blankFirst) {
      steps.add(Map.of("type", "Strip", "content", " ", "start", 1, "stop", 0));
    }
    return Map.of("type", "Sequence", "decoders", steps);
  }

  /** Two pieces whose union is a piece. */
  private record Merge(String left, String right, double score) {}

  private static List<Object> merges(Pieces pieces, List<Double> scores) {
    Map<String, Integer> ids = new HashMap<>();
    for (int i = 0; i < pieces.tokens().size(); i++) {
      // Only what texts are made of can be merged.
      if (pieces.kinds().get(i) == Pieces.Kind.NORMAL
          || pieces.kinds().get(i) == Pieces.Kind.USER_DEFINED) {
        ids.putIfAbsent(pieces.tokens().get(i), i);
      }
    }
    List<Merge> merges = new ArrayList<>();
    for (int i = 0; i < pieces.tokens().size(); i++) {
      if (pieces.kinds().get(i) != Pieces.Kind.NORMAL) {
        continue;
      }
      String piece = pieces.tokens().get(i);
      double score = scores.get(i);
      List<Merge> own = new ArrayList<>();
      for (int at = 1; at < piece.length(); at++) {
        String left = piece.substring(0, at);
        String right = piece.substring(at);
        if (ids.containsKey(left) && ids.containsKey(right)) {
          own.add(new Merge(left, right, score));
        }
      }
      own.sort(
          Comparator.comparing((Merge merge) -> ids.getOrDefault(merge.left(), 0))
              .thenComparing(merge -> ids.getOrDefault(merge.right(), 0)));
      merges.addAll(own);
    }
    merges.sort(Comparator.comparingDouble(Merge::score).reversed());
    // As pairs, since a piece may hold a blank.
    List<Object> out = new ArrayList<>(merges.size());
    for (Merge merge : merges) {
      out.add(List.of(merge.left(), merge.right()));
    }
    return out;
  }
}
