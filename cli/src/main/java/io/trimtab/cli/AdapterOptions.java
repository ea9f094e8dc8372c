package io.trimtab.cli;

import io.trimtab.model.LanguageModel;
import io.trimtab.prompt.TextTask;
import io.trimtab.prompt.Tuned;
import io.trimtab.prompt.TunedText;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** A tuned delta, and the base to put it on where that is not the one it names. */
final class AdapterOptions {
  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec;

  @Option(
      names = "--adapter",
      paramLabel = "DIR",
      description = "A tuned delta: a run's directory or its delta/.")
  private @Nullable Path adapter;

  @Option(
      names = "--model",
      paramLabel = "MODEL",
      description = "The base model (default: the one the delta names).")
  private @Nullable String model;

  boolean given() {
    return adapter != null;
  }

  @Nullable String model() {
    return model;
  }

  Path directory() {
    if (adapter == null) {
      throw new CommandLine.ParameterException(
          spec.commandLine(), "found no --adapter, expected the directory of a tuned delta");
    }
    return adapter;
  }

  /** The task that the delta was tuned for, where that is to write texts. */
  Optional<TextTask> writing() {
    return TunedText.isIn(directory())
        ? Optional.of(TunedText.taskOf(directory()))
        : Optional.empty();
  }

  /** The base's name. */
  String baseName() {
    if (model != null) {
      return model;
    }
    return TunedText.isIn(directory()) ? TunedText.baseOf(directory()) : Tuned.baseOf(directory());
  }

  /** Opens the base. */
  LanguageModel base(CommonOptions common) {
    return common.open(baseName());
  }
}
