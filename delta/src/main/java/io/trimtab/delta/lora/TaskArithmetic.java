package io.trimtab.delta.lora;

import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.util.Arrays;
import java.util.List;

/** Weighted sums of matrices of one shape of which some elements are left out first. */
final class TaskArithmetic {
  /** How elements are left out before the sum. */
  enum Pruning {
    NONE,
    MAGNITUDE,
    RANDOM
  }

  /**
   * What is done.
   *
   * @param pruning how elements are left out
   * @param density the share of elements that stay
   * @param elect whether elements against the majority's sign are left out, and the rest averaged
   * @param majority what counts for the majority
   */
  record Recipe(Pruning pruning, double density, boolean elect, LoraMerge.Majority majority) {}

  private TaskArithmetic() {}

  /** The sum of {@code weights[i]} times {@code tensors[i]} by a recipe. */
  static Tensor sum(List<Tensor> tensors, double[] weights, Recipe recipe, Rng rng) {
    float[][] all = new float[tensors.size()][];
    for (int i = 0; i < all.length; i++) {
      all[i] = pruned(tensors.get(i).toFloats(), recipe, rng.derive(i));
    }
    float[] sum = recipe.elect ? elected(all, weights, recipe.majority) : plain(all, weights);
    Tensor first = tensors.getFirst();
    return Creation.floats(sum, first.shape()).to(first.device());
  }

  private static float[] plain(float[][] all, double[] weights) {
    float[] sum = new float[all[0].length];
    for (int i = 0; i < all.length; i++) {
      float weight = (float) weights[i];
      for (int j = 0; j < sum.length; j++) {
        sum[j] += weight * all[i][j];
      }
    }
    return sum;
  }

  /**
   * TIES (Yadav et al., "TIES-Merging: Resolving Interference When Merging Models", 2023, section
   * 3): the mean of what has the majority's sign.
   */
  private static float[] elected(float[][] all, double[] weights, LoraMerge.Majority majority) {
    float[] sum = new float[all[0].length];
    for (int j = 0; j < sum.length; j++) {
      float votes = 0;
      for (float[] some : all) {
        votes += majority == LoraMerge.Majority.TOTAL ? some[j] : Math.signum(some[j]);
      }
      float sign = votes >= 0 ? 1 : -1;
      float total = 0;
      int agreeing = 0;
      for (int i = 0; i < all.length; i++) {
        if (Math.signum(all[i][j]) == sign) {
          total += (float) weights[i] * all[i][j];
          agreeing++;
        }
      }
      sum[j] = total / Math.max(1, agreeing);
    }
    return sum;
  }

  private static float[] pruned(float[] values, Recipe recipe, Rng rng) {
    if (recipe.density >= 1) {
      return values;
    }
    return switch (recipe.pruning) {
      case NONE -> values;
      case MAGNITUDE -> largest(values, (int) (recipe.density * values.length));
      case RANDOM -> some(values, recipe.density, rng);
    };
  }

  /** Zeros but for the largest; of equal ones the first. */
  private static float[] largest(float[] values, int count) {
    float[] sorted = new float[values.length];
    for (int i = 0; i < values.length; i++) {
      sorted[i] = Math.abs(values[i]);
    }
    Arrays.sort(sorted);
    float[] kept = new float[values.length];
    if (count == 0) {
      return kept;
    }
    float threshold = sorted[values.length - count];
    int above = 0;
    for (float value : values) {
      above += Math.abs(value) > threshold ? 1 : 0;
    }
    int equal = count - above;
    for (int i = 0; i < values.length; i++) {
      float size = Math.abs(values[i]);
      if (size > threshold || (size == threshold && equal-- > 0)) {
        kept[i] = values[i];
      }
    }
    return kept;
  }

  /**
   * DARE (Yu et al., "Language Models are Super Mario", 2023, section 3.2): some are dropped at
   * random, the rest made larger so that the mean stays.
   */
  private static float[] some(float[] values, double density, Rng rng) {
    try (Scope _ = Scope.open()) {
      float[] mask = rng.bernoulli(density, DType.F32, Device.CPU, values.length).toFloats();
      float[] kept = new float[values.length];
      for (int i = 0; i < values.length; i++) {
        kept[i] = mask[i] == 0 ? 0 : values[i] / (float) density;
      }
      return kept;
    }
  }
}
