package io.trimtab.model.encoders;

import io.trimtab.model.Activation;
import io.trimtab.model.Attention;
import io.trimtab.model.Block;
import io.trimtab.model.Layer;
import io.trimtab.model.Layout;
import io.trimtab.model.Linear;
import io.trimtab.model.Norm;
import io.trimtab.model.Pass;
import io.trimtab.model.Positions;
import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
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

  /**
   * A block of the given parts.
   *
   * @param window how many tokens to each side are seen; {@link Integer#MAX_VALUE} for all
   */
  ModernBertBlock(String path, Parts parts, int heads, double theta, int window) {
    super(path);
    this.parts = parts;
    this.heads = heads;
    this.rotary = new Rotary((int) (parts.queryKeyValue().weight().out() / 3 / heads), theta);
    this.window = window;
  }

  @Override
  public Tensor forward(Tensor hidden, Pass pass, @Nullable Positions wanted) {
    return Scope.of(
        () -> {
          Tensor mixed = mix(hidden, pass, wanted);
          Pass reading = wanted == null ? pass : pass.at(wanted.layout());
          Tensor attended =
              Arithmetic.add(
                  chosen(hidden, wanted), parts.attentionOutput().forward(mixed, reading));
          Tensor normed = parts.feedForwardNorm().forward(attended, reading);
          return Arithmetic.add(attended, feedForward(normed, reading));
        });
  }

  private Tensor mix(Tensor hidden, Pass pass, @Nullable Positions wanted) {
    Norm norm = parts.attentionNorm();
    Tensor normed = norm == null ? hidden : norm.forward(hidden, pass);
    Tensor all = parts.queryKeyValue().forward(normed, pass);
    long size = all.size(1) / 3;
    Rotary.Angles angles = rotary.angles(pass.layout(), all.dtype(), all.device());
    Tensor query = angles.rotate(Indexing.slice(all, 1, 0, size), heads);
    Tensor key = angles.rotate(Indexing.slice(all, 1, size, size), heads);
    Tensor value = Indexing.slice(all, 1, 2 * size, size);
    Layout queries = wanted == null ? pass.layout() : wanted.layout();
    return Attention.packed(
        chosen(query, wanted),
        key,
        value,
        queries,
        pass.layout(),
        heads,
        1 / Math.sqrt((double) size / heads),
        (run, q, k) -> outside(run, wanted, q));
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

  private Tensor feedForward(Tensor normed, Pass pass) {
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
    children.add(parts.feedForwardNorm());
    children.add(parts.gate());
    children.add(parts.down());
    return List.copyOf(children);
  }
}
