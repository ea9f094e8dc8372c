package io.trimtab.model;

import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
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
  private final Sublayer attention;
  private final Sublayer feedForward;

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
    attention =
        Sublayer.attention(Sublayer.pathOf(parts.attentionOutput(), path), parts.attentionNorm());
    feedForward = Sublayer.feedForward(Sublayer.pathOf(parts.down(), path), parts.outputNorm());
  }

  @Override
  public Tensor forward(Tensor hidden, Pass pass, @Nullable Positions wanted) {
    return Scope.of(
        () -> {
          Pass reading = wanted == null ? pass : pass.at(wanted);
          Tensor residual =
              wanted == null ? hidden : Indexing.select(hidden, 0, wanted.indices(hidden.device()));
          Tensor mixed =
              Attention.packed(
                  parts.query().forward(residual, reading),
                  parts.key().forward(hidden, pass),
                  parts.value().forward(hidden, pass),
                  Attention.Form.whole(heads, scale),
                  new Attention.Use(
                      pass,
                      wanted,
                      bias == null ? Attention.Bias.NONE : bias.of(pass, wanted),
                      attention.prefixes(hidden, pass),
                      null));
          Tensor projected = parts.attentionOutput().forward(mixed, reading);
          Tensor attended = attention.finish(residual, projected, residual, reading);
          Tensor inner = parts.activation().apply(parts.up().forward(attended, reading));
          Tensor lowered = parts.down().forward(inner, reading);
          Tensor result = feedForward.finish(attended, lowered, attended, reading);
          return output(residual, result, reading);
        });
  }

  @Override
  public Sublayer attention() {
    return attention;
  }

  @Override
  public Sublayer feedForward() {
    return feedForward;
  }

  @Override
  public int hiddenSize() {
    return (int) parts.attentionOutput().weight().out();
  }

  @Override
  public int keyHeads() {
    return heads;
  }

  @Override
  public int keySize() {
    return (int) parts.key().weight().out();
  }

  @Override
  public SequencedMap<String, Place> places() {
    SequencedMap<String, Place> places = new LinkedHashMap<>();
    places.put("attn", Place.of(attention));
    places.put("attn.q", Place.of(parts.query()));
    places.put("attn.k", Place.of(parts.key()));
    places.put("attn.v", Place.of(parts.value()));
    places.put("attn.proj", Place.of(parts.attentionOutput()));
    places.put("attn.layer_norm", Place.of(parts.attentionNorm()));
    places.put("ff", Place.of(feedForward));
    places.put("ff.w1", Place.of(parts.up()));
    places.put("ff.w2", Place.of(parts.down()));
    places.put("ff.layer_norm", Place.of(parts.outputNorm()));
    return places;
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
            attention,
            parts.up(),
            parts.down(),
            parts.outputNorm(),
            feedForward));
    return List.copyOf(children);
  }
}
