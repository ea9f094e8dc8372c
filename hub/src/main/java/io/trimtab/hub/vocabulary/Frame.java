package io.trimtab.hub.vocabulary;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The tokens that are put around a text.
 *
 * @param first the number of the token before it, or -1
 * @param last the number of the token behind it, or -1; in a pair, it stands between the two as
 *     well
 * @param typed whether the second text of a pair has the type 1
 */
public record Frame(int first, int last, boolean typed) {
  /** What {@code post_processor} says; null where there is nothing around a text. */
  @Nullable Object postProcessor(Pieces pieces) {
    if (first < 0 && last < 0) {
      return null;
    }
    List<Object> single = new ArrayList<>();
    List<Object> pair = new ArrayList<>();
    int second = typed ? 1 : 0;
    if (first >= 0) {
      single.add(special(pieces.spelling(first), 0));
      pair.add(special(pieces.spelling(first), 0));
    }
    single.add(sequence("A", 0));
    pair.add(sequence("A", 0));
    if (last >= 0) {
      single.add(special(pieces.spelling(last), 0));
      pair.add(special(pieces.spelling(last), 0));
    }
    if (first >= 0 && !typed) {
      pair.add(special(pieces.spelling(first), second));
    }
    pair.add(sequence("B", second));
    if (last >= 0) {
      pair.add(special(pieces.spelling(last), second));
    }
    Map<String, Object> used = new LinkedHashMap<>();
    for (int id : new int[] {first, last}) {
      if (id >= 0) {
        String token = pieces.spelling(id);
        used.put(token, Map.of("id", token, "ids", List.of(id), "tokens", List.of(token)));
      }
    }
    Map<String, Object> frame = new LinkedHashMap<>();
    frame.put("type", "TemplateProcessing");
    frame.put("single", single);
    frame.put("pair", pair);
    frame.put("special_tokens", used);
    return frame;
  }

  private static Map<String, Object> special(String token, int type) {
    return Map.of("SpecialToken", Map.of("id", token, "type_id", type));
  }

  private static Map<String, Object> sequence(String name, int type) {
    return Map.of("Sequence", Map.of("id", name, "type_id", type));
  }
}
