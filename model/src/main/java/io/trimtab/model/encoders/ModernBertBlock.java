package io.trimtab.model.encoders;

import io.trimtab.model.Activation;
import io.trimtab.model.Attention;
import io.trimtab.model.Block;
import io.trimtab.model.Layer;
import io.trimtab.model.Linear;
import io.trimtab.model.Norm;
import io.trimtab.model.Pass;
import io.trimtab.model.Place;
import io.trimtab.model.Positions;
import io.trimtab.model.Prefixes;
import io.trimtab.model.Rotary;
import io.trimtab.model.Sublayer;
import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;

/**
 * A layer of ModernBERT (Warner et al., 2024): norms before attention and feed-forward, rotated
 * queries and keys, a gated feed-forward, and in local layers a window around each token.
 */
final class ModernBertBlock extends Block {
  /**
   * The parts of a block.
   *
   * @param attentionNorm null in the first layer, whose input is normed already
   * @param queryKeyValue hidden to three times hidden
   * @param attentionOutput hidden to hidden
   * @param gate hidden to twice the inner size: what is activated, then what it is multiplied by
   * @param down the inner size to hidden
   */
  record Parts(
      @Nullable Norm attentionNorm,
      Linear queryKeyValue,
      Linear attentionOutput,
      Norm feedForwardNorm,
      Linear gate,
      Activation activation,
      Linear down) {}

  private final Parts parts;
  private final int heads;
  private final Rotary rotary;
  private final int window;
  private final Sublayer attention;
  private final Sublayer feedForward;

  /**
   * A block of the given parts.
   *
   * @param window how many tokens to each side are seen; {@link Integer#MAX_VALUE} for all
   */
  ModernBertBlock(String path, Parts parts, int heads, double theta, int window) {
    super(path);
    this.parts = parts;
    this.heads = heads;
    this.rotary = Rotary.of((int) (parts.queryKeyValue().weight().out() / 3 / heads), theta);
    this.window = window;
    attention = Sublayer.attention(Sublayer.pathOf(parts.attentionOutput(), path), null);
    feedForward = Sublayer.feedForward(Sublayer.pathOf(parts.down(), path), null);
  }

  @Override
  public Tensor forward(Tensor hidden, Pass pass, @Nullable Positions wanted) {
    return Scope.of(
        () -> {
          Norm norm = parts.attentionNorm();
          Tensor normed = norm == null ? hidden : norm.forward(hidden, pass);
          Pass reading = wanted == null ? pass : pass.at(wanted);
          Tensor residual = chosen(hidden, wanted);
          Tensor mixed = parts.attentionOutput().forward(mix(normed, pass, wanted), reading);
          Tensor attended = attention.finish(chosen(normed, wanted), mixed, residual, reading);
          Tensor input = parts.feedForwardNorm().forward(attended, reading);
          Tensor result = feedForward.finish(input, transform(input, reading), attended, reading);
          return output(residual, result, reading);
        });
  }

  private Tensor mix(Tensor normed, Pass pass, @Nullable Positions wanted) {
    Tensor all = parts.queryKeyValue().forward(normed, pass);
    long size = all.size(1) / 3;
    Prefixes prefixes = attention.prefixes(normed, pass);
    int[] later = prefixes.shifts(pass.layout().rows());
    Rotary.Angles angles = rotary.angles(pass, later, all.dtype(), all.device());
    Tensor query = angles.rotate(Indexing.slice(all, 1, 0, size), heads);
    Tensor key = angles.rotate(Indexing.slice(all, 1, size, size), heads);
    Tensor value = Indexing.slice(all, 1, 2 * size, size);
    return Attention.packed(
        chosen(query, wanted),
        key,
        value,
        Attention.Form.whole(heads, 1 / Math.sqrt((double) size / heads)),
        new Attention.Use(pass, wanted, (run, q, k) -> outside(run, wanted, q), prefixes, null));
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
    return (int) parts.queryKeyValue().weight().out() / 3;
  }

  @Override
  public SequencedMap<String, Place> places() {
    SequencedMap<String, Place> places = new LinkedHashMap<>();
    int size = keySize();
    places.put("attn", Place.of(attention));
    places.put("attn.q", Place.of(parts.queryKeyValue(), 0, size));
    places.put("attn.k", Place.of(parts.queryKeyValue(), size, size));
    places.put("attn.v", Place.of(parts.queryKeyValue(), 2 * size, size));
    places.put("attn.proj", Place.of(parts.attentionOutput()));
    if (parts.attentionNorm() != null) {
      places.put("attn.layer_norm", Place.of(parts.attentionNorm()));
    }
    places.put("ff", Place.of(feedForward));
    int inner = (int) parts.gate().weight().out() / 2;
    places.put("ff.w1", Place.of(parts.gate(), 0, inner));
    places.put("ff.w3", Place.of(parts.gate(), inner, inner));
    places.put("ff.w2", Place.of(parts.down()));
    places.put("ff.layer_norm", Place.of(parts.feedForwardNorm()));
    return places;
  }

  /** Minus infinity for keys outside the window; null where every key is inside. */
  private @Nullable Tensor outside(Attention.Run run, @Nullable Positions wanted, Tensor query) {
    if (run.keys() - 1 <= window) {
      return null;
    }
    float[] values = new float[2 * run.keys() - 1];
    for (int i = 0; i < values.length; i++) {
      boolean inside = Math.abs(i - run.keys() + 1) <= window;
      values[i] = inside ? 0 : Float.NEGATIVE_INFINITY;
    }
    Tensor byDistance = Creation.floats(values, values.length).to(query.dtype()).to(query.device());
    return Indexing.unsqueeze(Distances.lookup(run, wanted, byDistance), 1);
  }

  private Tensor transform(Tensor normed, Pass pass) {
    Tensor both = parts.gate().forward(normed, pass);
    long inner = both.size(1) / 2;
    Tensor active = parts.activation().apply(Indexing.slice(both, 1, 0, inner));
    Tensor gated = Arithmetic.multiply(active, Indexing.slice(both, 1, inner, inner));
    return parts.down().forward(gated, pass);
  }

  private static Tensor chosen(Tensor tokens, @Nullable Positions wanted) {
    return wanted == null ? tokens : Indexing.select(tokens, 0, wanted.indices(tokens.device()));
  }

  @Override
  public List<Layer> children() {
    List<Layer> children = new ArrayList<>();
    if (parts.attentionNorm() != null) {
      children.add(parts.attentionNorm());
    }
    children.add(parts.queryKeyValue());
    children.add(parts.attentionOutput());
    children.add(attention);
    children.add(parts.feedForwardNorm());
    children.add(parts.gate());
    children.add(parts.down());
    children.add(feedForward);
    return List.copyOf(children);
  }
}
