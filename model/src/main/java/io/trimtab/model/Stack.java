package io.trimtab.model;

import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Embeddings, blocks and, in some models, a last norm: token numbers in, vectors out. */
public final class Stack extends Layer {
  /** What a stack does with its tokens, which is how common names begin. */
  public enum Role {
    /** Every token sees all of its row. */
    ENCODER,
    /** A token sees itself and those before it. */
    DECODER;

    /** The word of common names: {@code encoder} or {@code decoder}. */
    public String word() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  private final Role role;
  private final Embeddings embeddings;
  private final List<? extends Block> blocks;
  private final @Nullable Norm finalNorm;

  /** A stack of the given parts; {@code finalNorm} is null where there is none. */
  public Stack(
      Role role,
      String path,
      Embeddings embeddings,
      List<? extends Block> blocks,
      @Nullable Norm finalNorm) {
    super(path);
    this.role = role;
    this.embeddings = embeddings;
    this.blocks = List.copyOf(blocks);
    this.finalNorm = finalNorm;
  }

  /** Whether it is an encoder or a decoder. */
  public Role role() {
    return role;
  }

  /** Its embeddings. */
  public Embeddings embeddings() {
    return embeddings;
  }

  /** Its blocks, first to last. */
  public List<Block> blocks() {
    return List.copyOf(blocks);
  }

  /**
   * The last hidden states.
   *
   * @param wanted the only tokens of the batch that are read, or null for all; the last block
   *     computes no others
   * @return [tokens or wanted tokens, hidden]; without the vectors that patches put in
   */
  public Tensor forward(Batch batch, Pass pass, @Nullable Positions wanted) {
    return Scope.of(
        () -> {
          Embeddings.Embedded start = embeddings.forward(batch, pass);
          return forward(start, start.moved(wanted, batch.layout()));
        });
  }

  /** The last hidden state of what is first in every row, a vector put in by a patch or a token. */
  public Tensor first(Batch batch, Pass pass) {
    return Scope.of(
        () -> {
          Embeddings.Embedded start = embeddings.forward(batch, pass);
          return forward(start, Positions.first(start.pass().layout()));
        });
  }

  /** The last hidden states with the vectors that patches put in, and how all of them lie. */
  record Whole(Tensor hidden, Layout layout) {}

  Whole whole(Batch batch, Pass pass) {
    Embeddings.Embedded start = embeddings.forward(batch, pass);
    return new Whole(forward(start, null), start.pass().layout());
  }

  private Tensor forward(Embeddings.Embedded start, @Nullable Positions wanted) {
    boolean whole = start.pass().readsWholeRows();
    Tensor hidden = through(start, whole ? null : wanted, state -> {});
    if (whole && wanted != null) {
      hidden = Indexing.select(hidden, 0, wanted.indices(hidden.device()));
    }
    Pass last = wanted == null ? start.pass() : start.pass().at(wanted);
    return finalNorm == null ? hidden : finalNorm.forward(hidden, last);
  }

  /** Runs the blocks, of which the last computes the wanted tokens alone. */
  private Tensor through(
      Embeddings.Embedded start, @Nullable Positions wanted, Consumer<Tensor> seen) {
    checkCache(start.pass());
    start.pass().cache().ifPresent(cache -> cache.prepare(start.pass(), wanted));
    Tensor hidden = start.hidden();
    try (Common common = new Common()) {
      Pass pass = start.pass().sharing(common);
      for (int i = 0; i < blocks.size(); i++) {
        Positions read = i == blocks.size() - 1 ? wanted : null;
        hidden = blocks.get(i).forward(hidden, pass.inBlock(i), read);
        seen.accept(hidden);
      }
    }
    start.pass().cache().ifPresent(cache -> cache.finish(start.pass().layout()));
    return hidden;
  }

  /** Refuses passes whose later tokens would not come to what they come to in whole rows. */
  private void checkCache(Pass pass) {
    if (pass.cache().isEmpty()) {
      return;
    }
    if (role == Role.ENCODER) {
      throw new ModelException(
          "found a cache in an encoder's pass, expected it in a decoder's passes alone; an"
              + " encoder's tokens see those that come later");
    }
    if (pass.changesAsRowsGrow(this)) {
      throw new ModelException.Unsupported(
          "found a patch whose work on a token changes as its row grows (a gate, or one at a row's"
              + " last tokens) in a pass with a cache, expected none; score whole rows without a"
              + " cache");
    }
  }

  /**
   * The embeddings and every block's output, each [tokens, hidden], with the vectors that patches
   * put in; the last one normed.
   */
  public List<Tensor> hiddenStates(Batch batch, Pass pass) {
    Embeddings.Embedded start = embeddings.forward(batch, pass);
    List<Tensor> states = new ArrayList<>(List.of(start.hidden()));
    through(start, null, states::add);
    if (finalNorm != null) {
      states.add(finalNorm.forward(states.removeLast(), start.pass()));
    }
    return states;
  }

  @Override
  public List<Layer> children() {
    List<Layer> children = new ArrayList<>();
    children.add(embeddings);
    children.addAll(blocks);
    if (finalNorm != null) {
      children.add(finalNorm);
    }
    return List.copyOf(children);
  }
}
