package io.trimtab.delta.lora;

import io.trimtab.delta.DeltaException;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import java.util.stream.Collectors;

/**
 * How large a layer's LoRA is, and what its product is multiplied by: alpha / rank, or alpha /
 * √rank as rsLoRA has it (Kalajdzievski, "A Rank Stabilization Scaling Factor for Fine-Tuning with
 * LoRA", 2023).
 *
 * @param rank the inner size r
 * @param alpha the numerator of the scale
 * @param stabilised whether the scale is alpha / √rank
 * @param ranks other ranks for layers whose path, or its part after a dot, matches a key, a regular
 *     expression, to its end; of two keys that match the first counts
 * @param alphas other alphas for layers, named alike
 */
public record LoraScaling(
    int rank,
    double alpha,
    boolean stabilised,
    Map<String, Integer> ranks,
    Map<String, Double> alphas) {
  /** A rank and what its product is multiplied by. */
  record Sized(int rank, double scale) {}

  /** Checks ranges and keys; the order of keys is kept. */
  public LoraScaling {
    checkRank(rank);
    checkAlpha(alpha);
    ranks.values().forEach(LoraScaling::checkRank);
    alphas.values().forEach(LoraScaling::checkAlpha);
    ranks.keySet().forEach(LoraScaling::compile);
    alphas.keySet().forEach(LoraScaling::compile);
    ranks = Collections.unmodifiableMap(new LinkedHashMap<>(ranks));
    alphas = Collections.unmodifiableMap(new LinkedHashMap<>(alphas));
  }

  private static void checkRank(int rank) {
    if (rank < 1) {
      throw new DeltaException("found rank " + rank + ", expected at least 1; 8 is usual");
    }
  }

  private static void checkAlpha(double alpha) {
    if (!Double.isFinite(alpha)) {
      throw new DeltaException("found alpha " + alpha + ", expected a finite number");
    }
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

  /** One rank everywhere with alpha twice as large. */
  static LoraScaling of(int rank) {
    return new LoraScaling(rank, 2.0 * rank, false, Map.of(), Map.of());
  }

  /** What gives each path, spelled out, its rank and scale: the most frequent pair is the rule. */
  static LoraScaling of(SequencedMap<String, Sized> paths) {
    Map<Sized, Long> counts =
        paths.values().stream()
            .collect(
                Collectors.groupingBy(
                    Function.identity(), LinkedHashMap::new, Collectors.counting()));
    Sized usual =
        counts.entrySet().stream()
            .max(Comparator.comparingLong(Map.Entry::getValue))
            .map(Map.Entry::getKey)
            .orElse(new Sized(1, 1));
    double alpha = usual.scale * usual.rank;
    Map<String, Integer> ranks = new LinkedHashMap<>();
    Map<String, Double> alphas = new LinkedHashMap<>();
    paths.forEach(
        (path, sized) -> {
          // A dot in a pattern is any character, so that only a path of the same length could be
          // meant too; full paths differ in more than their dots.
          if (sized.rank != usual.rank) {
            ranks.put(path, sized.rank);
          }
          if (sized.scale * sized.rank != alpha) {
            alphas.put(path, sized.scale * sized.rank);
          }
        });
    return new LoraScaling(usual.rank, alpha, false, ranks, alphas);
  }

  /** The rank at a layer. */
  public int rank(String path) {
    return first(ranks, path, rank);
  }

  /** What the product of a layer is multiplied by. */
  public double scale(String path) {
    double numerator = first(alphas, path, alpha);
    int r = rank(path);
    return stabilised ? numerator / Math.sqrt(r) : numerator / r;
  }

  private static <V> V first(Map<String, V> patterns, String path, V usual) {
    for (Map.Entry<String, V> entry : patterns.entrySet()) {
      if (compile(entry.getKey()).matcher(path).matches()) {
        return entry.getValue();
      }
    }
    return usual;
  }

  LoraScaling withAlpha(double value) {
    return new LoraScaling(rank, value, stabilised, ranks, alphas);
  }

  LoraScaling withStabilised(boolean value) {
    return new LoraScaling(rank, alpha, value, ranks, alphas);
  }

  LoraScaling withPatterns(Map<String, Integer> newRanks, Map<String, Double> newAlphas) {
    return new LoraScaling(rank, alpha, stabilised, newRanks, newAlphas);
  }

  /** A whole number where it is one, as PEFT writes it. */
  static Object number(double value) {
    return value == Math.rint(value) ? (Object) (long) value : (Object) value;
  }
}
