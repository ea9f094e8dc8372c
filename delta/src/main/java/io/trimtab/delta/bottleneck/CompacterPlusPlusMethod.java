package io.trimtab.delta.bottleneck;

import com.google.auto.service.AutoService;
import io.trimtab.delta.DeltaMethod;
import io.trimtab.delta.Presets;

/**
 * Registers Compacter++, which is Compacter behind the feed-forward network alone (Karimi Mahabadi
 * et al., 2021, section 5.1).
 */
@AutoService(DeltaMethod.class)
public final class CompacterPlusPlusMethod extends BottleneckMethod {
  /** Made by whoever looks for methods. */
  public CompacterPlusPlusMethod() {
    super(
        "compacterpp",
        "TRIMTAB_COMPACTERPP",
        "Karimi Mahabadi et al., Compacter: Efficient Low-Rank Hypercomplex Adapter Layers,"
            + " 2021",
        3e-3);
  }

  @Override
  public Presets presets() {
    return Presets.NONE
        .with(
            "adapterhub",
            "phm_layer=true non_linearity=gelu reduction_factor=32"
                + " hypercomplex_nonlinearity=xavier-normal mh_adapter=false"
                + " original_ln_before=true")
        .with(
            "opendelta",
            "phm_layer=true non_linearity=gelu_new reduction_factor=16 shared_phm_rule=false"
                + " modified_modules=ff@.w2@")
        .with(
            "paper",
            "phm_layer=true non_linearity=gelu_new reduction_factor=32 phm_init_range=0.01"
                + " mh_adapter=false");
  }
}
