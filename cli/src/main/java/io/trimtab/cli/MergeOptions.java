package io.trimtab.cli;

import io.trimtab.delta.Delta;
import io.trimtab.delta.lora.LoraMerge;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** How several LoRAs are merged into one. */
final class MergeOptions {
  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec;

  @Option(
      names = "--weights",
      paramLabel = "W,…",
      split = ",",
      description = "A weight for each LoRA (default: equal ones that sum to 1).")
  private double @Nullable [] weights;

  @Option(
      names = "--way",
      paramLabel = "NAME",
      description =
          "cat (exactly the weighted sum, the default), linear, svd, ties, ties_svd, dare_linear,"
              + " dare_linear_svd, dare_ties, dare_ties_svd, magnitude_prune or"
              + " magnitude_prune_svd.")
  private @Nullable String way;

  @Option(
      names = "--rank",
      paramLabel = "R",
      description = "The rank of the ways with svd (default: the largest of the merged).")
  private @Nullable Integer rank;

  @Option(
      names = "--density",
      paramLabel = "SHARE",
      description = "The share of elements that stay in the ways that leave some out.")
  private @Nullable Double density;

  @Option(
      names = "--majority",
      paramLabel = "NAME",
      description = "total or frequency: what counts for the majority of ties (default: total).")
  private @Nullable String majority;

  boolean given() {
    return weights != null || way != null || rank != null || density != null || majority != null;
  }

  /** A weight for each of so many. */
  double[] weights(int count) {
    if (weights == null) {
      double[] equal = new double[count];
      Arrays.fill(equal, 1.0 / count);
      return equal;
    }
    if (weights.length != count) {
      throw misused(
          "found " + weights.length + " --weights for " + count + " deltas, expected one each");
    }
    return weights.clone();
  }

  LoraMerge.Merged merge(List<Delta> deltas, double[] shares, long seed) {
    LoraMerge merge = LoraMerge.of(deltas, shares).seed(seed);
    if (way != null) {
      merge = merge.way(oneOf(LoraMerge.Way.values(), "--way", way));
    }
    if (majority != null) {
      merge = merge.majority(oneOf(LoraMerge.Majority.values(), "--majority", majority));
    }
    if (rank != null) {
      merge = merge.rank(rank);
    }
    if (density != null) {
      merge = merge.density(density);
    }
    return merge.run();
  }

  private <E extends Enum<E>> E oneOf(E[] values, String option, String text) {
    return Arrays.stream(values)
        .filter(value -> value.name().equals(text.toUpperCase(Locale.ROOT)))
        .findFirst()
        .orElseThrow(
            () ->
                misused(
                    "found "
                        + option
                        + " "
                        + text
                        + ", expected one of "
                        + Arrays.toString(values).toLowerCase(Locale.ROOT)));
  }

  private CommandLine.ParameterException misused(String message) {
    return new CommandLine.ParameterException(spec.commandLine(), message);
  }
}
