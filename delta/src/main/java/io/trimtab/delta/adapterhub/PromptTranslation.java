package io.trimtab.delta.adapterhub;

import io.trimtab.delta.Delta;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.DeltaTensors;
import io.trimtab.delta.Fields;
import io.trimtab.delta.softprompt.SoftPrompt;
import io.trimtab.hub.TensorFile;
import io.trimtab.model.Model;
import io.trimtab.tensor.Parameter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Soft prompts among what the embeddings give: {@code prompt_tuning}. */
final class PromptTranslation implements Translation {
  @Override
  public boolean reads(Fields fields) {
    return fields.text("architecture", "").equals("prompt_tuning");
  }

  @Override
  public DeltaSpec read(Fields fields, Model model, TensorFile file) {
    fields.ignore("prompt_init", "prompt_init_text", "random_uniform_scale", "init_weights_seed");
    String combine = fields.text("combine", "prefix");
    return SoftPrompt.of(fields.integer("prompt_length"))
        .startingAs(SoftPrompt.Start.RANDOM)
        .in(
            switch (combine) {
              case "prefix" -> SoftPrompt.Place.EMBEDDED;
              case "prefix_after_bos" -> SoftPrompt.Place.EMBEDDED_AFTER_FIRST;
              default ->
                  throw new DeltaException.Unsupported(
                      "found combine "
                          + combine
                          + " in "
                          + fields.config().path()
                          + ", expected prefix or prefix_after_bos");
            });
  }

  @Override
  public boolean writes(DeltaSpec spec) {
    return spec instanceof SoftPrompt;
  }

  @Override
  public Map<String, Object> config(Delta delta) {
    SoftPrompt prompt = (SoftPrompt) delta.spec();
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("architecture", "prompt_tuning");
    config.put(
        "combine",
        switch (prompt.place()) {
          case EMBEDDED -> "prefix";
          case EMBEDDED_AFTER_FIRST -> "prefix_after_bos";
          case WORDS -> throw Translation.noField("a soft prompt in front of the words' vectors");
        });
    config.put("prompt_length", prompt.length());
    config.put("prompt_init", "random_uniform");
    config.put("prompt_init_text", null);
    config.put("init_weights_seed", null);
    return config;
  }

  @Override
  public List<DeltaTensors.Entry> entries(Delta delta, Keys keys, Map<String, Parameter> left) {
    String key = "prompt_tuning.prompt_tunings." + keys.adapter() + ".prompt_embedding.weight";
    Parameter table = Translation.take(left, "prompt_embeddings");
    return List.of(DeltaTensors.Entry.of(keys.below(key), table));
  }
}
