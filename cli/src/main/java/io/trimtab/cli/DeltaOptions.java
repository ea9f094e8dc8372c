package io.trimtab.cli;

import io.trimtab.delta.DeltaMethod;
import io.trimtab.delta.DeltaMethods;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.Presets;
import io.trimtab.delta.compose.DeltaExpression;
import io.trimtab.delta.compose.DeltaSyntaxException;
import io.trimtab.model.Model;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
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
          "The delta method and its options, such as lora:rank=8; several together with +. Methods:"
              + " ${COMPLETION-CANDIDATES}.",
      completionCandidates = Methods.class)
  private @Nullable String delta;

  @Option(names = "--rank", paramLabel = "R", description = "The rank of LoRA.")
  private @Nullable String rank;

  @Option(names = "--alpha", paramLabel = "A", description = "The alpha of LoRA.")
  private @Nullable String alpha;

  @Option(names = "--dropout", paramLabel = "P", description = "Dropout before LoRA.")
  private @Nullable String dropout;

  @Option(
      names = "--preset",
      paramLabel = "ORIGIN",
      description =
          "Take the settings of opendelta, peft, adapterhub or the paper where nothing else is"
              + " said; trimtab delta methods lists them.")
  private @Nullable String preset;

  @Option(
      names = "--targets",
      paramLabel = "NAMES",
      description =
          "Layers it goes on, an address such as query,value, @attn or \"all-linear layers=0-3\""
              + " (default: queries and values).")
  private @Nullable String targets;

  /** The names of all methods. */
  static final class Methods implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return DeltaMethods.all().stream()
          .filter(DeltaMethod::standsAlone)
          .map(DeltaMethod::name)
          .iterator();
    }
  }

  /** Whether a delta was named, or LoRA by one of its settings. */
  boolean given() {
    return delta != null
        || rank != null
        || alpha != null
        || dropout != null
        || preset != null
        || targets != null;
  }

  /** The settings for a model; LoRA where no method is named. */
  DeltaSpec spec(Model model) {
    Map<String, String> options = new LinkedHashMap<>();
    put(options, "rank", rank);
    put(options, "alpha", alpha);
    put(options, "dropout", dropout);
    put(options, Presets.OPTION, preset);
    put(options, "targets", targets);
    try {
      return DeltaExpression.parse(delta == null ? "lora" : delta, options, model);
    } catch (DeltaSyntaxException e) {
      throw new CommandLine.ParameterException(spec.commandLine(), e.getMessage(), e);
    }
  }

  private static void put(Map<String, String> options, String key, @Nullable String value) {
    if (value != null) {
      options.put(key, value);
    }
  }
}
