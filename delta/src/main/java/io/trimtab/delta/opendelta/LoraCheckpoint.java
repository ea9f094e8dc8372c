package io.trimtab.delta.opendelta;

import io.trimtab.delta.Delta;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.DeltaTensors;
import io.trimtab.delta.Fields;
import io.trimtab.delta.OpenDeltaTargets;
import io.trimtab.delta.Targets;
import io.trimtab.delta.lora.Lora;
import io.trimtab.model.Model;
import io.trimtab.tensor.Parameter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** LoRA: {@code PATH.lora.lora_A} [rank, in] and {@code PATH.lora.lora_B} [out, rank]. */
final class LoraCheckpoint implements Checkpoint {
  /** {@code exclude_modules} is in the file and was never looked at when it was trained. */
  @Override
  public DeltaSpec read(Fields fields, Model model, List<String> unfrozen) {
    return Lora.rank(fields.integer("lora_r"))
        .alpha(fields.decimal("lora_alpha", 16))
        .dropout(fields.decimal("lora_dropout", 0))
        .on(new Targets(OpenDeltaTargets.modified(fields.config()), unfrozen, true));
  }

  @Override
  public List<DeltaTensors.Entry> entries(Delta delta, Names names, Map<String, Parameter> left) {
    List<DeltaTensors.Entry> entries = new ArrayList<>();
    for (String matrix : List.of("lora_A", "lora_B")) {
      String end = "." + matrix + ".weight";
      for (String name : List.copyOf(left.keySet())) {
        if (name.endsWith(end)) {
          String path = name.substring(0, name.length() - end.length());
          entries.add(
              DeltaTensors.Entry.of(
                  names.hooked(path, "lora") + matrix, Objects.requireNonNull(left.remove(name))));
        }
      }
    }
    return entries;
  }
}
