package io.trimtab.model;

import io.trimtab.tensor.Creation;
import io.trimtab.tensor.Neural;
import io.trimtab.tensor.Tensor;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;

/** Layer normalisation (Ba, Kiros and Hinton, 2016), with sites for its weight and bias. */
public final class Norm extends Layer {
  private final Tensor weight;
  private final @Nullable Tensor bias;
  private final double epsilon;
  private final Site<Patch.Effective> weightSite;
  private final Site<Patch.Effective> biasSite;

  /** A norm over the last dimension, [n], without bias where that is null. */
  public Norm(String path, Tensor weight, @Nullable Tensor bias, double epsilon) {
    super(path);
    this.weight = weight;
    this.bias = bias;
    this.epsilon = epsilon;
    weightSite = Site.tensor(path + ".weight");
    biasSite = Site.tensor(path + ".bias");
  }

  /** [tokens, n] to [tokens, n]. */
  public Tensor forward(Tensor input, Pass pass) {
    if (!pass.touches(weightSite) && !pass.touches(biasSite)) {
      return Neural.layerNorm(input, weight, bias, epsilon);
    }
    return pass.perSegment(
        (patches, start, inside) -> {
          Patch.Effective atWeight = patches.at(weightSite);
          Patch.Effective atBias = patches.at(biasSite);
          Tensor w = atWeight == null ? weight : atWeight.apply(weight, inside);
          Tensor b = atBias == null ? bias : atBias.apply(biasOrZeros(), inside);
          return Neural.layerNorm(inside.cut(input, start), w, b, epsilon);
        });
  }

  /** A norm without a bias is one with zeros, where a patch puts something in their place. */
  private Tensor biasOrZeros() {
    return bias != null ? bias : Creation.zeros(weight.dtype(), weight.device(), weight.size(0));
  }

  @Override
  public SequencedMap<String, Tensor> tensors() {
    SequencedMap<String, Tensor> tensors = new LinkedHashMap<>();
    tensors.put(weightSite.path(), weight);
    if (bias != null) {
      tensors.put(biasSite.path(), bias);
    }
    return Collections.unmodifiableSequencedMap(tensors);
  }
}
