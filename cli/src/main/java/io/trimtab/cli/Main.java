package io.trimtab.cli;

import io.trimtab.tensor.TrimtabException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;

/**
 * The {@code trimtab} command. Exit codes: 0 done, 1 failed (one line on standard error says why),
 * 2 misused.
 */
@Command(
    name = "trimtab",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    subcommands = {
      DemoCommand.class,
      PullCommand.class,
      ConvertCommand.class,
      InspectCommand.class,
      FillCommand.class,
      ChatCommand.class,
      GenerateCommand.class,
      ScoreCommand.class,
      PerplexityCommand.class,
      BenchCommand.class,
      TuneCommand.class,
      DeltaCommand.class,
      EvaluateCommand.class,
      PredictCommand.class,
      ParityCommand.class,
      WarmUpCommand.class
    },
    description =
        "Adapts large pretrained language models through small trainable parts, on the JVM.",
    synopsisSubcommandLabel = "COMMAND")
public final class Main implements Runnable {
  @CommandLine.Spec private CommandLine.Model.@Nullable CommandSpec spec;

  /** The exit code of a process ended by SIGINT, as shells give it. */
  private static final int INTERRUPTED = 130;

  private Main() {}

  /** Runs the command that {@code args} name and ends the process with its exit code. */
  public static void main(String[] args) {
    AtomicBoolean done = new AtomicBoolean();
    // A signal ends the process while the engine computes; unloading it under a running thread
    // would crash. Runs are safe: their files are moved into place whole.
    Thread halt = new Thread(() -> haltUnless(done), "halt on a signal");
    Runtime.getRuntime().addShutdownHook(halt);
    int code = commandLine().execute(args);
    done.set(true);
    System.exit(code);
  }

  private static void haltUnless(AtomicBoolean done) {
    if (!done.get()) {
      Runtime.getRuntime().halt(INTERRUPTED);
    }
  }

  static CommandLine commandLine() {
    return new CommandLine(new Main())
        .setParameterExceptionHandler((fault, _) -> misused(fault))
        .setExecutionExceptionHandler((fault, command, _) -> failed(fault, command));
  }

  private static int misused(CommandLine.ParameterException fault) {
    CommandLine command = fault.getCommandLine();
    String name = command.getCommandSpec().qualifiedName();
    String meant =
        fault instanceof CommandLine.UnmatchedArgumentException unmatched
                && !unmatched.getSuggestions().isEmpty()
            ? "; did you mean " + String.join(", ", unmatched.getSuggestions()) + "?"
            : "";
    say(command.getErr(), line(fault.getMessage()) + meant + "; see " + name + " --help");
    return CommandLine.ExitCode.USAGE;
  }

  /** Says what users can mend; anything else is a defect of ours, whose trace helps to mend it. */
  private static int failed(Exception fault, CommandLine command) throws Exception {
    if (!(fault instanceof TrimtabException) && !(fault instanceof UncheckedIOException)) {
      throw fault;
    }
    say(command.getErr(), fault);
    return CommandLine.ExitCode.SOFTWARE;
  }

  /** One line about what users can mend. */
  static void say(PrintWriter err, Exception fault) {
    String disk = fault instanceof UncheckedIOException ? "cannot read or write a file: " : "";
    say(err, disk + line(fault.getMessage()));
  }

  private static void say(PrintWriter err, String line) {
    err.println("trimtab: " + line);
    err.flush();
  }

  private static String line(@Nullable String message) {
    return String.valueOf(message).strip().replaceAll("\\s*\\R\\s*", " ");
  }

  @Override
  public void run() {
    if (spec != null) {
      throw new CommandLine.ParameterException(spec.commandLine(), "Missing command");
    }
  }

  /** The version that Maven wrote into the jar's manifest. */
  static final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
      @Nullable String version = Main.class.getPackage().getImplementationVersion();
      return new String[] {"trimtab " + (version == null ? "(run from classes)" : version)};
    }
  }
}
