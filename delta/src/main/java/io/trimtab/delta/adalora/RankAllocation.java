package io.trimtab.delta.adalora;

import io.trimtab.delta.TrainingRule;
import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Gradients;
import io.trimtab.tensor.LinearAlgebra;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Reduction;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Keeps A and B near orthonormal by a penalty, and after each step weighs every rank of every layer
 * and sets to zero what is beyond the budget (algorithm 1 of the paper, in the order of PEFT).
 *
 * <p>A weight matters as much as |w · gradient|, smoothed over steps, times how much that
 * fluctuates (equations 9 to 11); a rank as much as its singular value, plus the mean over its row
 * of A, plus the mean over its column of B.
 */
final class RankAllocation implements TrainingRule {
  private final AdaLora settings;
  private final List<Layer> layers = new ArrayList<>();
  private final Parameter progress;

  /** What is remembered of one parameter: its smoothed importance, and that one's fluctuation. */
  private record Weighed(Parameter parameter, Parameter importance, Parameter uncertainty) {
    static Weighed of(Parameter parameter) {
      Tensor value = parameter.value();
      try (Scope _ = Scope.open()) {
        Tensor zeros = Creation.zeros(DType.F32, value.device(), value.shape());
        return new Weighed(
            parameter,
            Parameter.constant(parameter.name() + ".importance", zeros),
            Parameter.constant(parameter.name() + ".uncertainty", zeros));
      }
    }

    void update(double beta1, double beta2) {
      Tensor gradient = parameter.gradient();
      if (gradient == null) {
        return;
      }
      Tensor now = Arithmetic.absolute(Arithmetic.multiply(parameter.value().detach(), gradient));
      importance.assign(smoothed(importance.value(), now, beta1));
      Tensor gap = Arithmetic.absolute(Arithmetic.subtract(now, importance.value()));
      uncertainty.assign(smoothed(uncertainty.value(), gap, beta2));
    }

    private static Tensor smoothed(Tensor before, Tensor now, double beta) {
      return Arithmetic.add(Arithmetic.multiply(before, beta), Arithmetic.multiply(now, 1 - beta));
    }

    Tensor score() {
      return Arithmetic.multiply(importance.value(), uncertainty.value());
    }

    void forget() {
      importance.assign(Arithmetic.multiply(importance.value(), 0));
      uncertainty.assign(Arithmetic.multiply(uncertainty.value(), 0));
    }
  }

  /** A layer's three parameters, and which of its ranks are kept: F32 [rank, 1], one or zero. */
  private record Layer(
      AdaLoraLinear part, Weighed right, Weighed values, Weighed left, Parameter kept) {
    static Layer of(AdaLoraLinear part) {
      Tensor values = part.values().value();
      try (Scope _ = Scope.open()) {
        Tensor ones = Creation.full(1, DType.F32, values.device(), values.shape());
        return new Layer(
            part,
            Weighed.of(part.right()),
            Weighed.of(part.values()),
            Weighed.of(part.left()),
            Parameter.constant(part.values().name() + ".kept", ones));
      }
    }

    List<Weighed> weighed() {
      return List.of(right, values, left);
    }

    /** A score for each rank. */
    float[] scores() {
      Tensor vectors =
          Arithmetic.add(
              Reduction.mean(right.score(), 1, false), Reduction.mean(left.score(), 0, false));
      return Arithmetic.add(values.score().reshape(-1), vectors).toFloats();
    }

    void keep(float[] scores, float threshold) {
      float[] mask = new float[scores.length];
      for (int i = 0; i < mask.length; i++) {
        mask[i] = scores[i] <= threshold ? 0 : 1;
      }
      kept.assign(Creation.floats(mask, mask.length, 1).to(kept.value().device()));
    }

    void mask() {
      Parameter e = part.values();
      e.assign(Arithmetic.multiply(e.value().detach(), kept.value()));
    }
  }

  RankAllocation(AdaLora settings, List<AdaLoraLinear> parts) {
    this.settings = settings;
    parts.stream().filter(part -> part.rank() > 0).map(Layer::of).forEach(layers::add);
    try (Scope _ = Scope.open()) {
      progress =
          Parameter.constant("adalora.steps", Creation.longs(new long[] {0}, 1)); // of the training
    }
  }

  @Override
  public @Nullable Tensor penalty() {
    if (settings.orthogonality() == 0 || layers.isEmpty()) {
      return null;
    }
    List<Tensor> distances = new ArrayList<>();
    for (Layer layer : layers) {
      Tensor a = layer.part.right().value();
      Tensor b = layer.part.left().value().transpose(0, 1);
      distances.add(distance(a));
      distances.add(distance(b));
    }
    Tensor sum = Reduction.sum(io.trimtab.tensor.Indexing.stack(distances, 0));
    return Arithmetic.multiply(sum, settings.orthogonality() / distances.size());
  }

  /** ‖P Pᵀ − I‖ of the rows of P. */
  private static Tensor distance(Tensor rows) {
    int rank = (int) rows.size(0);
    float[] identity = new float[rank * rank];
    for (int i = 0; i < rank; i++) {
      identity[i * rank + i] = 1;
    }
    Tensor gram = LinearAlgebra.matmul(rows, rows.transpose(0, 1));
    Tensor eye = Creation.floats(identity, rank, rank).to(rows.device());
    return Reduction.norm(Arithmetic.subtract(gram, eye));
  }

  @Override
  public void afterStep(long step, long steps) {
    Budget budget = settings.budget().over(steps);
    Gradients.none(
        () -> {
          try (Scope _ = Scope.open()) {
            progress.assign(Creation.longs(new long[] {budget.steps()}, 1));
            if (step < budget.lastPruning()) {
              layers.forEach(
                  layer ->
                      layer
                          .weighed()
                          .forEach(each -> each.update(settings.beta1(), settings.beta2())));
            }
            if (budget.prunes(step)) {
              prune(budget, step);
            }
            if (step == budget.lastPruning()) {
              layers.forEach(layer -> layer.weighed().forEach(Weighed::forget));
            } else if (step > budget.lastPruning()) {
              layers.forEach(Layer::mask);
            }
            return null;
          }
        });
  }

  private void prune(Budget budget, long step) {
    long first = layers.stream().mapToLong(layer -> layer.part.rank()).sum();
    long target = Math.min(first, (long) settings.targetRank() * layers.size());
    long excess = first - budget.ranks(step, first, target);
    if (excess == 0) {
      return;
    }
    List<float[]> scores = layers.stream().map(Layer::scores).toList();
    float[] sorted = new float[(int) first];
    int at = 0;
    for (float[] some : scores) {
      System.arraycopy(some, 0, sorted, at, some.length);
      at += some.length;
    }
    Arrays.sort(sorted);
    float threshold = sorted[(int) excess - 1];
    for (int i = 0; i < scores.size(); i++) {
      layers.get(i).keep(scores.get(i), threshold);
      layers.get(i).mask();
    }
  }

  /** Which ranks of a layer its file has to hold: those kept, and any that still adds something. */
  boolean[] kept(AdaLoraLinear part) {
    float[] values = part.values().value().toFloats();
    boolean[] kept = new boolean[values.length];
    for (Layer layer : layers) {
      if (layer.part == part) {
        float[] mask = layer.kept.value().toFloats();
        for (int i = 0; i < kept.length; i++) {
          kept[i] = mask[i] != 0 || values[i] != 0;
        }
      }
    }
    return kept;
  }

  /** The steps of the training that has run; 0 where none has. */
  long steps() {
    return progress.value().toLongs()[0];
  }

  @Override
  public List<Parameter> state() {
    List<Parameter> state = new ArrayList<>();
    for (Layer layer : layers) {
      for (Weighed each : layer.weighed()) {
        state.add(each.importance);
        state.add(each.uncertainty);
      }
      state.add(layer.kept);
    }
    state.add(progress);
    return state;
  }
}
