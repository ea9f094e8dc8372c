package io.trimtab.delta.lora;

import io.trimtab.delta.Address;
import io.trimtab.delta.DeltaException;
import io.trimtab.model.Layer;
import io.trimtab.model.Linear;
import io.trimtab.model.Model;
import io.trimtab.model.Patch;
import io.trimtab.model.Patches;
import io.trimtab.model.Site;
import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Decompositions;
import io.trimtab.tensor.Gradients;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/**
 * A start that has seen data: A's rows are the directions in which a layer's inputs vary most, B is
 * zero (Paischer et al., "One Initialization to Rule them All: Fine-tuning via Explained Variance
 * Adaptation", 2024, algorithm 1, without the redistribution of ranks). The singular vectors of all
 * inputs are found batch by batch: those kept so far, weighted by their singular values, are
 * decomposed together with the next batch.
 *
 * <pre>{@code
 * Eva start = Eva.observe(model, Address.parse("query,value"), 8, patches -> {
 *   for (Batch batch : batches) {
 *     model.embed(batch, Pass.with(batch.layout(), patches), Pooling.MEAN, false);
 *   }
 * });
 * }</pre>
 */
public final class Eva implements LoraStart {
  private final int rank;
  private final Map<String, float[]> directions;

  private Eva(int rank, Map<String, float[]> directions) {
    this.rank = rank;
    this.directions = directions;
  }

  /**
   * Watches the inputs of linear layers while data runs through the model.
   *
   * @param at the linear layers to watch
   * @param rank the largest rank that the start is to serve
   * @param run runs the data with the given patches, on one thread or many
   */
  public static Eva observe(Model model, Address at, int rank, Consumer<Patches> run) {
    Map<Site<?>, Patch> watchers = new LinkedHashMap<>();
    Map<String, float[]> seen = new ConcurrentHashMap<>();
    for (Layer layer : at.resolve(model)) {
      if (layer instanceof Linear linear) {
        Patch.Output watcher =
            (input, output, pass) -> {
              seen.compute(linear.path(), (path, before) -> update(before, input, rank));
              return output;
            };
        watchers.put(Site.output(linear.path()), watcher);
      }
    }
    Gradients.none(
        () -> {
          run.accept(Patches.of(watchers));
          return null;
        });
    return new Eva(rank, Map.copyOf(seen));
  }

  /** Σ Vᵀ of what was seen, [at most rank, in], with another batch of inputs [tokens, in]. */
  private static float[] update(
      float @org.jspecify.annotations.Nullable [] before, Tensor input, int rank) {
    try (Scope _ = Scope.open()) {
      Tensor inputs = input.detach().to(DType.F32);
      long in = inputs.size(1);
      Tensor all =
          before == null
              ? inputs
              : Indexing.concat(
                  List.of(
                      Creation.floats(before, before.length / in, in).to(inputs.device()), inputs),
                  0);
      Decompositions.Svd svd = Decompositions.svd(all);
      long kept = Math.min(rank, svd.values().size(0));
      Tensor values = Indexing.unsqueeze(Indexing.slice(svd.values(), 0, 0, kept), 1);
      return Arithmetic.multiply(Indexing.slice(svd.vt(), 0, 0, kept), values).toFloats();
    }
  }

  /** The paths of the layers seen. */
  public java.util.Set<String> paths() {
    return java.util.Collections.unmodifiableSet(directions.keySet());
  }

  @Override
  public Factors of(Linear layer, Tensor weight, int wanted, double scale, Rng rng) {
    float[] weighted = directions.get(layer.path());
    long in = weight.size(1);
    if (weighted == null || weighted.length < wanted * in) {
      throw new DeltaException(
          "found "
              + (weighted == null ? 0 : weighted.length / in)
              + " directions of inputs seen at "
              + layer.path()
              + " for rank "
              + wanted
              + ", expected as many; observe this layer at rank "
              + Math.max(rank, wanted)
              + " with more tokens");
    }
    Tensor rows = Creation.floats(weighted, weighted.length / in, in).to(weight.device());
    Tensor first = Indexing.slice(rows, 0, 0, wanted);
    Tensor lengths =
        Arithmetic.squareRoot(
            io.trimtab.tensor.Reduction.sum(Arithmetic.multiply(first, first), 1));
    return new Factors(
        Arithmetic.divide(first, Indexing.unsqueeze(lengths, 1)),
        Creation.zeros(DType.F32, weight.device(), weight.size(0), wanted));
  }

  /** B is zero. */
  @Override
  public boolean isSubtracted() {
    return false;
  }
}
