package io.trimtab.model;

import io.trimtab.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Embeddings, blocks and, in some models, a last norm: token numbers in, vectors out. */
public final class Encoder extends Layer {
  private final Embeddings embeddings;
  private final List<? extends Block> blocks;
  private final @Nullable Norm finalNorm;

  /** An encoder of the given parts; {@code finalNorm} is null where there is none. */
  public Encoder(
      String path, Embeddings embeddings, List<? extends Block> blocks, @Nullable Norm finalNorm) {
    super(path);
    this.embeddings = embeddings;
    this.blocks = List.copyOf(blocks);
    this.finalNorm = finalNorm;
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
   * @param wanted the only tokens that are read, or null for all; the last block computes no others
   * @return [tokens or wanted tokens, hidden]
   */
  public Tensor forward(Batch batch, Pass pass, @Nullable Positions wanted) {
    Tensor hidden = embeddings.forward(batch, pass);
    for (int i = 0; i < blocks.size(); i++) {
      Positions read = i == blocks.size() - 1 ? wanted : null;
      hidden = blocks.get(i).forward(hidden, pass, read);
    }
    Pass last = wanted == null ? pass : pass.at(wanted.layout());
    return finalNorm == null ? hidden : finalNorm.forward(hidden, last);
  }

  /** The embeddings and every block's output, each [tokens, hidden]; the last one normed. */
  public List<Tensor> hiddenStates(Batch batch, Pass pass) {
    List<Tensor> states = new ArrayList<>();
    states.add(embeddings.forward(batch, pass));
    for (Block block : blocks) {
      states.add(block.forward(states.getLast(), pass, null));
    }
    if (finalNorm != null) {
      states.add(finalNorm.forward(states.removeLast(), pass));
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
