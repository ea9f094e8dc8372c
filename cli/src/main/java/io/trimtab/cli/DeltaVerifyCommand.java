package io.trimtab.cli;

import io.trimtab.delta.registry.BaseFingerprints;
import io.trimtab.delta.registry.Verification;
import io.trimtab.hub.ModelDirectory;
import io.trimtab.model.Model;
import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code trimtab delta verify}: reads all of a delta again. */
@Command(
    name = "verify",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    description = {
      "Read all of a delta again: hashes, finite numbers, and whether the base is the one it was"
          + " tuned on.",
      "Exits with 1 where something is wrong."
    })
final class DeltaVerifyCommand implements Callable<Integer> {
  @Mixin private CommonOptions common;
  @Mixin private RegistryOptions registry;

  @Parameters(paramLabel = "DELTA", description = "A directory, a run's directory, a name or id.")
  private String delta;

  @Option(
      names = "--model",
      paramLabel = "MODEL",
      description = "The base to compare with (default: the one the delta names).")
  private @Nullable String model;

  @Option(names = "--files-only", description = "Leave the base out.")
  private boolean filesOnly;

  @Override
  public Integer call() {
    DeltaSource source = registry.find(delta);
    common.startEngine();
    Verification found = filesOnly ? verify(source, null) : withBase(source);
    PrintWriter words = common.words();
    words.println(
        found.hashes() == 0
            ? "no hashes of its files are known: it is not in the registry"
            : "compared the hashes of " + found.hashes() + " files");
    words.println("read " + found.tensors() + " tensors");
    words.println(
        filesOnly
            ? "left the base out"
            : found.fingerprints() == 0
                ? "no hashes of its base are recorded: nothing was compared"
                : "compared " + found.fingerprints() + " tensors of the base");
    found.problems().forEach(problem -> words.println("wrong: " + problem));
    for (BaseFingerprints.Difference one : found.differences()) {
      words.printf(
          "base: %s%n  - %s%n  + %s%n",
          one.tensor(), one.expected(), one.found().isEmpty() ? "no such tensor" : one.found());
    }
    words.println(found.ok() ? "ok" : "not ok");
    words.flush();
    common.result(json(found));
    return found.ok() ? 0 : 1;
  }

  private Verification withBase(DeltaSource source) {
    String name = model == null ? source.base() : model;
    ModelDirectory files = common.find(name);
    try (Model base = Model.build(name, files.config(), files.tensors(), common.options())) {
      return verify(source, base);
    }
  }

  private static Verification verify(DeltaSource source, @Nullable Model base) {
    return Verification.of(
        source.directory(), source.entry() == null ? null : source.entry().manifest(), base);
  }

  private static Map<String, Object> json(Verification found) {
    Map<String, Object> out = new LinkedHashMap<>();
    out.put("ok", found.ok());
    out.put("hashes", found.hashes());
    out.put("tensors", found.tensors());
    out.put("base_tensors", found.fingerprints());
    out.put("problems", found.problems());
    out.put(
        "base_differences",
        found.differences().stream()
            .map(
                one ->
                    Map.of(
                        "tensor", one.tensor(), "expected", one.expected(), "found", one.found()))
            .toList());
    return out;
  }
}
