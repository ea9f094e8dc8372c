package io.trimtab.cli;

import io.trimtab.delta.registry.DeltaRegistry;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which registry of deltas, and deltas by the names that it has. */
final class RegistryOptions {
  @Option(
      names = "--registry",
      paramLabel = "DIR",
      description = "The registry of deltas (default: deltas/ in the directory of TRIMTAB_HOME).")
  private @Nullable Path directory;

  DeltaRegistry open() {
    return directory == null ? DeltaRegistry.local() : DeltaRegistry.at(directory);
  }

  DeltaSource find(String delta) {
    return DeltaSource.of(delta, open());
  }
}
