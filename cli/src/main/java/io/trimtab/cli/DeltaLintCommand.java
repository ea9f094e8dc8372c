package io.trimtab.cli;

import io.trimtab.delta.compat.AdapterFacts;
import io.trimtab.delta.compat.Compatibility;
import io.trimtab.delta.compat.Finding;
import java.io.PrintWriter;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code trimtab delta lint}: which other programs load a delta. */
@Command(
    name = "lint",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    description =
        "Say whether PEFT, vLLM, LoRAX, llama.cpp and ONNX Runtime load it, else why not.")
final class DeltaLintCommand implements Callable<Integer> {
  @Mixin private CommonOptions common;
  @Mixin private RegistryOptions registry;

  @Parameters(paramLabel = "DELTA", description = "A directory, a run's directory, a name or id.")
  private String delta;

  @Override
  public Integer call() {
    List<Compatibility> all = Compatibility.of(AdapterFacts.of(registry.find(delta).directory()));
    PrintWriter words = common.words();
    for (Compatibility one : all) {
      words.println(one.program() + " (as of " + one.asOf() + "): " + status(one.status()));
      for (Finding finding : one.findings()) {
        words.println("  " + finding.field() + ": " + finding.found() + "; " + finding.why());
      }
    }
    words.flush();
    common.result(Map.of("programs", all.stream().map(DeltaJson::compatibility).toList()));
    return 0;
  }

  private static String status(Compatibility.Status status) {
    return switch (status) {
      case LOADS -> "loads";
      case AFTER_A_STEP -> "loads after a step";
      case WRONG -> "loads, with other results";
      case REFUSED -> "does not load";
    };
  }
}
