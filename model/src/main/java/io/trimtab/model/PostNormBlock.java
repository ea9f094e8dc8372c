package io.trimtab.model;

import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The encoder layer of "Attention Is All You Need" (Vaswani et al., 2017, section 3.1) as BERT has
 * it: attention and feed-forward, each added to its input and then normalised.
 */
public final class PostNormBlock extends Block {
  /**
   * The parts of a block.
   *
   * @param query hidden to heads · size
   * @param key hidden to heads · size
   * @param value hidden to heads · size
   * @param attentionOutput heads · size to hidden
   * @param attentionNorm after the first addition
   * @param up hidden to the inner size
   * @param activation between {@code up} and {@code down}
   * @param down the inner size to hidden
   * @param outputNorm after the second addition
   */
  public record Parts(
      Linear query,
      Linear key,
      Linear value,
      Linear attentionOutput,
      Norm attentionNorm,
      Linear up,
      Activation activation,
      Linear down,
      Norm outputNorm) {}

  private final Parts parts;
  private final int heads;
  private final double scale;
  private final Attention.@Nullable PositionBias bias;

  /** A block of the given parts with so many attention heads, scores scaled by 1 / √size. */
  public PostNormBlock(String path, Parts parts, int heads) {
    this(path, parts, heads, 1 / Math.sqrt((double) parts.query().weight().out() / heads), null);
  }

  /**
   * A block whose scores are scaled otherwise or see relative positions.
   *
   * @param scale what products of queries and keys are multiplied by
   * @param bias what is added to the scores, or null
   */
  public PostNormBlock(
      String path, Parts parts, int heads, double scale, Attention.@Nullable PositionBias bias) {
    super(path);
    this.parts = parts;
    this.heads = heads;
    this.scale = scale;
    this.bias = bias;
  }

  @Override
  public Tensor forward(Tensor hidden, Pass pass, @Nullable Positions wanted) {
    return Scope.of(
        () -> {
          Pass reading = wanted == null ? pass : pass.at(wanted.layout());
          Tensor residual =
              wanted == null ? hidden : Indexing.select(hidden, 0, wanted.indices(hidden.device()));
          Tensor mixed =
              Attention.packed(
                  parts.query().forward(residual, reading),
                  parts.key().forward(hidden, pass),
                  parts.value().forward(hidden, pass),
                  reading.layout(),
                  pass.layout(),
                  heads,
                  scale,
                  bias == null ? Attention.Bias.NONE : bias.of(pass, wanted));
          return afterAttention(mixed, residual, reading);
        });
  }

  /** Everything after the mixing of values: [tokens, heads · size] to [tokens, hidden]. */
  private Tensor afterAttention(Tensor mixed, Tensor residual, Pass pass) {
    Tensor attended =
        parts
            .attentionNorm()
            .forward(Arithmetic.add(parts.attentionOutput().forward(mixed, pass), residual), pass);
    Tensor inner = parts.activation().apply(parts.up().forward(attended, pass));
    return parts
        .outputNorm()
        .forward(Arithmetic.add(parts.down().forward(inner, pass), attended), pass);
  }

  @Override
  public List<Layer> children() {
    List<Layer> children = new ArrayList<>(bias == null ? List.of() : bias.layers());
    children.addAll(
        List.of(
            parts.query(),
            parts.key(),
            parts.value(),
            parts.attentionOutput(),
            parts.attentionNorm(),
            parts.up(),
            parts.down(),
            parts.outputNorm()));
    return List.copyOf(children);
  }
}
