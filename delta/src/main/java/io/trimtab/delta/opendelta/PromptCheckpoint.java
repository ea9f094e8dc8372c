package io.trimtab.delta.opendelta;

import io.trimtab.delta.Delta;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.DeltaTensors;
import io.trimtab.delta.Fields;
import io.trimtab.delta.softprompt.SoftPrompt;
import io.trimtab.model.Model;
import io.trimtab.tensor.Parameter;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** Soft prompts in front of the words' vectors: {@code soft_prompt_layer.soft_embeds} [n, size]. */
final class PromptCheckpoint implements Checkpoint {
  @Override
  public DeltaSpec read(Fields fields, Model model, List<String> unfrozen) {
    fields.ignore("token_init", "init_range"); // how it started
    return SoftPrompt.of(fields.integer("soft_token_num")).saving(unfrozen.toArray(String[]::new));
  }

  @Override
  public List<DeltaTensors.Entry> entries(Delta delta, Names names, Map<String, Parameter> left) {
    return List.of(
        DeltaTensors.Entry.of(
            names.ending("soft_prompt_layer.soft_embeds"),
            Objects.requireNonNull(left.remove("prompt_embeddings"))));
  }
}
