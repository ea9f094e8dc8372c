package io.trimtab.cli;

import io.trimtab.delta.registry.DeltaEntry;
import io.trimtab.delta.registry.DeltaRegistry;
import io.trimtab.delta.registry.ModelCard;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code trimtab delta add}: puts a delta into the registry. */
@Command(
    name = "add",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    description = "Put a delta into the registry, or say more of one that is there.")
final class DeltaAddCommand implements Callable<Integer> {
  @Mixin private CommonOptions common;
  @Mixin private RegistryOptions registry;
  @Mixin private NoteOptions notes;

  @Parameters(paramLabel = "DELTA", description = "A directory, a run's directory, a name or id.")
  private String delta;

  @Override
  public Integer call() {
    notes.check();
    DeltaRegistry kept = registry.open();
    DeltaSource source = registry.find(delta);
    DeltaEntry entry = notes.add(kept, source.directory(), source.notes());
    Path directory = kept.directory(entry.id());
    common.words().printf("%s%ncard %s%n", entry.id(), directory.resolve(ModelCard.FILE));
    common.words().flush();
    List<String> names = DeltaListCommand.names(kept, entry.id());
    common.result(DeltaJson.entry(entry, names));
    return 0;
  }
}
