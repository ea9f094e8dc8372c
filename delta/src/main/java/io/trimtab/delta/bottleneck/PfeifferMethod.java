package io.trimtab.delta.bottleneck;

import com.google.auto.service.AutoService;
import io.trimtab.delta.DeltaMethod;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Registers adapters behind the feed-forward network alone (Pfeiffer et al., 2021, section 3 and
 * appendix A).
 */
@AutoService(DeltaMethod.class)
public final class PfeifferMethod extends BottleneckMethod {
  @Override
  public String name() {
    return "pfeiffer";
  }

  @Override
  public String peftType() {
    return "TRIMTAB_PFEIFFER";
  }

  @Override
  public String paper() {
    return "Pfeiffer et al., AdapterFusion: Non-Destructive Task Composition for Transfer Learning,"
        + " 2021";
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
            Map.entry("original_ln_before", "true"),
            Map.entry("non_linearity", "relu"),
            Map.entry("reduction_factor", "16")));
    presets.put(
        "opendelta",
        Map.ofEntries(
            Map.entry("non_linearity", "gelu_new"),
            Map.entry("init_weights", "opendelta"),
            Map.entry("modified_modules", "ff@.w2@"),
            Map.entry("bottleneck_dim", "24")));
    presets.put(
        "paper",
        Map.ofEntries(
            Map.entry("mh_adapter", "false"),
            Map.entry("original_ln_before", "true"),
            Map.entry("non_linearity", "relu"),
            Map.entry("reduction_factor", "16")));
    return presets;
  }
}
