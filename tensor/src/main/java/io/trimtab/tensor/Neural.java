package io.trimtab.tensor;

import java.util.List;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/** Activations, normalisation, attention, losses: what neural networks are made of. */
public final class Neural {
  /** Keys up to which attention trains in 32 bits on the CPU: converting is cheap. */
  private static final long LONGEST_CONVERTED = 64;

  /** Keys up to which plain products in BF16 train faster than the fused kernel in 32 bits. */
  private static final long LONGEST_BY_PRODUCTS = 1024;

  /** Keys up to which the fused causal kernel trains faster than plain products in 32 bits. */
  private static final long LONGEST_FUSED = 192;

  private Neural() {}

  /** GELU with the error function: x Φ(x). */
  public static Tensor gelu(Tensor input) {
    return Call.of(() -> torch.gelu(input.handle(), "none"), input);
  }

  /** GELU by its tanh approximation. */
  public static Tensor geluTanh(Tensor input) {
    return Call.of(() -> torch.gelu(input.handle(), "tanh"), input);
  }

  /** max(x, 0). */
  public static Tensor relu(Tensor input) {
    return Call.of(() -> torch.relu(input.handle()), input);
  }

  /** x σ(x), also known as swish. */
  public static Tensor silu(Tensor input) {
    return Call.of(() -> torch.silu(input.handle()), input);
  }

  /** Hyperbolic tangent. */
  public static Tensor tanh(Tensor input) {
    return Call.of(() -> torch.tanh(input.handle()), input);
  }

  /** 1 / (1 + e⁻ˣ). */
  public static Tensor sigmoid(Tensor input) {
    return Call.of(() -> torch.sigmoid(input.handle()), input);
  }

  /**
   * Layer normalisation over the last dimension.
   *
   * @param input [.., n]
   * @param weight [n]
   * @param bias [n], or null for none
   * @param epsilon added to the variance
   */
  public static Tensor layerNorm(
      Tensor input, Tensor weight, @Nullable Tensor bias, double epsilon) {
    return Call.of(
        () ->
            torch.layer_norm(
                input.handle(),
                new long[] {weight.size(0)},
                new TensorOptional(weight.handle()),
                optional(bias),
                epsilon,
                true),
        input,
        weight,
        bias);
  }

  /**
   * Root-mean-square normalisation over the last dimension: x / √(mean(x²) + epsilon) · weight.
   *
   * @param input [.., n]
   * @param weight [n]
   * @param epsilon added to the mean square
   */
  public static Tensor rmsNorm(Tensor input, Tensor weight, double epsilon) {
    return Call.of(
        () ->
            torch.rms_norm(
                input.handle(),
                new long[] {weight.size(0)},
                new TensorOptional(weight.handle()),
                new DoubleOptional(epsilon)),
        input,
        weight);
  }

  /** Softmax over a dimension. */
  public static Tensor softmax(Tensor input, int dimension) {
    return Call.of(() -> torch.softmax(input.handle(), dimension, Native.SAME_TYPE), input);
  }

  /** Logarithm of the softmax over a dimension. */
  public static Tensor logSoftmax(Tensor input, int dimension) {
    return Call.of(() -> torch.log_softmax(input.handle(), dimension, Native.SAME_TYPE), input);
  }

  /**
   * softmax(Q Kᵀ · scale + mask) V, by the kernel that is fastest for these sizes and this type.
   *
   * @param query [batch, heads, queries, size]
   * @param key [batch, heads, keys, size]
   * @param value [batch, heads, keys, size]
   * @param mask added to the scores, broadcast to [batch, heads, queries, keys]; null for none
   * @param scale usually 1 / √size
   * @return [batch, heads, queries, size]
   */
  public static Tensor attention(
      Tensor query, Tensor key, Tensor value, @Nullable Tensor mask, double scale) {
    return attention(query, key, value, mask, false, scale);
  }

  /**
   * The same where query i sees only keys 0 to i, by a kernel that leaves the others out.
   *
   * @param query [batch, heads, n, size]
   * @param key [batch, heads, n, size]
   * @param value [batch, heads, n, size]
   */
  public static Tensor causalAttention(Tensor query, Tensor key, Tensor value, double scale) {
    return attention(query, key, value, null, true, scale);
  }

  private static Tensor attention(
      Tensor query, Tensor key, Tensor value, @Nullable Tensor mask, boolean causal, double scale) {
    DType type = query.dtype();
    boolean half = type == DType.BF16 || type == DType.F16;
    boolean trains = query.requiresGradient() || key.requiresGradient() || value.requiresGradient();
    boolean likesHalf = type != DType.BF16 || Engine.hasMatrixUnit();
    if (query.device().kind() != Device.Kind.CPU || (!trains && likesHalf)) {
      return fusedAttention(query, key, value, mask, causal, scale);
    }
    boolean products =
        key.size(2) <= LONGEST_BY_PRODUCTS || (!trains && query.size(2) <= LONGEST_CONVERTED);
    long converted = trains ? LONGEST_CONVERTED : LONGEST_CONVERTED / 2;
    if (causal && products && key.size(2) > (half ? converted : LONGEST_FUSED)) {
      return attentionByProducts(query, key, value, later(key, key.size(2)), scale);
    }
    if (!half) {
      return fusedAttention(query, key, value, mask, causal, scale);
    }
    // On the CPU the fused kernel's gradient takes several times as long in 16 bits as in 32, and
    // for short rows, or without a matrix unit, its result does too.
    if (type == DType.BF16 && !causal && products && key.size(2) > converted) {
      return attentionByProducts(query, key, value, mask, scale);
    }
    Tensor wide =
        fusedAttention(
            query.to(DType.F32),
            key.to(DType.F32),
            value.to(DType.F32),
            mask == null ? null : mask.to(DType.F32),
            causal,
            scale);
    return wide.to(type);
  }

  /**
   * What takes every key after a query out of its sight when it is added to the scores.
   *
   * @param like of the type and on the device wanted
   * @param count of queries and of keys
   * @return [count, count]
   */
  public static Tensor later(Tensor like, long count) {
    Tensor none =
        Creation.full(Double.NEGATIVE_INFINITY, like.dtype(), like.device(), count, count);
    return Call.of(() -> torch.triu(none.handle(), 1), none);
  }

  /** With all scores in memory, which is no loss as long as rows are not long. */
  private static Tensor attentionByProducts(
      Tensor query, Tensor key, Tensor value, @Nullable Tensor mask, double scale) {
    Tensor products = LinearAlgebra.matmul(query, key.transpose(2, 3));
    Tensor scores = Arithmetic.multiply(products, scale);
    Tensor masked = mask == null ? scores : Arithmetic.add(scores, mask);
    return LinearAlgebra.matmul(softmax(masked, 3), value);
  }

  private static Tensor fusedAttention(
      Tensor query, Tensor key, Tensor value, @Nullable Tensor mask, boolean causal, double scale) {
    return Call.of(
        () ->
            torch.scaled_dot_product_attention(
                query.handle(),
                key.handle(),
                value.handle(),
                optional(mask),
                0.0,
                causal,
                new DoubleOptional(scale),
                false),
        query,
        key,
        value,
        mask);
  }

  /**
   * Zeroes each element with the given probability and scales the others up by 1 / (1 -
   * probability).
   */
  public static Tensor dropout(Tensor input, double probability, Rng rng) {
    double kept = keptBy(probability);
    if (probability == 0) {
      return input;
    }
    if (DropMask.fits(input)) {
      return DropMask.draw(rng, kept, input.elements()).dropped(input, 1 / kept);
    }
    return Arithmetic.multiply(
        input, rng.mask(kept, 1 / kept, input.dtype(), input.device(), input.shape()));
  }

  /**
   * dropout(x) Wᵀ for a thin W: the same as both one after the other up to rounding, but that no
   * copy of x is kept for the backward pass.
   *
   * @param input x, [tokens, in]
   * @param weight W, [out, in]
   * @param probability that an element is zeroed
   * @return [tokens, out]
   */
  public static Tensor dropoutLinear(Tensor input, Tensor weight, double probability, Rng rng) {
    double kept = keptBy(probability);
    if (probability == 0 || input.rank() != 2 || !DropMask.fits(input)) {
      return LinearAlgebra.linear(dropout(input, probability, rng), weight, null);
    }
    DropMask mask = DropMask.draw(rng, kept, input.elements());
    return Gradients.custom(
        new DropMask.Linear(input, weight, mask, 1 / kept), List.of(input, weight));
  }

  private static double keptBy(double probability) {
    if (!(probability >= 0 && probability < 1)) {
      throw new TensorException(
          "found a dropout probability of "
              + probability
              + ", expected 0 or more and less than 1; pass 0 for no dropout");
    }
    return 1 - probability;
  }

  /**
   * Mean cross-entropy of rows of logits against class indices.
   *
   * @param logits [rows, classes]
   * @param classes I64 [rows]
   * @return a scalar
   */
  public static Tensor crossEntropy(Tensor logits, Tensor classes) {
    return Call.of(
        () -> torch.cross_entropy_loss(logits.handle(), classes.handle()), logits, classes);
  }

  private static TensorOptional optional(@Nullable Tensor tensor) {
    return tensor == null ? Native.NO_TENSOR : new TensorOptional(tensor.handle());
  }
}
