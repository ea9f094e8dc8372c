package io.trimtab.delta.bottleneck;

import com.google.auto.service.AutoService;
import io.trimtab.delta.DeltaMethod;
import io.trimtab.delta.Presets;

/** Registers adapters parallel to a sublayer (He et al., 2022, sections 3.3 and 4.6). */
@AutoService(DeltaMethod.class)
public final class ParallelMethod extends BottleneckMethod {
  /** Made by whoever looks for methods. */
  public ParallelMethod() {
    super(
        "parallel",
        "TRIMTAB_PARALLEL",
        "He et al., Towards a Unified View of Parameter-Efficient Transfer Learning, 2022",
        1e-3);
  }

  @Override
  public Presets presets() {
    return Presets.NONE
        .with(
            "adapterhub",
            "mh_adapter=false is_parallel=true non_linearity=relu reduction_factor=2 scaling=4.0"
                + " init_weights=mam_adapter")
        .with(
            "opendelta",
            "non_linearity=gelu_new init_weights=opendelta"
                + " modified_modules=attn@,attn@,ff@.w1@,ff@.w2@ is_parallel=true"
                + " bottleneck_dim=24")
        .with(
            "paper",
            "mh_adapter=false is_parallel=true non_linearity=relu bottleneck_dim=512 scaling=4.0"
                + " init_weights=mam_adapter");
  }
}
