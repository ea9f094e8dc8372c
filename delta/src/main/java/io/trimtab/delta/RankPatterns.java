package io.trimtab.delta;

import io.trimtab.hub.ModelConfig;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

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
    ranks.values().forEach(rank -> PeftFields.checkRank(rank, 8));
    alphas.values().forEach(alpha -> PeftFields.checkFinite("alpha", alpha));
    ranks.keySet().forEach(RankPatterns::compile);
    alphas.keySet().forEach(RankPatterns::compile);
  }

  private static Pattern compile(String key) {
    try {
      return Pattern.compile("(.*\\.)?(" + key + ")");
    } catch (PatternSyntaxException e) {
      throw new DeltaException(
          "found \""
              + key
              + "\" as the pattern of a rank or alpha ("
              + e.getDescription()
              + "), expected a layer's name or a regular expression",
          e);
    }
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
    Map<String, Object> numbers = new LinkedHashMap<>();
    alphas.forEach((key, alpha) -> numbers.put(key, PeftFields.number(alpha)));
    config.put("alpha_pattern", numbers);
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
      if (compile(entry.getKey()).matcher(path).matches()) {
        return entry.getValue();
      }
    }
    return usual;
  }
}
