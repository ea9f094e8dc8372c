package io.trimtab.delta.adapterhub;

import io.trimtab.delta.Delta;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.DeltaTensors;
import io.trimtab.delta.Fields;
import io.trimtab.delta.prefix.Prefix;
import io.trimtab.hub.TensorFile;
import io.trimtab.model.Block;
import io.trimtab.model.Model;
import io.trimtab.model.Place;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * Prefixes: {@code prefix_tuning}. The keys and values of all blocks come out of one table or
 * network, whose tensors files repeat for every block.
 */
final class PrefixTranslation implements Translation {
  private static final String FLAT = "prompt_embeddings";
  private static final Map<String, String> NETWORK =
      Map.of(
          "embedding.weight", "wte.weight",
          "transform.0.weight", "control_trans.0.weight",
          "transform.0.bias", "control_trans.0.bias",
          "transform.2.weight", "control_trans.2.weight",
          "transform.2.bias", "control_trans.2.bias");

  @Override
  public boolean reads(Fields fields) {
    return fields.text("architecture", "").equals("prefix_tuning");
  }

  @Override
  public DeltaSpec read(Fields fields, Model model, TensorFile file) {
    fields.ignore("init_weights_seed", "encoder_prefix", "cross_prefix");
    boolean shared = fields.flag("shared_gating", true);
    boolean flat = fields.flag("flat", false);
    fields.ignore("bottleneck_size", "non_linearity");
    if (!flat) {
      fields.need("non_linearity", "tanh");
    }
    int count = model.stack().blocks().size();
    List<Integer> leftOut = fields.integers("leave_out");
    Prefix prefix =
        Prefix.of(fields.integer("prefix_length"))
            .projected(flat ? 0 : fields.integer("bottleneck_size"))
            .dropout(fields.decimal("dropout", 0))
            .keepingPositions();
    if (fields.flag("use_gating", false)) {
      prefix = prefix.gated(shared ? Prefix.Gating.SHARED : Prefix.Gating.EACH);
    }
    return leftOut.isEmpty() ? prefix : prefix.inBlocks(Places.with(count, leftOut));
  }

  @Override
  public boolean writes(DeltaSpec spec) {
    return spec instanceof Prefix;
  }

  @Override
  public Map<String, Object> config(Delta delta) {
    Prefix prefix = (Prefix) delta.spec();
    Model model = delta.base();
    if (prefix.embedded() > 0) {
      throw Translation.noField("trained vectors of another size than the model's");
    }
    if (prefix.stacks() != Prefix.Stacks.PEFT) {
      throw Translation.noField("a prefix that goes before other blocks, or as OpenDelta has it");
    }
    if (prefix.shifted() && model.stack().embeddings().positions().isPresent()) {
      throw Translation.noField("a prefix that shifts positions");
    }
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("architecture", "prefix_tuning");
    config.put("prefix_length", prefix.length());
    config.put("flat", prefix.inner() == 0);
    config.put("bottleneck_size", prefix.inner() == 0 ? 512 : prefix.inner());
    config.put("non_linearity", "tanh");
    config.put("dropout", prefix.dropout());
    config.put("leave_out", Places.without(model.stack().blocks().size(), prefix.chosen(model)));
    config.put("encoder_prefix", true);
    config.put("cross_prefix", true);
    config.put("use_gating", prefix.gating() != Prefix.Gating.NONE);
    config.put("shared_gating", prefix.gating() != Prefix.Gating.EACH);
    config.put("init_weights_seed", null);
    return config;
  }

  /** With the network, if there is one. */
  @Override
  public Delta toStore(Delta delta) {
    return delta;
  }

  @Override
  public List<DeltaTensors.Entry> entries(Delta delta, Keys keys, Map<String, Parameter> left) {
    Prefix prefix = (Prefix) delta.spec();
    // DistilBERT's attention alone goes by another name.
    boolean distilled = delta.base().config().modelType().equals("distilbert");
    String own = "prefix_tunings." + keys.adapter() + (distilled ? ".self." : ".self_prefix.");
    List<DeltaTensors.Entry> main = new ArrayList<>();
    String root = keys.below("prefix_tuning." + own);
    if (prefix.inner() == 0) {
      main.add(flat(root + "control_trans", Translation.take(left, FLAT)));
    } else {
      NETWORK.entrySet().stream()
          .sorted(Map.Entry.comparingByValue())
          .forEach(
              each ->
                  main.add(
                      DeltaTensors.Entry.of(
                          root + each.getValue(), Translation.take(left, each.getKey()))));
    }
    List<DeltaTensors.Entry> entries = new ArrayList<>(main);
    for (String attention : attentions(delta.base())) {
      String at = attention + ".prefix_tuning.pool." + own;
      for (DeltaTensors.Entry entry : main) {
        entries.add(again(at + entry.key().substring(root.length()), entry));
      }
    }
    if (prefix.gating() != Prefix.Gating.NONE) {
      entries.addAll(gates(delta, prefix, keys, left));
    }
    return entries;
  }

  private static List<DeltaTensors.Entry> gates(
      Delta delta, Prefix prefix, Keys keys, Map<String, Parameter> left) {
    List<DeltaTensors.Entry> entries = new ArrayList<>();
    for (int number : prefix.chosen(delta.base())) {
      Block block = delta.base().stack().blocks().get(number);
      for (String end : List.of(".weight", ".bias")) {
        Parameter gate = left.remove(block.attention().path() + ".prefix_gate" + end);
        if (gate != null) { // blocks that share their weights share it
          String at = attention(block) + ".prefix_tuning.prefix_gates." + keys.adapter();
          entries.add(DeltaTensors.Entry.of(at + end, gate));
        }
      }
    }
    return entries;
  }

  /** The modules that have queries, keys and values, also those of blocks without a prefix. */
  private static Set<String> attentions(Model model) {
    Set<String> paths = new LinkedHashSet<>();
    model.stack().blocks().forEach(block -> paths.add(attention(block)));
    return paths;
  }

  private static String attention(Block block) {
    Place query = Objects.requireNonNull(block.places().get("attn.q"));
    return query.path().substring(0, query.path().lastIndexOf('.'));
  }

  /** The table [length, blocks · 2 · size] row after row. */
  private static DeltaTensors.Entry flat(String key, Parameter table) {
    return new DeltaTensors.Entry(
        key,
        () -> table.value().detach().reshape(-1),
        read -> table.assign(read.reshape(table.value().shape())));
  }

  /** A tensor that has been read already, and must be the same. */
  private static DeltaTensors.Entry again(String key, DeltaTensors.Entry first) {
    return new DeltaTensors.Entry(
        key,
        first.value(),
        read -> {
          Tensor same = first.value().get();
          if (same.toBytes().mismatch(read.to(same.dtype()).toBytes()) != -1) {
            throw new DeltaException(
                "found other numbers in "
                    + key
                    + " than in "
                    + first.key()
                    + ", expected the same twice; the file is damaged");
          }
        });
  }
}
