package io.trimtab.delta;

import io.trimtab.hub.ModelConfig;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * Ranks and alphas of their own for some layers: PEFT's {@code rank_pattern} and {@code
 * alpha_pattern}. A key is a regular expression; the first that matches a path, or its part after a
 * dot, to its end counts.
 *
 * @param ranks ranks by key
 * @param alphas alphas by key
 */
public record RankPatterns(Map<String, Integer> ranks, Map<String, Double> alphas) {
  /** No layer differs. */
  public static final RankPatterns NONE = new RankPatterns(Map.of(), Map.of());

  /** Copies the maps, whose order is kept. */
  public RankPatterns {
    ranks = Collections.unmodifiableMap(new LinkedHashMap<>(ranks));
    alphas = Collections.unmodifiableMap(new LinkedHashMap<>(alphas));
    ranks.forEach(
        (key, rank) -> {
          if (rank < 1) {
            throw new DeltaException("found rank " + rank + " for " + key + ", expected 1 or more");
          }
        });
  }

  /** What {@code adapter_config.json} says. */
  public static RankPatterns fromConfig(ModelConfig config) {
    Map<String, Integer> ranks = new LinkedHashMap<>();
    Map<String, Double> alphas = new LinkedHashMap<>();
    if (config.has("rank_pattern")) {
      ModelConfig section = config.section("rank_pattern");
      section.fields().forEach(key -> ranks.put(key, section.integer(key)));
    }
    if (config.has("alpha_pattern")) {
      ModelConfig section = config.section("alpha_pattern");
      section.fields().forEach(key -> alphas.put(key, section.decimal(key)));
    }
    return new RankPatterns(ranks, alphas);
  }

  /** Adds the fields of {@code adapter_config.json} that say the same. */
  public void write(Map<String, Object> config) {
    config.put("rank_pattern", ranks);
    config.put("alpha_pattern", alphas);
  }

  /** The rank at a layer. */
  public int rank(String path, int usual) {
    return at(ranks, path, usual);
  }

  /** The alpha at a layer. */
  public double alpha(String path, double usual) {
    return at(alphas, path, usual);
  }

  private static <V> V at(Map<String, V> patterns, String path, V usual) {
    for (Map.Entry<String, V> entry : patterns.entrySet()) {
      if (Pattern.matches("(.*\\.)?(" + entry.getKey() + ")", path)) {
        return entry.getValue();
      }
    }
    return usual;
  }
}
