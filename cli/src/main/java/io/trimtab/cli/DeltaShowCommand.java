package io.trimtab.cli;

import io.trimtab.delta.DeltaFiles;
import io.trimtab.delta.registry.DeltaEntry;
import io.trimtab.delta.registry.DeltaRegistry;
import io.trimtab.delta.registry.ModelCard;
import io.trimtab.hub.Safetensors;
import io.trimtab.hub.TensorFile;
import io.trimtab.hub.TensorInfo;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code trimtab delta show}: what is known of a delta. */
@Command(
    name = "show",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    description = "Show a delta's card: method, base, files, where it comes from, figures.")
final class DeltaShowCommand implements Callable<Integer> {
  @Mixin private CommonOptions common;
  @Mixin private RegistryOptions registry;

  @Parameters(paramLabel = "DELTA", description = "A directory, a run's directory, a name or id.")
  private String delta;

  @Override
  public Integer call() {
    DeltaSource source = registry.find(delta);
    DeltaEntry entry =
        source.entry() == null
            ? DeltaRegistry.describe(source.directory(), source.notes())
            : source.entry();
    List<TensorInfo> tensors;
    try (TensorFile file = Safetensors.open(source.directory().resolve(DeltaFiles.TENSORS))) {
      tensors = file.names().stream().map(file::info).toList();
    }
    long numbers = tensors.stream().mapToLong(TensorInfo::elements).sum();
    PrintWriter words = common.words();
    words.println(ModelCard.of(entry).strip());
    words.printf(Locale.ROOT, "%n%,d numbers in %d tensors%n", numbers, tensors.size());
    entry
        .manifest()
        .files()
        .forEach((name, content) -> words.println(content.sha256() + "  " + name));
    words.println(source.directory());
    words.flush();
    Map<String, Object> result =
        DeltaJson.entry(
            entry,
            source.entry() == null
                ? List.of()
                : DeltaListCommand.names(registry.open(), entry.id()));
    result.put("directory", source.directory().toString());
    result.put("tensors", tensors.size());
    result.put("numbers", numbers);
    common.result(result);
    return 0;
  }
}
