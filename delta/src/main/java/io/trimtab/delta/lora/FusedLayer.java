package io.trimtab.delta.lora;

import io.trimtab.delta.DeltaException;
import io.trimtab.hub.ModelConfig;
import io.trimtab.model.Linear;
import io.trimtab.model.Model;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Which rows of a fused layer's matrix make queries, keys and values. */
final class FusedLayer {
  /** The parts, in the order of their rows. */
  static final List<String> PARTS = List.of("q", "k", "v");

  private static final Set<String> NAMES = Set.of("Wqkv", "qkv_proj", "c_attn");

  private FusedLayer() {}

  /** Rows [from, from + size) of a layer's matrix. */
  record Rows(String name, long from, long size) {
    static Rows all(Linear layer) {
      return new Rows("", 0, layer.weight().out());
    }
  }

  /**
   * The rows of some parts of a layer that lays out all queries, then all keys, then all values.
   *
   * @throws DeltaException.Unsupported for any other layer
   */
  static List<Rows> rows(Linear layer, Model model, List<String> parts) {
    String name = layer.path().substring(layer.path().lastIndexOf('.') + 1);
    long[] sizes = sizes(model.config(), layer.weight().out());
    if (!NAMES.contains(name) || sizes.length == 0) {
      throw new DeltaException.Unsupported(
          "found "
              + layer.path()
              + " as a target of LoRA on parts "
              + parts
              + ", expected a layer that computes queries, keys and values one after the other ("
              + String.join(", ", NAMES.stream().sorted().toList())
              + "); leave part out for others");
    }
    List<Rows> rows = new ArrayList<>();
    long from = 0;
    for (int i = 0; i < PARTS.size(); i++) {
      if (parts.contains(PARTS.get(i))) {
        rows.add(new Rows(PARTS.get(i), from, sizes[i]));
      }
      from += sizes[i];
    }
    return rows;
  }

  /** Thirds, or with fewer heads of keys and values what these take; none where neither fits. */
  private static long[] sizes(ModelConfig config, long out) {
    if (config.has("num_key_value_heads") && config.has("num_attention_heads")) {
      long heads = config.integer("num_attention_heads");
      long shared = config.integer("num_key_value_heads");
      long all = heads + 2 * shared;
      long size = out / all;
      return out % all == 0 ? new long[] {heads * size, shared * size, shared * size} : new long[0];
    }
    return out % 3 == 0 ? new long[] {out / 3, out / 3, out / 3} : new long[0];
  }
}
