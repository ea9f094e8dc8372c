package io.trimtab.delta.compose;

import io.trimtab.delta.DeltaException;
import io.trimtab.delta.Part;
import io.trimtab.model.Patch;
import io.trimtab.model.Site;
import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What several children do at one site: in sequence, or summed by weight. */
final class CombinedPart implements Part {
  private final List<Part> parts;
  private final List<Double> weights;
  private final boolean mixture;

  /**
   * Parts at the same site.
   *
   * @param weights of a sum or mixture; empty for a sequence
   * @param mixture whether nothing of what the base itself gives is left
   */
  CombinedPart(List<Part> parts, List<Double> weights, boolean mixture) {
    this.mixture = mixture;
    this.parts = List.copyOf(parts);
    this.weights = List.copyOf(weights);
  }

  @Override
  public Site<?> site() {
    return parts.getFirst().site();
  }

  @Override
  public Patch patch() {
    List<Patch> patches = parts.stream().map(Part::patch).toList();
    return WholeRows.like(
        patches,
        weights.isEmpty()
            ? Combine.inSequence(patches)
            : Combine.weighted(patches, weights, mixture));
  }

  @Override
  public List<Parameter> parameters() {
    return parts.stream().flatMap(part -> part.parameters().stream()).toList();
  }

  @Override
  public List<Parameter> constants() {
    return parts.stream().flatMap(part -> part.constants().stream()).toList();
  }

  @Override
  public Map<String, String> aliases() {
    Map<String, String> aliases = new HashMap<>();
    parts.forEach(part -> aliases.putAll(part.aliases()));
    return aliases;
  }

  @Override
  public List<String> baseTensors() {
    Set<String> names = new LinkedHashSet<>();
    parts.forEach(part -> names.addAll(part.baseTensors()));
    return new ArrayList<>(names);
  }

  @Override
  public Tensor merge(String name, Tensor stored) {
    Tensor sum = stored;
    for (int i = 0; i < parts.size(); i++) {
      Part part = parts.get(i);
      if (!part.baseTensors().contains(name)) {
        continue;
      }
      if (weights.isEmpty()) {
        sum = part.merge(name, sum);
      } else {
        refuseMixture();
        Tensor before = stored.to(DType.F32);
        Tensor change = Arithmetic.subtract(part.merge(name, stored).to(DType.F32), before);
        sum = Arithmetic.addScaled(sum.to(DType.F32), change, weights.get(i));
      }
    }
    return sum.to(stored.dtype());
  }

  private void refuseMixture() {
    if (mixture) {
      throw new DeltaException.Unsupported(
          "found a mixture of deltas, expected a sum or a union: a mixture scales what the base"
              + " gives, which is not merged; use the delta beside the model");
    }
  }
}
