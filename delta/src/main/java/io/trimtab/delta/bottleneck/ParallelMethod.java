package io.trimtab.delta.bottleneck;

import com.google.auto.service.AutoService;
import io.trimtab.delta.DeltaMethod;
import java.util.LinkedHashMap;
import java.util.Map;

/** Registers adapters parallel to a sublayer (He et al., 2022, sections 3.3 and 4.6). */
@AutoService(DeltaMethod.class)
public final class ParallelMethod extends BottleneckMethod {
  @Override
  public String name() {
    return "parallel";
  }

  @Override
  public String peftType() {
    return "TRIMTAB_PARALLEL";
  }

  @Override
  public String paper() {
    return "He et al., Towards a Unified View of Parameter-Efficient Transfer Learning, 2022";
  }

  @Override
  public double defaultRate() {
    return 1e-3;
  }

  @Override
  Map<String, Map<String, String>> presets() {
    Map<String, Map<String, String>> presets = new LinkedHashMap<>();
    presets.put(
        "adapterhub",
        Map.ofEntries(
            Map.entry("mh_adapter", "false"),
            Map.entry("is_parallel", "true"),
            Map.entry("non_linearity", "relu"),
            Map.entry("reduction_factor", "2"),
            Map.entry("scaling", "4.0"),
            Map.entry("init_weights", "mam_adapter")));
    presets.put(
        "opendelta",
        Map.ofEntries(
            Map.entry("non_linearity", "gelu_new"),
            Map.entry("init_weights", "opendelta"),
            Map.entry("modified_modules", "attn@,attn@,ff@.w1@,ff@.w2@"),
            Map.entry("is_parallel", "true"),
            Map.entry("bottleneck_dim", "24")));
    presets.put(
        "paper",
        Map.ofEntries(
            Map.entry("mh_adapter", "false"),
            Map.entry("is_parallel", "true"),
            Map.entry("non_linearity", "relu"),
            Map.entry("bottleneck_dim", "512"),
            Map.entry("scaling", "4.0"),
            Map.entry("init_weights", "mam_adapter")));
    return presets;
  }
}
