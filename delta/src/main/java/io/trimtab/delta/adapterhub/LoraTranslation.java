package io.trimtab.delta.adapterhub;

import io.trimtab.delta.Address;
import io.trimtab.delta.Delta;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.DeltaTensors;
import io.trimtab.delta.Fields;
import io.trimtab.delta.lora.Lora;
import io.trimtab.hub.ModelConfig;
import io.trimtab.hub.TensorFile;
import io.trimtab.model.Model;
import io.trimtab.tensor.Parameter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** LoRA that is added: {@code lora} with {@code composition_mode} {@code add}. */
final class LoraTranslation implements Translation {
  private static final String DOWN = ".lora_A.weight";
  private static final String UP = ".lora_B.weight";

  @Override
  public boolean reads(Fields fields) {
    return fields.text("architecture", "").equals("lora")
        && fields.text("composition_mode", "add").equals("add");
  }

  @Override
  public DeltaSpec read(Fields fields, Model model, TensorFile file) {
    fields.ignore("init_weights", "init_weights_seed", "dtype");
    fields.need("use_dora", false);
    fields.needNone("vera_d");
    fields.needNone("vera_b");
    int rank = fields.integer("r");
    refuseGates(fields.flag("use_gating", false), model);
    return Lora.rank(rank)
        .alpha(fields.decimal("alpha", rank))
        .dropout(fields.decimal("dropout", 0))
        .gated(fields.flag("use_gating", false))
        .on(Address.suffixes(Places.read(fields).paths(model)));
  }

  /** There the results are not those that AdapterHub gives, for a reason not found yet. */
  private static void refuseGates(boolean gated, Model model) {
    if (gated && model.config().modelType().equals("deberta-v2")) {
      throw new DeltaException.Unsupported(
          "found a gated lora of AdapterHub for "
              + model.name()
              + ", expected another model than DeBERTa, where the results do not agree with"
              + " AdapterHub's; use lora without use_gating there");
    }
  }

  @Override
  public boolean writes(DeltaSpec spec) {
    return spec instanceof Lora;
  }

  @Override
  public Map<String, Object> config(Delta delta) {
    ModelConfig peft = Peft.config(delta);
    for (String flag : List.of("use_dora", "lora_bias")) {
      if (peft.flag(flag, false)) {
        throw Translation.noField(flag);
      }
    }
    for (String patterns : List.of("rank_pattern", "alpha_pattern")) {
      if (peft.has(patterns) && !peft.section(patterns).fields().isEmpty()) {
        throw Translation.noField(patterns);
      }
    }
    int rank = peft.integer("r");
    double alpha = peft.decimal("lora_alpha");
    // AdapterHub divides by the rank in any case.
    double plain = peft.flag("use_rslora", false) ? alpha * Math.sqrt(rank) : alpha;
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("architecture", "lora");
    config.put("composition_mode", "add");
    config.put("r", rank);
    config.put("alpha", plain == Math.rint(plain) ? (Object) (long) plain : (Object) plain);
    config.put("dropout", peft.decimal("lora_dropout", 0));
    config.put("init_weights", "lora");
    common(config);
    refuseGates(((Lora) delta.spec()).gated(), delta.base());
    config.put("use_gating", ((Lora) delta.spec()).gated());
    Places.of(paths(delta, DOWN), delta.base()).write(config);
    return config;
  }

  /** Fields that are the same in all that is written. */
  static void common(Map<String, Object> config) {
    config.put("init_weights_seed", null);
    config.put("dtype", null);
    config.put("use_dora", false);
    config.put("use_gating", false);
    config.put("vera_d", null);
    config.put("vera_b", null);
  }

  static Set<String> paths(Delta delta, String end) {
    Set<String> paths = new LinkedHashSet<>();
    for (Parameter parameter : delta.parameters()) {
      if (parameter.name().endsWith(end)) {
        paths.add(parameter.name().substring(0, parameter.name().length() - end.length()));
      }
    }
    return paths;
  }

  @Override
  public List<DeltaTensors.Entry> entries(Delta delta, Keys keys, Map<String, Parameter> left) {
    List<DeltaTensors.Entry> entries = new ArrayList<>();
    for (String path : paths(delta, DOWN)) {
      String at = path + ".loras." + keys.adapter();
      entries.add(DeltaTensors.Entry.of(at + ".lora_A", Translation.take(left, path + DOWN)));
      entries.add(DeltaTensors.Entry.of(at + ".lora_B", Translation.take(left, path + UP)));
      if (((Lora) delta.spec()).gated()) {
        for (String end : List.of(".weight", ".bias")) {
          Parameter gate = Translation.take(left, path + ".lora_gate" + end);
          entries.add(DeltaTensors.Entry.of(at + ".gate" + end, gate));
        }
      }
    }
    return entries;
  }
}
