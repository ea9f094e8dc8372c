package io.trimtab.delta.bottleneck;

import com.google.auto.service.AutoService;
import io.trimtab.delta.DeltaMethod;
import io.trimtab.delta.Presets;

/**
 * Registers adapters behind the feed-forward network alone (Pfeiffer et al., 2021, section 3 and
 * appendix A).
 */
@AutoService(DeltaMethod.class)
public final class PfeifferMethod extends BottleneckMethod {
  /** Made by whoever looks for methods. */
  public PfeifferMethod() {
    super(
        "pfeiffer",
        "TRIMTAB_PFEIFFER",
        "Pfeiffer et al., AdapterFusion: Non-Destructive Task Composition for Transfer Learning,"
            + " 2021",
        1e-3);
  }

  @Override
  public Presets presets() {
    return Presets.NONE
        .with(
            "adapterhub",
            "mh_adapter=false original_ln_before=true non_linearity=relu reduction_factor=16")
        .with(
            "opendelta",
            "non_linearity=gelu_new init_weights=opendelta modified_modules=ff@.w2@"
                + " bottleneck_dim=24")
        .with(
            "paper",
            "mh_adapter=false original_ln_before=true non_linearity=relu reduction_factor=16");
  }
}
