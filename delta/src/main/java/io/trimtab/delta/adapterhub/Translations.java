package io.trimtab.delta.adapterhub;

import io.trimtab.delta.Delta;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.DeltaTensors;
import io.trimtab.delta.Fields;
import io.trimtab.hub.ModelConfig;
import io.trimtab.tensor.Parameter;
import java.util.List;
import java.util.Map;

/** The architectures that are known. */
final class Translations {
  private static final List<Translation> ALL =
      List.of(
          new LoraTranslation(),
          new Ia3Translation(),
          new PrefixTranslation(),
          new PromptTranslation(),
          new ReftTranslation(),
          new BottleneckTranslation(),
          new UnionTranslation());

  private Translations() {}

  /** The fields of one architecture. */
  static Fields fields(ModelConfig config) {
    Fields fields = new Fields(config, config.text("architecture", "bottleneck"));
    fields.ignore("architecture");
    return fields;
  }

  /** The one that reads the given fields. */
  static Translation reading(Fields fields) {
    return ALL.stream()
        .filter(translation -> translation.reads(fields))
        .findFirst()
        .orElseThrow(
            () ->
                new DeltaException.Unsupported(
                    "found architecture "
                        + fields.text("architecture", "bottleneck")
                        + " in "
                        + fields.config().path()
                        + ", expected lora, prefix_tuning, prompt_tuning, reft, union or a"
                        + " bottleneck adapter; others are not read yet"));
  }

  /** The one that writes the given settings. */
  static Translation writing(DeltaSpec spec) {
    return ALL.stream()
        .filter(translation -> translation.writes(spec))
        .findFirst()
        .orElseThrow(() -> Translation.noField("the method " + spec.method().name()));
  }

  /** The tensors of a delta, each of which has an entry. */
  static List<DeltaTensors.Entry> entries(Translation translation, Delta delta, Keys keys) {
    Map<String, Parameter> left = Translation.byName(delta);
    List<DeltaTensors.Entry> entries = translation.entries(delta, keys, left);
    if (!left.isEmpty()) {
      throw Translation.noField(left.keySet().iterator().next());
    }
    return entries;
  }
}
