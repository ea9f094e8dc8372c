package io.trimtab.cli;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** {@code trimtab delta}: the methods there are, and the deltas that came of them. */
@Command(
    name = "delta",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    subcommands = {
      DeltaMethodsCommand.class,
      DeltaAddCommand.class,
      DeltaListCommand.class,
      DeltaShowCommand.class,
      DeltaVerifyCommand.class,
      DeltaLintCommand.class,
      DeltaMergeCommand.class,
      DeltaConvertCommand.class,
      DeltaExportCommand.class
    },
    description = {
      "List delta methods; keep, verify, merge, convert and export tuned deltas.",
      "A DELTA is a directory with its files, a run's directory, or a name or id of the registry."
    },
    synopsisSubcommandLabel = "COMMAND")
final class DeltaCommand implements Runnable {
  @CommandLine.Spec private CommandLine.Model.@Nullable CommandSpec spec;

  @Override
  public void run() {
    if (spec != null) {
      throw new CommandLine.ParameterException(spec.commandLine(), "Missing command");
    }
  }
}
