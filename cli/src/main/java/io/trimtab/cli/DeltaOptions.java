package io.trimtab.cli;

import io.trimtab.delta.DeltaMethod;
import io.trimtab.delta.DeltaMethods;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.model.Model;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Which delta to attach: {@code --delta NAME[:key=value,…]} with short forms for LoRA's own. */
final class DeltaOptions {
  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec;

  @Option(
      names = "--delta",
      paramLabel = "NAME[:K=V,…]",
      description =
          "The delta method and its options, such as lora:rank=8 (lora, ia3, bitfit, full).")
  private @Nullable String delta;

  @Option(names = "--rank", paramLabel = "R", description = "The rank of LoRA.")
  private @Nullable String rank;

  @Option(names = "--alpha", paramLabel = "A", description = "The alpha of LoRA.")
  private @Nullable String alpha;

  @Option(names = "--dropout", paramLabel = "P", description = "Dropout before LoRA.")
  private @Nullable String dropout;

  @Option(
      names = "--targets",
      paramLabel = "NAMES",
      description =
          "Layers it goes on, an address such as query,value, @attn or \"all-linear layers=0-3\""
              + " (default: queries and values).")
  private @Nullable String targets;

  /** Whether a delta was named, or LoRA by one of its settings. */
  boolean given() {
    return delta != null || rank != null || alpha != null || dropout != null || targets != null;
  }

  /** The settings for a model; LoRA where no method is named. */
  DeltaSpec spec(Model model) {
    String text = delta == null ? "lora" : delta;
    int colon = text.indexOf(':');
    DeltaMethod method = DeltaMethods.named(colon < 0 ? text : text.substring(0, colon));
    Map<String, String> options = new LinkedHashMap<>();
    if (colon >= 0) {
      // A comma may also stand inside a value, as in targets=query,value layers=0-3: what is no key
      // of the method goes on.
      String key = "";
      for (String piece : text.substring(colon + 1).split(",", -1)) {
        int equals = piece.indexOf('=');
        if (equals > 0 && isKey(piece.substring(0, equals).strip(), key)) {
          key = piece.substring(0, equals).strip();
          options.put(key, piece.substring(equals + 1).strip());
        } else if (!key.isEmpty()) {
          options.merge(key, piece.strip(), (a, b) -> a + "," + b);
        } else {
          throw new CommandLine.ParameterException(
              spec.commandLine(),
              "found \"" + piece + "\" in --delta " + text + ", expected key=value");
        }
      }
    }
    put(options, "rank", rank);
    put(options, "alpha", alpha);
    put(options, "dropout", dropout);
    put(options, "targets", targets);
    return method.fromOptions(options, model);
  }

  /** Whether a word before = names an option; an address has some words of its own. */
  private static boolean isKey(String word, String before) {
    return word.matches("\\w+")
        && !(before.equals("targets") && Set.of("layers", "exclude").contains(word));
  }

  private static void put(Map<String, String> options, String key, @Nullable String value) {
    if (value != null) {
      options.put(key, value);
    }
  }
}
