package io.trimtab.delta;

import io.trimtab.hub.ModelConfig;
import io.trimtab.model.Layer;
import io.trimtab.model.Model;
import java.util.List;
import java.util.Map;

/** The fields of {@code adapter_config.json} that say which layers a method goes on. */
public final class PeftTargets {
  private PeftTargets() {}

  /** Reads them. A text is a regular expression over whole paths; a list holds suffixes. */
  public static Address read(ModelConfig config) {
    Address address =
        config.isText("target_modules")
            ? regexOrAll(config.text("target_modules"))
            : Address.suffixes(config.texts("target_modules"));
    if (config.isText("exclude_modules")) {
      address = address.excludingRegex(config.text("exclude_modules"));
    } else {
      address = address.excluding(config.texts("exclude_modules"));
    }
    List<Integer> blocks =
        config.isNumber("layers_to_transform")
            ? List.of(config.integer("layers_to_transform"))
            : config.integers("layers_to_transform");
    List<String> names =
        config.isText("layers_pattern")
            ? List.of(config.text("layers_pattern"))
            : config.texts("layers_pattern");
    return address.inBlocks(blocks, names);
  }

  private static Address regexOrAll(String text) {
    return text.equals(Address.ALL_LINEAR) ? Address.suffixes(List.of(text)) : Address.regex(text);
  }

  /** Writes them so that PEFT finds the same layers. */
  public static void write(Address address, Model model, Map<String, Object> config) {
    // PEFT knows which layers are outputs by the task, which its file may not name.
    boolean everywhere = address.suffixes().contains(Address.ALL_LINEAR);
    if (everywhere) {
      config.put("target_modules", address.resolve(model).stream().map(Layer::path).toList());
      return;
    }
    config.put("target_modules", address.regex().isEmpty() ? address.suffixes() : address.regex());
    if (!address.excludedRegex().isEmpty()) {
      config.put("exclude_modules", address.excludedRegex());
    } else if (!address.excluded().isEmpty()) {
      config.put("exclude_modules", address.excluded());
    }
    if (!address.blocks().isEmpty()) {
      config.put("layers_to_transform", address.blocks());
      if (!address.blockNames().isEmpty()) {
        config.put("layers_pattern", address.blockNames());
      }
    }
  }
}
