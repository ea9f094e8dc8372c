package io.trimtab.model;

import io.trimtab.kernel.RowMath;
import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.Neural;
import io.trimtab.tensor.Tensor;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;

/** A normalisation over the last dimension, with sites for its weight and bias. */
public final class Norm extends Layer {
  /** What is divided by, and what the weight means. */
  public enum Kind {
    /** Layer normalisation (Ba, Kiros and Hinton, 2016): mean 0, variance 1. */
    LAYER,
    /** Root-mean-square normalisation (Zhang and Sennrich, 2019): mean square 1. */
    ROOT_MEAN_SQUARE,
    /** The same with weights that are stored minus one, as in Gemma. */
    ROOT_MEAN_SQUARE_FROM_ONE
  }

  private final Kind kind;
  private final Tensor weight;
  private final @Nullable Tensor bias;
  private final double epsilon;
  private final Site<Patch.Effective> weightSite;
  private final Site<Patch.Effective> biasSite;
  private volatile @Nullable Values values;

  /** Weight and bias as arrays, made when they are first asked for. */
  @SuppressWarnings("ArrayRecordComponent") // never written, and never compared
  private record Values(float[] weight, float[] bias) {}

  /** A layer normalisation over the last dimension, [n], without bias where that is null. */
  public Norm(String path, Tensor weight, @Nullable Tensor bias, double epsilon) {
    this(path, Kind.LAYER, weight, bias, epsilon);
  }

  /** A norm of any kind; only layer normalisation has a bias. */
  public Norm(String path, Kind kind, Tensor weight, @Nullable Tensor bias, double epsilon) {
    super(path);
    this.kind = kind;
    this.weight = weight;
    this.bias = bias;
    this.epsilon = epsilon;
    weightSite = Site.tensor(path + ".weight");
    biasSite = Site.tensor(path + ".bias");
  }

  /** The size of what it norms. */
  public long size() {
    return weight.size(0);
  }

  /** [tokens, .., n] to [tokens, .., n]. */
  public Tensor forward(Tensor input, Pass pass) {
    if (!pass.touches(weightSite) && !pass.touches(biasSite)) {
      return apply(input, weight, bias);
    }
    return pass.perSegment(
        (patches, start, inside) -> {
          Patch.Effective atWeight = patches.at(weightSite);
          Patch.Effective atBias = patches.at(biasSite);
          Tensor w = atWeight == null ? weight : atWeight.apply(weight, inside);
          Tensor b = atBias == null ? bias : atBias.apply(biasOrZeros(), inside);
          return apply(inside.cut(input, start), w, b);
        });
  }

  private Tensor apply(Tensor input, Tensor w, @Nullable Tensor b) {
    return switch (kind) {
      case LAYER -> Neural.layerNorm(input, w, b, epsilon);
      case ROOT_MEAN_SQUARE -> plus(rootMeanSquare(input, w), b);
      case ROOT_MEAN_SQUARE_FROM_ONE -> plus(rootMeanSquare(input, Arithmetic.add(w, 1)), b);
    };
  }

  private Tensor rootMeanSquare(Tensor input, Tensor w) {
    return !w.requiresGradient() && Fused.fits(input, w)
        ? Fused.rmsNorm(input, w, epsilon)
        : Neural.rmsNorm(input, w, epsilon);
  }

  /** Norms each stretch of {@link #size} numbers in place, as {@link #forward} does it. */
  void apply(float[] x) {
    Values known = values();
    for (int at = 0; at < x.length; at += known.weight().length) {
      switch (kind) {
        case LAYER -> RowMath.layerNorm(x, at, known.weight(), known.bias(), epsilon);
        case ROOT_MEAN_SQUARE, ROOT_MEAN_SQUARE_FROM_ONE ->
            RowMath.rmsNorm(x, at, known.weight(), epsilon);
      }
    }
  }

  private Values values() {
    Values known = values;
    if (known == null) {
      float[] numbers = weight.toFloats();
      if (kind == Kind.ROOT_MEAN_SQUARE_FROM_ONE) {
        for (int i = 0; i < numbers.length; i++) {
          numbers[i] += 1;
        }
      }
      known = new Values(numbers, bias == null ? new float[numbers.length] : bias.toFloats());
      values = known;
    }
    return known;
  }

  private static Tensor plus(Tensor normed, @Nullable Tensor b) {
    return b == null ? normed : Arithmetic.add(normed, b);
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
