package io.trimtab.cli;

import io.trimtab.delta.Delta;
import io.trimtab.model.LanguageModel;
import io.trimtab.model.Model;
import io.trimtab.model.Patches;
import java.util.Map;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** A model, and a delta on it. */
final class DecoderOptions {
  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec;

  @Mixin private RegistryOptions registry;

  @Option(
      names = "--model",
      paramLabel = "MODEL",
      description = "The model (default: the one that the delta names).")
  private @Nullable String model;

  @Option(
      names = "--adapter",
      paramLabel = "DELTA",
      description =
          "A delta on the model: a directory with its files, a run's directory, or a name or id of"
              + " the registry.")
  private @Nullable String adapter;

  /** The model's name as results have it. */
  String name() {
    String named = model;
    return named == null ? source().base() : named;
  }

  /** Puts what was used into a result: {@code model}, and {@code adapter} where there is one. */
  void describe(Map<String, Object> result) {
    result.put("model", name());
    if (adapter != null) {
      result.put("adapter", adapter);
    }
  }

  /** What {@code --adapter} names. */
  @Nullable String adapter() {
    return adapter;
  }

  /** Loads a delta by any name that {@code --adapter} takes. */
  Delta load(String delta, Model base) {
    return registry.find(delta).load(base);
  }

  private DeltaSource source() {
    String named = adapter;
    if (named == null) {
      throw new CommandLine.ParameterException(
          spec.commandLine(), "found neither --model nor --adapter, expected one of them");
    }
    return registry.find(named);
  }

  /** Opens the model, loads the delta, works with them and frees both. */
  <T> T use(CommonOptions common, BiFunction<LanguageModel, Patches, T> work) {
    try (LanguageModel opened = common.open(name())) {
      if (adapter == null) {
        return work.apply(opened, Patches.NONE);
      }
      try (Delta delta = source().load(opened.model())) {
        return work.apply(opened, delta.patches());
      }
    }
  }
}
