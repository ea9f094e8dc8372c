package io.trimtab.delta.bottleneck;

import com.google.auto.service.AutoService;
import io.trimtab.delta.DeltaMethod;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Registers adapters behind attention and behind the feed-forward network (Houlsby et al., 2019,
 * section 2.1).
 */
@AutoService(DeltaMethod.class)
public final class HoulsbyMethod extends BottleneckMethod {
  @Override
  public String name() {
    return "houlsby";
  }

  @Override
  public String peftType() {
    return "TRIMTAB_HOULSBY";
  }

  @Override
  public String paper() {
    return "Houlsby et al., Parameter-Efficient Transfer Learning for NLP, 2019";
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
        Map.ofEntries(Map.entry("non_linearity", "swish"), Map.entry("reduction_factor", "16")));
    presets.put(
        "opendelta",
        Map.ofEntries(
            Map.entry("non_linearity", "gelu_new"),
            Map.entry("init_weights", "opendelta"),
            Map.entry("bottleneck_dim", "24")));
    presets.put(
        "paper",
        Map.ofEntries(
            Map.entry("non_linearity", "gelu"),
            Map.entry("bottleneck_dim", "64"),
            Map.entry("init_weights", "houlsby")));
    return presets;
  }
}
