package io.trimtab.model;

import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;

/**
 * The layers of "Attention Is All You Need" (Vaswani et al., 2017, section 3.1): attention to the
 * stack's own tokens, in a decoder attention to an encoder's, and a feed-forward network, each
 * added to its input and normed before, as in T5, or after, as in BERT and BART.
 */
public final class TransformerBlock extends Block {
  /**
   * The parts of an attention.
   *
   * @param projections queries of those who ask, keys and values of what they read
   * @param output heads · size to hidden
   * @param norm before or after it
   * @param form heads, scale and mask
   */
  public record Attending(
      Projections.Separate projections, Linear output, Norm norm, Attention.Form form) {
    /** Checks that the queries can be cut into heads. */
    public Attending {
      Linear query = projections.query();
      if (query.weight().out() % form.heads() != 0) {
        throw new ModelException(
            "found "
                + form.heads()
                + " attention heads over the "
                + query.weight().out()
                + " numbers of "
                + query.path()
                + ", expected a divisor; correct config.json");
      }
    }

    /** Where every token sees its whole row, scores scaled by 1 / √size. */
    public static Attending whole(
        Projections.Separate projections, Linear output, Norm norm, int heads) {
      double size = (double) projections.query().weight().out() / heads;
      return new Attending(
          projections, output, norm, Attention.Form.whole(heads, 1 / Math.sqrt(size)));
    }
  }

  /**
   * The parts of a block.
   *
   * @param own attention to the stack's own tokens
   * @param bias what is added to its scores, or null
   * @param cross attention to an encoder's tokens, or null
   * @param feedForward the network
   * @param feedForwardNorm before or after it
   * @param normsAfter whether norms come after the additions
   */
  public record Parts(
      Attending own,
      Attention.@Nullable PositionBias bias,
      @Nullable Attending cross,
      FeedForward feedForward,
      Norm feedForwardNorm,
      boolean normsAfter) {
    /** An encoder's as BERT has it, with norms after the additions. */
    public static Parts postNorm(
        Attending own,
        Attention.@Nullable PositionBias bias,
        FeedForward feedForward,
        Norm feedForwardNorm) {
      return new Parts(own, bias, null, feedForward, feedForwardNorm, true);
    }
  }

  private final Parts parts;
  private final Sublayer attention;
  private final @Nullable Sublayer crossSublayer;
  private final @Nullable CrossAttention cross;
  private final Sublayer feedForward;

  /** A block of the given parts. */
  public TransformerBlock(String path, Parts parts) {
    super(path);
    this.parts = parts;
    attention = around(parts.own());
    crossSublayer = parts.cross() == null ? null : around(parts.cross());
    cross =
        parts.cross() == null || crossSublayer == null
            ? null
            : new CrossAttention(parts.cross(), crossSublayer);
    String network = parts.feedForward().sublayer(path);
    feedForward =
        parts.normsAfter()
            ? Sublayer.feedForward(network, parts.feedForwardNorm())
            : Sublayer.preNorm(network, null, false);
  }

  private Sublayer around(Attending attending) {
    String name = Sublayer.pathOf(attending.output(), path());
    return parts.normsAfter()
        ? Sublayer.attention(name, attending.norm())
        : Sublayer.preNorm(name, null, true);
  }

  @Override
  public Tensor forward(Tensor hidden, Pass pass, @Nullable Positions wanted) {
    return Scope.of(
        () -> {
          Pass reading = wanted == null ? pass : pass.at(wanted);
          Tensor residual = Projections.chosen(hidden, wanted);
          Tensor state = attend(hidden, residual, pass, reading, wanted);
          if (cross != null && crossSublayer != null && parts.cross() != null) {
            Tensor asking = given(parts.cross().norm(), state, reading);
            Tensor read = cross.forward(asking, pass, reading);
            state = crossSublayer.finish(asking, read, state, reading);
          }
          Tensor input = given(parts.feedForwardNorm(), state, reading);
          Tensor transformed = parts.feedForward().forward(input, reading);
          Tensor result = feedForward.finish(input, transformed, state, reading);
          return output(residual, result, reading);
        });
  }

  private Tensor attend(
      Tensor hidden, Tensor residual, Pass pass, Pass reading, @Nullable Positions wanted) {
    Attending own = parts.own();
    Tensor input = given(own.norm(), hidden, pass);
    Tensor asking = parts.normsAfter() ? residual : Projections.chosen(input, wanted);
    Projections.Made made = own.projections().of(input, pass, wanted);
    Attention.PositionBias bias = parts.bias();
    Attention.Use use =
        new Attention.Use(
            pass,
            wanted,
            bias == null ? Attention.Bias.NONE : bias.of(pass, wanted),
            attention.prefixes(input, pass),
            null);
    Tensor mixed = Attention.packed(made.query(), made.key(), made.value(), own.form(), use);
    Tensor projected = own.output().forward(mixed, reading);
    return attention.finish(asking, projected, residual, reading);
  }

  /** What a sublayer is given of its tokens. */
  private Tensor given(Norm norm, Tensor tokens, Pass pass) {
    return parts.normsAfter() ? tokens : norm.forward(tokens, pass);
  }

  @Override
  public Sublayer attention() {
    return attention;
  }

  @Override
  public Optional<Sublayer> crossAttention() {
    return Optional.ofNullable(crossSublayer);
  }

  @Override
  public Sublayer feedForward() {
    return feedForward;
  }

  @Override
  public int hiddenSize() {
    return (int) parts.own().output().weight().out();
  }

  @Override
  public int keyHeads() {
    return parts.own().form().keyHeads();
  }

  @Override
  public int keySize() {
    return (int) parts.own().projections().key().weight().out();
  }

  @Override
  public SequencedMap<String, Place> places() {
    SequencedMap<String, Place> places = new LinkedHashMap<>();
    places.put("attn", Place.of(attention));
    parts.own().projections().addPlaces(places);
    places.put("attn.proj", Place.of(parts.own().output()));
    places.put("attn.layer_norm", Place.of(parts.own().norm()));
    if (cross != null) {
      cross.addPlaces(places);
    }
    places.put("ff", Place.of(feedForward));
    parts.feedForward().addPlaces(places);
    places.put("ff.layer_norm", Place.of(parts.feedForwardNorm()));
    return places;
  }

  @Override
  public List<Layer> children() {
    List<Layer> children = new ArrayList<>();
    if (parts.bias() != null) {
      children.addAll(parts.bias().layers());
    }
    addTo(children, parts.own(), attention);
    if (parts.cross() != null && crossSublayer != null) {
      addTo(children, parts.cross(), crossSublayer);
    }
    List<Layer> network = parts.feedForward().layers();
    if (parts.normsAfter()) {
      children.addAll(network);
      children.add(parts.feedForwardNorm());
    } else {
      children.add(parts.feedForwardNorm());
      children.addAll(network);
    }
    children.add(feedForward);
    return List.copyOf(children);
  }

  private void addTo(List<Layer> children, Attending attending, Sublayer sublayer) {
    if (!parts.normsAfter()) {
      children.add(attending.norm());
    }
    children.addAll(attending.projections().layers());
    children.add(attending.output());
    if (parts.normsAfter()) {
      children.add(attending.norm());
    }
    children.add(sublayer);
  }
}
