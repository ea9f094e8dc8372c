package io.trimtab.delta.selective;

import io.trimtab.delta.DeltaMethod;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.Part;
import io.trimtab.model.Model;
import io.trimtab.tensor.Rng;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Full fine-tuning: every tensor of the model is trained. */
public record FullTuning() implements DeltaSpec {
  @Override
  public DeltaMethod method() {
    return new FullMethod();
  }

  @Override
  public List<Part> parts(Model model, Rng rng) {
    return Selective.parts(model, model.tensors().keySet(), "tensor");
  }

  @Override
  public Map<String, Object> toConfig(Model model) {
    return new LinkedHashMap<>();
  }
}
