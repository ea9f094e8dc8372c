package io.trimtab.delta.bottleneck;

import com.google.auto.service.AutoService;
import io.trimtab.delta.DeltaMethod;
import io.trimtab.delta.Presets;

/**
 * Registers low-rank adapters, which Compacter is compared with (Karimi Mahabadi et al., 2021,
 * section 5.1).
 */
@AutoService(DeltaMethod.class)
public final class LowRankMethod extends BottleneckMethod {
  /** Made by whoever looks for methods. */
  public LowRankMethod() {
    super(
        "lowrank",
        "TRIMTAB_LOW_RANK_ADAPTER",
        "Karimi Mahabadi et al., Compacter: Efficient Low-Rank Hypercomplex Adapter Layers,"
            + " 2021",
        1e-3);
  }

  @Override
  public double startsWithin() {
    return 1.5;
  }

  @Override
  public Presets presets() {
    return Presets.NONE
        .with("opendelta", "non_linearity=gelu_new reduction_factor=32 low_rank_rank=1")
        .with("paper", "non_linearity=gelu_new reduction_factor=32 low_rank_rank=1");
  }
}
