package io.trimtab.delta.registry;

import io.trimtab.delta.DeltaFiles;
import io.trimtab.hub.FileFormatException;
import io.trimtab.hub.HubException;
import io.trimtab.hub.ModelConfig;
import io.trimtab.hub.Safetensors;
import io.trimtab.hub.TensorFile;
import io.trimtab.hub.TensorInfo;
import io.trimtab.model.Model;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.Reduction;
import io.trimtab.tensor.Scope;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * What came of reading all of a delta again.
 *
 * @param hashes files whose hash was compared; 0 where none is known
 * @param tensors tensors that were read
 * @param fingerprints tensors of the base that were compared; 0 where none is recorded, or no base
 *     was given
 * @param problems what is wrong with the files, a line each
 * @param differences where the base is another than the one it was tuned on
 */
public record Verification(
    int hashes,
    int tensors,
    int fingerprints,
    List<String> problems,
    List<BaseFingerprints.Difference> differences) {
  /** Copies the lists. */
  public Verification {
    problems = List.copyOf(problems);
    differences = List.copyOf(differences);
  }

  /** Whether nothing is wrong. */
  public boolean ok() {
    return problems.isEmpty() && differences.isEmpty();
  }

  /**
   * Verifies a delta's files.
   *
   * @param expected the files as they were put into the registry, or null for a directory that is
   *     not from there
   * @param base the model to compare with, or null to leave that out
   */
  public static Verification of(
      Path directory, @Nullable DeltaManifest expected, @Nullable Model base) {
    List<String> problems = new ArrayList<>();
    if (expected != null) {
      compare(expected, DeltaManifest.of(directory), problems);
    }
    int tensors = 0;
    List<BaseFingerprints.Difference> differences = List.of();
    int compared = 0;
    try {
      ModelConfig.read(directory.resolve(DeltaFiles.CONFIG)).text("peft_type");
      tensors = finite(directory, problems);
      if (base != null) {
        SortedMap<String, String> recorded = BaseFingerprints.recorded(directory);
        compared = recorded.size();
        differences = BaseFingerprints.differences(recorded, base);
      }
    } catch (FileFormatException | HubException e) {
      problems.add(String.valueOf(e.getMessage())); // a damaged file is a finding, not a failure
    }
    int hashes = expected == null ? 0 : expected.files().size();
    return new Verification(hashes, tensors, compared, problems, differences);
  }

  private static void compare(DeltaManifest expected, DeltaManifest found, List<String> problems) {
    TreeSet<String> names = new TreeSet<>(expected.files().keySet());
    names.addAll(found.files().keySet());
    for (String name : names) {
      DeltaManifest.Content before = expected.files().get(name);
      DeltaManifest.Content now = found.files().get(name);
      if (before == null) {
        problems.add("found a file " + name + " that was not there when the delta was put in");
      } else if (now == null) {
        problems.add("found no file " + name + ", expected one of " + before.bytes() + " bytes");
      } else if (!before.equals(now)) {
        problems.add(name + ": found SHA-256 " + now.sha256() + ", expected " + before.sha256());
      }
    }
  }

  private static int finite(Path directory, List<String> problems) {
    Path file = directory.resolve(DeltaFiles.TENSORS);
    if (!Files.isRegularFile(file)) {
      problems.add("found no " + DeltaFiles.TENSORS + ", expected the delta's tensors");
      return 0;
    }
    try (TensorFile tensors = Safetensors.open(file)) {
      for (String name : tensors.names()) {
        TensorInfo info = tensors.info(name);
        try (Scope _ = Scope.open()) {
          if (info.dtype().isFloating()
              && !Reduction.allFinite(
                  Creation.copyOf(tensors.bytes(name), info.dtype(), info.shape()))) {
            problems.add(name + ": found numbers that are not finite, expected finite ones");
          }
        }
      }
      return tensors.names().size();
    }
  }
}
