package io.trimtab.delta.bottleneck;

import com.google.auto.service.AutoService;
import io.trimtab.delta.DeltaMethod;
import io.trimtab.delta.Presets;

/**
 * Registers adapters behind attention and behind the feed-forward network (Houlsby et al., 2019,
 * section 2.1).
 */
@AutoService(DeltaMethod.class)
public final class HoulsbyMethod extends BottleneckMethod {
  /** Made by whoever looks for methods. */
  public HoulsbyMethod() {
    super(
        "houlsby",
        "TRIMTAB_HOULSBY",
        "Houlsby et al., Parameter-Efficient Transfer Learning for NLP, 2019",
        1e-3);
  }

  @Override
  public Presets presets() {
    return Presets.NONE
        .with("adapterhub", "non_linearity=swish reduction_factor=16")
        .with("opendelta", "non_linearity=gelu_new init_weights=opendelta bottleneck_dim=24")
        .with("paper", "non_linearity=gelu bottleneck_dim=64 init_weights=houlsby");
  }
}
