package io.trimtab.delta.bottleneck;

import com.google.auto.service.AutoService;
import io.trimtab.delta.DeltaMethod;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Registers Compacter++, which is Compacter behind the feed-forward network alone (Karimi Mahabadi
 * et al., 2021, section 5.1).
 */
@AutoService(DeltaMethod.class)
public final class CompacterPlusPlusMethod extends BottleneckMethod {
  @Override
  public String name() {
    return "compacterpp";
  }

  @Override
  public String peftType() {
    return "TRIMTAB_COMPACTERPP";
  }

  @Override
  public String paper() {
    return "Karimi Mahabadi et al., Compacter: Efficient Low-Rank Hypercomplex Adapter Layers,"
        + " 2021";
  }

  @Override
  public double defaultRate() {
    return 3e-3;
  }

  @Override
  Map<String, Map<String, String>> presets() {
    Map<String, Map<String, String>> presets = new LinkedHashMap<>();
    presets.put(
        "adapterhub",
        Map.ofEntries(
            Map.entry("phm_layer", "true"),
            Map.entry("non_linearity", "gelu"),
            Map.entry("reduction_factor", "32"),
            Map.entry("hypercomplex_nonlinearity", "xavier-normal"),
            Map.entry("mh_adapter", "false"),
            Map.entry("original_ln_before", "true")));
    presets.put(
        "opendelta",
        Map.ofEntries(
            Map.entry("phm_layer", "true"),
            Map.entry("non_linearity", "gelu_new"),
            Map.entry("reduction_factor", "16"),
            Map.entry("shared_phm_rule", "false"),
            Map.entry("modified_modules", "ff@.w2@")));
    presets.put(
        "paper",
        Map.ofEntries(
            Map.entry("phm_layer", "true"),
            Map.entry("non_linearity", "gelu_new"),
            Map.entry("reduction_factor", "32"),
            Map.entry("phm_init_range", "0.01"),
            Map.entry("mh_adapter", "false")));
    return presets;
  }
}
