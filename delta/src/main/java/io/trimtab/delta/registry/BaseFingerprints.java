package io.trimtab.delta.registry;

import io.trimtab.delta.DeltaFiles;
import io.trimtab.delta.DeltaTensors;
import io.trimtab.hub.Safetensors;
import io.trimtab.hub.TensorFile;
import io.trimtab.model.Model;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/** The hashes of the base's tensors that a delta was tuned for, and how a model compares. */
public final class BaseFingerprints {
  private BaseFingerprints() {}

  /**
   * A tensor that differs.
   *
   * @param tensor its name
   * @param expected the hash that the delta recorded
   * @param found that of the model, or empty where it has no such tensor
   */
  public record Difference(String tensor, String expected, String found) {}

  /** What a delta's file recorded, hash by tensor; empty where it recorded nothing. */
  public static SortedMap<String, String> recorded(Path directory) {
    SortedMap<String, String> out = new TreeMap<>();
    Path file = directory.resolve(DeltaFiles.TENSORS);
    if (!Files.isRegularFile(file)) {
      return out;
    }
    try (TensorFile tensors = Safetensors.open(file)) {
      tensors
          .metadata()
          .forEach(
              (key, hash) -> {
                if (key.startsWith(DeltaTensors.BASE)) {
                  out.put(key.substring(DeltaTensors.BASE.length()), hash);
                }
              });
    }
    return out;
  }

  /** The tensors in which a model is another than the one recorded. */
  public static List<Difference> differences(SortedMap<String, String> recorded, Model model) {
    Set<String> names = model.tensors().keySet();
    List<Difference> differences = new ArrayList<>();
    recorded.forEach(
        (tensor, hash) -> {
          String found = names.contains(tensor) ? model.fingerprint(tensor) : "";
          if (!found.equals(hash)) {
            differences.add(new Difference(tensor, hash, found));
          }
        });
    return differences;
  }
}
