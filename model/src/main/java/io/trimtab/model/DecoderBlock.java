package io.trimtab.model;

import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Objects;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;

/**
 * A decoder's layer: attention to earlier tokens and a feed-forward network, each normed before or
 * after and added to its input, one after the other or side by side. GPT-2, Llama and most that
 * came later are this block with other parts.
 */
public final class DecoderBlock extends Block {
  /**
   * The parts of a block.
   *
   * @param attentionNorm over what attention is given, or null
   * @param projections queries, keys and values
   * @param queryNorm over queries, of each head or of all together as its size says, or null
   * @param keyNorm over keys, likewise
   * @param rotary what turns queries and keys, or null where positions are embedded or unknown
   * @param attentionOutput heads · size to hidden
   * @param attentionOutputNorm over what attention gives, before the addition, or null
   * @param feedForwardNorm over what the feed-forward network is given, or null
   * @param feedForward the network
   * @param feedForwardOutputNorm over what it gives, before the addition, or null
   * @param parallel whether the network is given the block's input rather than attention's result
   */
  public record Parts(
      @Nullable Norm attentionNorm,
      Projections projections,
      @Nullable Norm queryNorm,
      @Nullable Norm keyNorm,
      @Nullable Rotary rotary,
      Linear attentionOutput,
      @Nullable Norm attentionOutputNorm,
      @Nullable Norm feedForwardNorm,
      FeedForward feedForward,
      @Nullable Norm feedForwardOutputNorm,
      boolean parallel) {}

  private final Parts parts;
  private final Attention.Form form;
  private final int size;
  private final Sublayer attention;
  private final Sublayer feedForward;
  private volatile @Nullable DecoderStep step;
  private volatile boolean stepIsKnown;

  /** A block of the given parts. */
  public DecoderBlock(String path, Parts parts, Attention.Form form) {
    super(path);
    this.parts = parts;
    this.form = form;
    size = (int) parts.attentionOutput().weight().in() / form.heads();
    attention =
        Sublayer.preNorm(
            Sublayer.pathOf(parts.attentionOutput(), path), parts.attentionOutputNorm(), true);
    feedForward =
        Sublayer.preNorm(parts.feedForward().sublayer(path), parts.feedForwardOutputNorm(), false);
  }

  @Override
  public Tensor forward(Tensor hidden, Pass pass, @Nullable Positions wanted) {
    boolean all = wanted == null || wanted.layout().tokens() == 1;
    if (all && DecoderStep.isOneToken(hidden, pass)) {
      DecoderStep alone = step();
      if (alone != null && alone.fits(pass)) {
        return alone.forward(hidden, pass);
      }
    }
    return general(hidden, pass, wanted);
  }

  /** Whether single tokens of it are computed outside the engine. */
  boolean stepsAlone() {
    return step() != null;
  }

  private @Nullable DecoderStep step() {
    if (!stepIsKnown) { // two threads that ask at once make equal ones
      step = DecoderStep.of(this, parts, form);
      stepIsKnown = true;
    }
    return step;
  }

  /** The block by the engine, for any number of tokens. */
  Tensor general(Tensor hidden, Pass pass, @Nullable Positions wanted) {
    return Scope.of(
        () -> {
          Pass reading = wanted == null ? pass : pass.at(wanted);
          Tensor residual = Projections.chosen(hidden, wanted);
          Tensor normed = normed(parts.attentionNorm(), hidden, pass);
          Tensor mixed = parts.attentionOutput().forward(mix(normed, pass, wanted), reading);
          Tensor given = Projections.chosen(normed, wanted);
          Tensor attended = attention.finish(given, mixed, residual, reading);
          Tensor input =
              normed(parts.feedForwardNorm(), parts.parallel() ? residual : attended, reading);
          Tensor transformed = parts.feedForward().forward(input, reading);
          Tensor result = feedForward.finish(input, transformed, attended, reading);
          return output(residual, result, reading);
        });
  }

  private static Tensor normed(@Nullable Norm norm, Tensor tokens, Pass pass) {
    return norm == null ? tokens : norm.forward(tokens, pass);
  }

  private Tensor mix(Tensor normed, Pass pass, @Nullable Positions wanted) {
    Projections.Made made = parts.projections().of(normed, pass, wanted);
    Pass reading = wanted == null ? pass : pass.at(wanted);
    Prefixes prefixes = attention.prefixes(normed, pass);
    Tensor query = perHead(parts.queryNorm(), made.query(), form.heads(), reading);
    Tensor key = perHead(parts.keyNorm(), made.key(), form.keyHeads(), pass);
    Rotary rotary = parts.rotary();
    boolean later = rotary != null && rotary.dependsOnLength() && pass.cache().isPresent();
    if (rotary != null) {
      Rotary.Angles angles = angles(rotary, prefixes, pass, query.dtype(), query.device());
      query =
          (wanted == null ? angles : angles.at(wanted.indices(query.device())))
              .rotate(query, form.heads());
      key = later ? key : angles.rotate(key, form.keyHeads());
    }
    return Attention.packed(
        query,
        key,
        made.value(),
        form,
        new Attention.Use(pass, wanted, Attention.Bias.NONE, prefixes, later ? rotary : null));
  }

  /** A norm of each head, or of all of them together where it is as large. */
  private Tensor perHead(@Nullable Norm norm, Tensor packed, int heads, Pass pass) {
    if (norm == null) {
      return packed;
    }
    return norm.size() == packed.size(1)
        ? norm.forward(packed, pass)
        : norm.forward(packed.reshape(packed.size(0), heads, size), pass)
            .reshape(packed.size(0), packed.size(1));
  }

  /** What angles are shared by: blocks that turn alike. */
  private record AnglesKey(Rotary rotary, List<Integer> later) {}

  private static Rotary.Angles angles(
      Rotary rotary, Prefixes prefixes, Pass pass, DType dtype, Device device) {
    int[] later = prefixes.shifts(pass.layout().rows());
    return pass.shared(
        new AnglesKey(rotary, Arrays.stream(later).boxed().toList()),
        common -> {
          Rotary.Angles angles = rotary.angles(pass, later, dtype, device);
          return new Rotary.Angles(common.hold(angles.cosine()), common.hold(angles.sine()));
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
    return form.keyHeads();
  }

  @Override
  public int keySize() {
    return form.keyHeads() * size;
  }

  @Override
  public SequencedMap<String, Place> places() {
    SequencedMap<String, Place> places = new LinkedHashMap<>();
    places.put("attn", Place.of(attention));
    parts.projections().addPlaces(places);
    places.put("attn.proj", Place.of(parts.attentionOutput()));
    addNorm(places, "attn.layer_norm", parts.attentionNorm(), parts.attentionOutputNorm());
    places.put("ff", Place.of(feedForward));
    parts.feedForward().addPlaces(places);
    addNorm(places, "ff.layer_norm", parts.feedForwardNorm(), parts.feedForwardOutputNorm());
    return places;
  }

  /** The norm before, or where there is none, that after. */
  private static void addNorm(
      SequencedMap<String, Place> places,
      String name,
      @Nullable Norm before,
      @Nullable Norm after) {
    Norm norm = before == null ? after : before;
    if (norm != null) {
      places.put(name, Place.of(norm));
    }
  }

  @Override
  public List<Layer> children() {
    List<@Nullable Layer> children = new ArrayList<>();
    children.add(parts.attentionNorm());
    children.addAll(parts.projections().layers());
    children.add(parts.queryNorm());
    children.add(parts.keyNorm());
    children.add(parts.attentionOutput());
    children.add(parts.attentionOutputNorm());
    children.add(attention);
    children.add(parts.feedForwardNorm());
    children.addAll(parts.feedForward().layers());
    children.add(parts.feedForwardOutputNorm());
    children.add(feedForward);
    return children.stream().filter(Objects::nonNull).map(Layer.class::cast).toList();
  }
}
