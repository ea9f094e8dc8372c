package io.trimtab.delta;

import io.trimtab.model.Encoder;
import io.trimtab.model.Head;
import io.trimtab.model.Layer;
import io.trimtab.model.Linear;
import io.trimtab.model.Model;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.SequencedSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The common structure: one set of names for the parts of every architecture, {@code embeddings},
 * {@code encoder.block.0.attn.q}, …, {@code encoder.block.0.ff.w2}, {@code lm_head.proj}, as
 * OpenDelta has it (Hu et al., 2023, section 3.2). Here, and nowhere else, it is told from the
 * paths of the architectures that Trimtab knows.
 */
final class CommonNames {
  /**
   * Where a common name is in a model.
   *
   * @param path of a layer, or of a module that holds layers
   * @param outputs which of the layer's outputs it is, or null for all
   */
  record Place(String path, Address.@Nullable Outputs outputs) {}

  private static final Pattern BLOCK =
      Pattern.compile(
          "(?<block>(?:.*\\.)?(?:encoder\\.layer|transformer\\.layer|layers"
              + "|albert_layer_groups\\.\\d+\\.albert_layers)\\.\\d+)(?:\\.(?<rest>.+))?");

  /** What the parts of a block are called, behind its path. */
  private static final Map<String, String> PARTS = parts();

  /** Layers that hold several parts of equal size, one below the other. */
  private static final Map<String, List<String>> FUSED =
      Map.of(
          "attn.Wqkv", List.of("attn.q", "attn.k", "attn.v"),
          "mlp.Wi", List.of("ff.w1", "ff.w3"));

  private CommonNames() {}

  /** Every common name of a model with its place, in the order of computation. */
  static SequencedMap<String, Place> of(Model model) {
    SequencedMap<String, Place> names = new LinkedHashMap<>();
    Encoder encoder = model.encoder();
    names.put("embeddings", new Place(encoder.embeddings().words().path(), null));
    Map<String, Layer> layers = new LinkedHashMap<>();
    encoder.walk().forEach(layer -> layers.put(layer.path(), layer));
    Map<String, Integer> blocks = new LinkedHashMap<>();
    for (String path : withModules(layers.keySet())) {
      Matcher matcher = BLOCK.matcher(path);
      if (matcher.matches()) {
        Integer number = blocks.computeIfAbsent(matcher.group("block"), _ -> blocks.size());
        add(names, "encoder.block." + number, path, matcher.group("rest"), layers.get(path));
      }
    }
    model
        .head(Head.MaskedLm.class)
        .ifPresent(
            head -> names.put("lm_head.proj", new Place(head.children().getLast().path(), null)));
    return Collections.unmodifiableSequencedMap(names);
  }

  private static void add(
      SequencedMap<String, Place> names,
      String block,
      String path,
      @Nullable String rest,
      @Nullable Layer layer) {
    if (rest == null) {
      names.put(block, new Place(path, null));
      return;
    }
    List<String> fused = FUSED.getOrDefault(rest, List.of());
    if (!fused.isEmpty() && layer instanceof Linear linear) {
      long size = linear.weight().out() / fused.size();
      for (int i = 0; i < fused.size(); i++) {
        Address.Outputs outputs = new Address.Outputs(i * size, (i + 1) * size);
        names.put(block + "." + fused.get(i), new Place(path, outputs));
      }
    } else if (rest.equals("ffn")) { // ALBERT's layer, DistilBERT's module
      names.put(block + (layer == null ? ".ff" : ".ff.w1"), new Place(path, null));
    } else if (PARTS.containsKey(rest)) {
      names.put(block + "." + PARTS.get(rest), new Place(path, null));
    }
  }

  /** Paths of layers and of the modules that their dots imply, each before what it holds. */
  static SequencedSet<String> withModules(Iterable<String> layers) {
    SequencedSet<String> paths = new LinkedHashSet<>();
    for (String path : layers) {
      for (int dot = path.indexOf('.'); dot >= 0; dot = path.indexOf('.', dot + 1)) {
        paths.add(path.substring(0, dot));
      }
      if (!path.isEmpty()) {
        paths.add(path);
      }
    }
    return paths;
  }

  private static Map<String, String> parts() {
    Map<String, String> parts = new LinkedHashMap<>();
    put(parts, "attn", "attention", "attn");
    put(parts, "ff", "mlp");
    put(parts, "attn.q", "attention.self.query", "attention.q_lin", "attention.query");
    put(parts, "attn.q", "attention.self.query_proj");
    put(parts, "attn.k", "attention.self.key", "attention.k_lin", "attention.key");
    put(parts, "attn.k", "attention.self.key_proj");
    put(parts, "attn.v", "attention.self.value", "attention.v_lin", "attention.value");
    put(parts, "attn.v", "attention.self.value_proj");
    put(parts, "attn.proj", "attention.output.dense", "attention.out_lin", "attention.dense");
    put(parts, "attn.proj", "attn.Wo");
    put(parts, "attn.layer_norm", "attention.output.LayerNorm", "sa_layer_norm", "attn_norm");
    put(parts, "attn.layer_norm", "attention.LayerNorm");
    put(parts, "ff.w1", "intermediate.dense", "ffn.lin1");
    put(parts, "ff.w2", "output.dense", "ffn.lin2", "ffn_output", "mlp.Wo");
    put(parts, "ff.layer_norm", "output.LayerNorm", "output_layer_norm", "mlp_norm");
    put(parts, "ff.layer_norm", "full_layer_layer_norm");
    return Collections.unmodifiableMap(parts);
  }

  private static void put(Map<String, String> parts, String common, String... own) {
    for (String name : own) {
      parts.put(name, common);
    }
  }
}
