package io.trimtab.delta.adapterhub;

import io.trimtab.delta.Delta;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.DeltaTensors;
import io.trimtab.delta.Fields;
import io.trimtab.delta.ia3.Ia3;
import io.trimtab.hub.TensorFile;
import io.trimtab.model.Model;
import io.trimtab.tensor.Parameter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * IA3: {@code lora} with {@code composition_mode} {@code scale}. Outputs alone are scaled, those of
 * the first feed-forward layer before its activation.
 */
final class Ia3Translation implements Translation {
  private static final String SCALE = ".ia3_l";

  @Override
  public boolean reads(Fields fields) {
    return fields.text("architecture", "").equals("lora")
        && fields.text("composition_mode", "add").equals("scale");
  }

  @Override
  public DeltaSpec read(Fields fields, Model model, TensorFile file) {
    fields.ignore("init_weights", "init_weights_seed", "dtype");
    fields.need("r", 1);
    fields.need("alpha", 1);
    fields.need("dropout", 0);
    fields.need("use_dora", false);
    fields.need("use_gating", false);
    fields.needNone("vera_d");
    fields.needNone("vera_b");
    List<String> paths = Places.read(fields).paths(model);
    return Ia3.on(paths.toArray(String[]::new));
  }

  @Override
  public boolean writes(DeltaSpec spec) {
    return spec instanceof Ia3;
  }

  @Override
  public Map<String, Object> config(Delta delta) {
    if (!Peft.config(delta).texts("feedforward_modules").isEmpty()) {
      throw Translation.noField("scaled inputs of feed-forward layers");
    }
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("architecture", "lora");
    config.put("composition_mode", "scale");
    config.put("r", 1);
    config.put("alpha", 1);
    config.put("dropout", 0.0);
    config.put("init_weights", "ia3");
    LoraTranslation.common(config);
    Places.of(LoraTranslation.paths(delta, SCALE), delta.base()).write(config);
    return config;
  }

  @Override
  public List<DeltaTensors.Entry> entries(Delta delta, Keys keys, Map<String, Parameter> left) {
    List<DeltaTensors.Entry> entries = new ArrayList<>();
    for (String path : LoraTranslation.paths(delta, SCALE)) {
      String key = path + ".loras." + keys.adapter() + ".lora_B";
      entries.add(DeltaTensors.Entry.of(key, Translation.take(left, path + SCALE)));
    }
    return entries;
  }
}
