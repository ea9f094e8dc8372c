package io.trimtab.delta.lora;

import io.trimtab.delta.PeftFields;
import io.trimtab.delta.RankPatterns;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * How large a layer's LoRA is, and what its product is multiplied by: alpha / rank, or alpha /
 * √rank as rsLoRA has it (Kalajdzievski, "A Rank Stabilization Scaling Factor for Fine-Tuning with
 * LoRA", 2023).
 *
 * @param rank the inner size r
 * @param alpha the numerator of the scale
 * @param stabilised whether the scale is alpha / √rank
 * @param patterns other ranks and alphas at some layers
 */
public record LoraScaling(int rank, double alpha, boolean stabilised, RankPatterns patterns) {
  /** A rank and what its product is multiplied by. */
  record Sized(int rank, double scale) {}

  /** Checks ranges. */
  public LoraScaling {
    PeftFields.checkRank(rank, 8);
    PeftFields.checkFinite("alpha", alpha);
  }

  /** One rank everywhere with alpha twice as large. */
  static LoraScaling of(int rank) {
    return new LoraScaling(rank, 2.0 * rank, false, RankPatterns.NONE);
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
    return new LoraScaling(usual.rank, alpha, false, new RankPatterns(ranks, alphas));
  }

  /** The rank at a layer. */
  public int rank(String path) {
    return patterns.rank(path, rank);
  }

  /** What the product of a layer is multiplied by. */
  public double scale(String path) {
    double numerator = patterns.alpha(path, alpha);
    int r = rank(path);
    return stabilised ? numerator / Math.sqrt(r) : numerator / r;
  }

  LoraScaling withAlpha(double value) {
    return new LoraScaling(rank, value, stabilised, patterns);
  }

  LoraScaling withStabilised(boolean value) {
    return new LoraScaling(rank, alpha, value, patterns);
  }

  LoraScaling with(RankPatterns other) {
    return new LoraScaling(rank, alpha, stabilised, other);
  }
}
