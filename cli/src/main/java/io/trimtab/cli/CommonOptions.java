package io.trimtab.cli;

import io.trimtab.hub.Hub;
import io.trimtab.hub.HubOptions;
import io.trimtab.hub.ModelDirectory;
import io.trimtab.model.LanguageModel;
import io.trimtab.model.Models;
import io.trimtab.model.OpenOptions;
import io.trimtab.model.weights.WeightForm;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Engine;
import java.io.Console;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The options of every command, and where its words and its result go. */
final class CommonOptions {
  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec;

  @Option(
      names = "--json",
      description = "Print one JSON object on standard output, all else on standard error.")
  private boolean json;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "Draw everything random from this seed (default: ${DEFAULT-VALUE}).",
      defaultValue = "1")
  private long seed;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Threads of one operator (default: the physical cores).")
  private @Nullable Integer threads;

  @Option(
      names = "--dtype",
      paramLabel = "TYPE",
      description = "f32 or bf16: the type weights are held and multiplied in (default: f32).",
      defaultValue = "f32")
  private String dtype;

  @Option(
      names = "--device",
      paramLabel = "DEVICE",
      description = "cpu or cuda:N; CUDA needs its own build and is untested (default: cpu).",
      defaultValue = "cpu")
  private String device;

  long seed() {
    return seed;
  }

  boolean json() {
    return json;
  }

  DType dtype() {
    return switch (dtype.toLowerCase(Locale.ROOT)) {
      case "f32" -> DType.F32;
      case "bf16" -> DType.BF16;
      default -> throw misused("found --dtype " + dtype + ", expected f32 or bf16");
    };
  }

  Device device() {
    return Device.parse(device);
  }

  /** How a model is opened whose weights no option speaks of. */
  OpenOptions options() {
    return new OpenOptions(dtype(), device(), WeightForm.AUTO);
  }

  /** An error in how the command was called. */
  CommandLine.ParameterException misused(String message) {
    return new CommandLine.ParameterException(spec.commandLine(), message);
  }

  /** Words for people: standard output, or standard error where a program reads the output. */
  PrintWriter words() {
    return json ? spec.commandLine().getErr() : spec.commandLine().getOut();
  }

  /** Progress and remarks: always standard error. */
  PrintWriter remarks() {
    return spec.commandLine().getErr();
  }

  /** Whether somebody watches a terminal, where a line can be written over. */
  boolean terminal() {
    return Optional.ofNullable(System.console()).map(Console::isTerminal).orElse(false);
  }

  /** Ends a command's output with its result, where one was asked for. */
  void result(Object value) {
    if (json) {
      PrintWriter out = spec.commandLine().getOut();
      out.println(JsonText.of(value));
      out.flush();
    }
  }

  /** Finds a model's files, telling how a download goes. */
  ModelDirectory find(String model) {
    HubOptions options = HubOptions.defaults().withProgress(new DownloadProgress(remarks()));
    return Hub.with(options).find(model);
  }

  /** Opens a model for computing. */
  LanguageModel open(String model) {
    return open(model, find(model), options());
  }

  /** Opens a model whose files have been found as options say. */
  LanguageModel open(String model, ModelDirectory files, OpenOptions options) {
    startEngine();
    return Models.open(model, files, options);
  }

  /** Sets the engine's threads. */
  void startEngine() {
    Engine.setThreads(threads == null ? Engine.physicalCores() : threads);
  }
}
