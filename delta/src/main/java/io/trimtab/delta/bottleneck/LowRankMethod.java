package io.trimtab.delta.bottleneck;

import com.google.auto.service.AutoService;
import io.trimtab.delta.DeltaMethod;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Registers low-rank adapters, which Compacter is compared with (Karimi Mahabadi et al., 2021,
 * section 5.1).
 */
@AutoService(DeltaMethod.class)
public final class LowRankMethod extends BottleneckMethod {
  @Override
  public String name() {
    return "lowrank";
  }

  @Override
  public String peftType() {
    return "TRIMTAB_LOW_RANK_ADAPTER";
  }

  @Override
  public String paper() {
    return "Karimi Mahabadi et al., Compacter: Efficient Low-Rank Hypercomplex Adapter Layers,"
               + " 2021";
  }

  @Override
  public double defaultRate() {
    return 1e-3;
  }

  @Override
  public double startsWithin() {
    return 2;
  }

  @Override
  Map<String, Map<String, String>> presets() {
    Map<String, Map<String, String>> presets = new LinkedHashMap<>();
    presets.put(
        "opendelta",
        Map.ofEntries(
            Map.entry("non_linearity", "gelu_new"),
            Map.entry("reduction_factor", "32"),
            Map.entry("low_rank_rank", "1")));
    presets.put(
        "paper",
        Map.ofEntries(
            Map.entry("non_linearity", "gelu_new"),
            Map.entry("reduction_factor", "32"),
            Map.entry("low_rank_rank", "1")));
    return presets;
  }
}
