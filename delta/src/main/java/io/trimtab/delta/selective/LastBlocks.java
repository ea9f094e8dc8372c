package io.trimtab.delta.selective;

import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaMethod;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.Part;
import io.trimtab.model.Block;
import io.trimtab.model.Layer;
import io.trimtab.model.Model;
import io.trimtab.tensor.Rng;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Tuning of the last blocks: these, whatever comes after them (a last norm) and the heads are
 * trained, all below stays. A tensor that something below uses too, such as the embedding that a
 * head is tied to, stays as well.
 *
 * @param blocks how many; blocks that share their tensors count as one
 */
public record LastBlocks(int blocks) implements DeltaSpec {
  /** Checks the count; 0 is the heads alone. */
  public LastBlocks {
    if (blocks < 0) {
      throw new DeltaException("found " + blocks + " last blocks, expected 0 or more");
    }
  }

  @Override
  public DeltaMethod method() {
    return new LastBlocksMethod();
  }

  @Override
  public List<Part> parts(Model model, Rng rng) {
    return Selective.parts(model, names(model), "tensor after the last blocks");
  }

  private Set<String> names(Model model) {
    List<Layer> layers = model.root().walk().toList();
    List<Layer> all = layers.stream().filter(Block.class::isInstance).toList();
    if (blocks > all.size()) {
      throw new DeltaException(
          "found last-k with k="
              + blocks
              + ", expected at most the model's "
              + all.size()
              + " blocks; for everything use full");
    }
    Layer lowest = blocks == 0 ? all.getLast() : all.get(all.size() - blocks);
    int cut = layers.indexOf(lowest);
    if (blocks == 0) {
      cut += (int) lowest.walk().count();
    }
    Set<String> below = new LinkedHashSet<>();
    layers.subList(0, cut).forEach(layer -> below.addAll(layer.tensors().keySet()));
    Set<String> names = new LinkedHashSet<>();
    layers.subList(cut, layers.size()).forEach(layer -> names.addAll(layer.tensors().keySet()));
    names.removeAll(below);
    return names;
  }

  @Override
  public Map<String, Object> toConfig(Model model) {
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("blocks", blocks);
    return config;
  }
}
