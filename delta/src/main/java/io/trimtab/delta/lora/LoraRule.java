package io.trimtab.delta.lora;

import io.trimtab.delta.Part;
import io.trimtab.delta.TrainingRule;
import io.trimtab.tensor.Parameter;
import java.util.List;

/**
 * Keeps what was subtracted at the start with the delta: in a run's checkpoints, but not in its
 * files, which hold the difference.
 */
record LoraRule(List<Parameter> state) implements TrainingRule {
  static TrainingRule of(List<Part> parts) {
    List<Parameter> starts =
        parts.stream()
            .filter(LoraLinear.class::isInstance)
            .flatMap(part -> ((LoraLinear) part).starts().stream())
            .toList();
    return starts.isEmpty() ? TrainingRule.NONE : new LoraRule(starts);
  }
}
