package io.trimtab.delta.bottleneck;

import io.trimtab.delta.DeltaException;
import io.trimtab.model.Block;
import io.trimtab.model.Layer;
import io.trimtab.model.Linear;
import io.trimtab.model.Model;
import io.trimtab.model.Place;
import io.trimtab.model.Sublayer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Objects;
import java.util.SequencedMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** The sublayers of a model's blocks, with what adapters have to know of them. */
final class Blocks {
  /**
   * A sublayer.
   *
   * @param layer where it meets its input again
   * @param first the linear layers that read its input
   * @param last the linear layer that it ends in, or null where experts have one each
   * @param weights the names of the matrices that its output comes of
   * @param hidden the size of its output
   * @param numbers of the blocks that use it, a decoder's after those of its encoder; several where
   *     they share their weights
   * @param crosses whether it is an attention to an encoder's tokens
   */
  record Known(
      Sublayer layer,
      List<String> first,
      @Nullable Linear last,
      List<String> weights,
      long hidden,
      TreeSet<Integer> numbers,
      boolean crosses) {}

  private final SequencedMap<Sublayer, Known> known = new LinkedHashMap<>();
  private final Model model;

  Blocks(Model model) {
    this.model = model;
    List<Block> blocks = model.blocks();
    for (int i = 0; i < blocks.size(); i++) {
      Block block = blocks.get(i);
      add(block.attention(), block, List.of("attn.q", "attn.k", "attn.v"), "attn.proj", i);
      int number = i;
      List<String> crossFirst = List.of("crossattn.q", "crossattn.k", "crossattn.v");
      block
          .crossAttention()
          .ifPresent(cross -> add(cross, block, crossFirst, "crossattn.proj", number));
      add(block.feedForward(), block, List.of("ff.w1"), "ff.w2", i);
    }
  }

  private void add(Sublayer layer, Block block, List<String> first, String last, int number) {
    known.computeIfAbsent(layer, key -> known(key, block, first, last)).numbers().add(number);
  }

  private Known known(Sublayer layer, Block block, List<String> first, String last) {
    SequencedMap<String, Place> places = block.places();
    List<String> paths =
        first.stream()
            .map(places::get)
            .filter(Objects::nonNull)
            .map(Place::path)
            .distinct()
            .toList();
    Place end = places.get(last);
    Linear linear = end == null ? null : linear(end.path());
    List<String> weights =
        linear != null
            ? List.of(linear.weightName())
            : block
                .walk()
                .filter(each -> each.path().startsWith(layer.path() + "."))
                .filter(Linear.class::isInstance)
                .map(each -> ((Linear) each).weightName())
                .toList();
    boolean crosses = block.crossAttention().filter(layer::equals).isPresent();
    return new Known(layer, paths, linear, weights, block.hiddenSize(), new TreeSet<>(), crosses);
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
  @Nullable Known endingIn(Layer last) {
    return known.values().stream().filter(one -> one.last() == last).findFirst().orElse(null);
  }

  /** The size of the vectors between blocks. */
  static long hidden(Model model) {
    return new Blocks(model).all().getFirst().hidden();
  }
}
