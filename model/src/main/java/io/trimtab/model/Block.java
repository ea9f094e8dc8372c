package io.trimtab.model;

import io.trimtab.tensor.Tensor;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;

/** One layer of a transformer. */
public abstract class Block extends Layer {
  /** A block of the given path. */
  protected Block(String path) {
    super(path);
  }

  /** The block's result as the patches at its output change it. */
  protected final Tensor output(Tensor input, Tensor result, Pass pass) {
    return pass.output(Site.output(path()), input, result);
  }

  @Override
  public List<Site<?>> sites() {
    return List.of(Site.output(path()));
  }

  /** Its attention. */
  public abstract Sublayer attention();

  /** Its attention to an encoder's tokens; empty but in decoders that have an encoder. */
  public Optional<Sublayer> crossAttention() {
    return Optional.empty();
  }

  /** Its feed-forward network. */
  public abstract Sublayer feedForward();

  /** The size of the vectors between blocks. */
  public abstract int hiddenSize();

  /** The number of heads of keys and values. */
  public abstract int keyHeads();

  /** The numbers in one token's keys: key heads · size. */
  public abstract int keySize();

  /**
   * Where the parts are that all architectures have: {@code attn}, {@code attn.q}, {@code attn.k},
   * {@code attn.v}, {@code attn.proj}, {@code attn.layer_norm}, {@code ff}, {@code ff.w1}, {@code
   * ff.w2}, {@code ff.layer_norm}, {@code ff.w3} where the feed-forward network is gated, and in a
   * decoder with an encoder {@code crossattn} with the names of {@code attn}.
   */
  public abstract SequencedMap<String, Place> places();

  /**
   * Runs the block.
   *
   * @param hidden [tokens, hidden], laid out as {@code pass} says
   * @param wanted the only tokens whose result is read, or null for all
   * @return [tokens or wanted tokens, hidden]
   */
  public abstract Tensor forward(Tensor hidden, Pass pass, @Nullable Positions wanted);
}
