package io.trimtab.delta;

import io.trimtab.delta.AddressTree.Full;
import io.trimtab.delta.AddressTree.Minus;
import io.trimtab.delta.AddressTree.PeftLayers;
import io.trimtab.delta.AddressTree.Search;
import io.trimtab.delta.AddressTree.Suffix;
import io.trimtab.delta.AddressTree.Union;
import io.trimtab.hub.ModelConfig;
import io.trimtab.model.Layer;
import io.trimtab.model.Model;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/** The fields of {@code adapter_config.json} that say which layers a method goes on. */
public final class PeftTargets {
  private static final Pattern NAMED_GROUP = Pattern.compile("\\(\\?<[A-Za-z]");

  private PeftTargets() {}

  /**
   * Reads them. A text is a regular expression over whole paths, or {@code all-linear}; a list
   * holds suffixes. What is excluded is so in both forms; numbers of layers confine a list only.
   */
  public static Address read(ModelConfig config) {
    Address address =
        config.isText("target_modules")
            ? regexOrAll(config.text("target_modules"))
            : Address.literals(config.texts("target_modules"));
    List<Integer> blocks =
        config.isNumber("layers_to_transform")
            ? List.of(config.integer("layers_to_transform"))
            : config.integers("layers_to_transform");
    List<String> names =
        config.isText("layers_pattern")
            ? List.of(config.text("layers_pattern"))
            : config.texts("layers_pattern");
    Address confined =
        address.inBlocks(blocks, names.stream().filter(name -> !name.isEmpty()).toList());
    return config.isText("exclude_modules")
        ? excludingRegex(confined, config.text("exclude_modules"))
        : confined.excluding(config.texts("exclude_modules"));
  }

  private static Address excludingRegex(Address address, String regex) {
    return regex.isEmpty() ? address : address.excludingRegex(regex);
  }

  private static Address regexOrAll(String text) {
    return text.toLowerCase(Locale.ROOT).equals(Address.ALL_LINEAR)
        ? Address.suffixes(List.of(Address.ALL_LINEAR))
        : Address.regex(text);
  }

  /**
   * Writes them so that PEFT finds the same layers: in PEFT's own terms where it has some for the
   * address, else as the list of all paths.
   *
   * @throws DeltaException.Unsupported where the address hits parts of layers, which PEFT cannot
   */
  public static void write(Address address, Model model, Map<String, Object> config) {
    AddressTree tree = address.tree();
    Object excluded = null;
    if (tree instanceof Minus minus) {
      excluded = names(minus.what()).orElse(null);
      tree = minus.from();
      if (excluded == null) {
        writePaths(address, model, config);
        return;
      }
    }
    PeftLayers layers = tree instanceof PeftLayers confined ? confined : null;
    Optional<Object> targets = names(layers == null ? tree : layers.of());
    if (targets.isEmpty() || (layers != null && targets.get() instanceof String)) {
      writePaths(address, model, config);
      return;
    }
    config.put("target_modules", targets.get());
    if (excluded != null) {
      config.put("exclude_modules", excluded);
    }
    if (layers != null) {
      config.put("layers_to_transform", layers.numbers());
      if (!layers.names().isEmpty()) {
        config.put("layers_pattern", layers.names());
      }
    }
  }

  // PEFT knows which layers are outputs by the task, which its file may not name, so that
  // all-linear is written as paths too.
  private static void writePaths(Address address, Model model, Map<String, Object> config) {
    config.put(
        "target_modules", address.resolveLeniently(model).stream().map(Layer::path).toList());
  }

  /** A list of suffixes, or a text that is a regular expression; empty for anything else. */
  private static Optional<Object> names(AddressTree tree) {
    return switch (tree) {
      case Suffix suffix -> Optional.of(List.of(suffix.name()));
      case Full full -> Optional.of(full.regex()).filter(PeftTargets::isPython).map(r -> r);
      case Search search ->
          Optional.of("(?:.*\\.)?(?:" + search.regex() + ")")
              .filter(PeftTargets::isPython)
              .map(r -> r);
      case Union union when union.members().stream().allMatch(Suffix.class::isInstance) ->
          Optional.of(union.members().stream().map(Suffix.class::cast).map(Suffix::name).toList());
      default -> Optional.empty();
    };
  }

  /** Whether an expression has none of Java's forms that Python reads otherwise. */
  private static boolean isPython(String regex) {
    return !regex.contains("\\Q") && !regex.contains("\\p{") && !NAMED_GROUP.matcher(regex).find();
  }
}
