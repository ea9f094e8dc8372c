package io.trimtab.cli;

import io.trimtab.hub.ModelDirectory;
import io.trimtab.hub.blocks.BlockFormat;
import io.trimtab.hub.gguf.GgufExport;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code trimtab convert}: a model as a GGUF file. */
@Command(
    name = "convert",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    description = "Write a model as a GGUF file, which llama.cpp loads.")
final class ConvertCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @Mixin private CommonOptions common;

  @Parameters(
      index = "0",
      paramLabel = "MODEL",
      description = "A name of the catalogue, a hub id, a directory, or a GGUF file.")
  private String model;

  @Parameters(index = "1", paramLabel = "FILE", description = "The .gguf file to make.")
  private Path file;

  @Option(
      names = "--type",
      paramLabel = "TYPE",
      defaultValue = "q8_0",
      completionCandidates = Types.class,
      description =
          "How matrices are packed: one of ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private String type;

  /** The names of the formats that can be written. */
  static final class Types implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return Arrays.stream(BlockFormat.values())
          .filter(BlockFormat::canQuantize)
          .map(format -> format.name().toLowerCase(Locale.ROOT))
          .iterator();
    }
  }

  @Override
  public Integer call() {
    BlockFormat format = format();
    if (!file.toString().endsWith(".gguf") || Files.exists(file)) {
      throw new CommandLine.ParameterException(
          spec.commandLine(), "found " + file + ", expected a new file that ends in .gguf");
    }
    ModelDirectory found = common.find(model);
    GgufExport.write(found, format, file);
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("model", model);
    result.put("file", file.toString());
    result.put("type", type);
    result.put("bytes", size());
    common.words().println(file + " (" + size() + " bytes)");
    common.words().flush();
    common.result(result);
    return 0;
  }

  private long size() {
    try {
      return Files.size(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private BlockFormat format() {
    for (BlockFormat each : BlockFormat.values()) {
      if (each.canQuantize() && each.name().equalsIgnoreCase(type)) {
        return each;
      }
    }
    throw new CommandLine.ParameterException(
        spec.commandLine(),
        "found --type " + type + ", expected one of " + String.join(", ", new Types()));
  }
}
