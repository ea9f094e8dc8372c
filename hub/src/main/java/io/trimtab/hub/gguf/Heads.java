package io.trimtab.hub.gguf;

import io.trimtab.hub.HubException;
import io.trimtab.hub.ModelConfig;
import java.util.List;

/** Sizes that a file may give once for all blocks, or one by one. */
final class Heads {
  private Heads() {}

  /** The heads among which the rows of a layer are divided. */
  static long of(ModelConfig config, TensorRule rule) {
    String queries = config.firstOf("num_attention_heads", "n_head");
    return config.integer(rule.layout() == Layout.ROTARY_KEY ? "num_key_value_heads" : queries);
  }

  static long queries(GgufMetadata metadata, GgufArchitecture architecture) {
    return uniform(metadata, architecture.gguf() + ".attention.head_count");
  }

  static long keys(GgufMetadata metadata, GgufArchitecture architecture) {
    String key = architecture.gguf() + ".attention.head_count_kv";
    return metadata.has(key) ? uniform(metadata, key) : queries(metadata, architecture);
  }

  /**
   * A positive number that is the same for all blocks.
   *
   * @throws HubException.Unsupported where blocks differ
   */
  static long uniform(GgufMetadata metadata, String key) {
    List<Long> values =
        metadata.isList(key)
            ? metadata.wholes(key).stream().distinct().toList()
            : List.of(metadata.whole(key));
    if (values.size() != 1) {
      throw new HubException.Unsupported(
          key + " differs between blocks (" + values + "), which is not supported");
    }
    if (values.getFirst() < 1 || values.getFirst() > Integer.MAX_VALUE) {
      throw new HubException.Malformed(key + ": expected a count, found " + values.getFirst());
    }
    return values.getFirst();
  }
}
