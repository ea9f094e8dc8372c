package io.trimtab.delta.bottleneck;

import io.trimtab.delta.DeltaException;
import io.trimtab.model.Block;
import io.trimtab.model.Layer;
import io.trimtab.model.Linear;
import io.trimtab.model.Model;
import io.trimtab.model.Sublayer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Objects;
import java.util.SequencedMap;
import java.util.TreeSet;

/** The sublayers of a model's blocks, with what adapters have to know of them. */
final class Blocks {
  /**
   * A sublayer.
   *
   * @param layer where it meets its input again
   * @param first the linear layers that read its input
   * @param last the linear layer that it ends in
   * @param numbers of the blocks that use it; several where they share their weights
   */
  record Known(Sublayer layer, List<String> first, Linear last, TreeSet<Integer> numbers) {
    long hidden() {
      return last.weight().out();
    }
  }

  private final SequencedMap<Sublayer, Known> known = new LinkedHashMap<>();
  private final Model model;

  Blocks(Model model) {
    this.model = model;
    List<Block> blocks = model.stack().blocks();
    for (int i = 0; i < blocks.size(); i++) {
      Block block = blocks.get(i);
      add(block.attention(), block, List.of("attn.q", "attn.k", "attn.v"), "attn.proj", i);
      add(block.feedForward(), block, List.of("ff.w1"), "ff.w2", i);
    }
  }

  private void add(Sublayer layer, Block block, List<String> first, String last, int number) {
    known
        .computeIfAbsent(
            layer,
            key ->
                new Known(
                    key,
                    first.stream().map(name -> path(block, name)).distinct().toList(),
                    linear(path(block, last)),
                    new TreeSet<>()))
        .numbers()
        .add(number);
  }

  private static String path(Block block, String name) {
    return Objects.requireNonNull(block.places().get(name), name).path();
  }

  private Linear linear(String path) {
    if (model.layer(path).orElse(null) instanceof Linear linear) {
      return linear;
    }
    throw new DeltaException.Unsupported(
        "found no linear layer at " + path + ", expected one that a sublayer ends in");
  }

  /** All of them, each once, in the order of computation. */
  List<Known> all() {
    return List.copyOf(known.values());
  }

  Known of(Sublayer layer) {
    return Objects.requireNonNull(known.get(layer), layer.path());
  }

  /** The sublayer that ends in a linear layer, or null. */
  @org.jspecify.annotations.Nullable
  Known endingIn(Layer last) {
    return known.values().stream().filter(one -> one.last() == last).findFirst().orElse(null);
  }

  /** The size of the vectors between blocks. */
  static long hidden(Model model) {
    return new Blocks(model).all().getFirst().hidden();
  }
}
