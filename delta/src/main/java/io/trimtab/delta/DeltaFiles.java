package io.trimtab.delta;

import io.trimtab.hub.ModelConfig;
import io.trimtab.hub.Safetensors;
import io.trimtab.hub.TensorFile;
import io.trimtab.model.Layer;
import io.trimtab.model.Linear;
import io.trimtab.model.Model;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Deltas as directories in the layout of Hugging Face PEFT: {@code adapter_config.json} and {@code
 * adapter_model.safetensors}. What PEFT has no field for, the fingerprints of the base's tensors,
 * is in the safetensors file's metadata.
 */
public final class DeltaFiles {
  /** The settings. */
  public static final String CONFIG = "adapter_config.json";

  /** The tensors. */
  public static final String TENSORS = "adapter_model.safetensors";

  private DeltaFiles() {}

  /** Writes a delta; both files are moved into place whole. */
  public static void save(Delta delta, Path directory) {
    Delta stored = delta.spec().toStore(delta);
    try {
      write(stored, directory);
    } finally {
      if (stored != delta) {
        stored.close();
      }
    }
  }

  private static void write(Delta delta, Path directory) {
    Map<String, Object> config = new TreeMap<>(delta.spec().toConfig(delta.base()));
    config.put("peft_type", delta.spec().peftType());
    config.put("base_model_name_or_path", delta.base().name());
    config.put("inference_mode", true);
    config.putIfAbsent(PeftFields.TASK, null);
    try {
      Files.createDirectories(directory);
      DeltaTensors.write(delta, entries(delta), directory.resolve(TENSORS));
      DeltaTensors.writeConfig(config, directory.resolve(CONFIG));
    } catch (IOException e) {
      throw new DeltaException("cannot write the delta to " + directory + ": " + e, e);
    }
  }

  private static List<DeltaTensors.Entry> entries(Delta delta) {
    return DeltaTensors.of(delta).stream()
        .map(each -> DeltaTensors.Entry.of(delta.spec().fileKey(each.name()), each))
        .toList();
  }

  /**
   * Reads a delta for a model.
   *
   * @throws DeltaException.Unsupported for a method or option that is not supported
   * @throws DeltaException.BaseMismatch where it was tuned on other weights
   * @throws DeltaException for tensors that are missing, left over, or of a wrong shape
   */
  public static Delta load(Path directory, Model model) {
    Path configFile = directory.resolve(CONFIG);
    Path tensorFile = directory.resolve(TENSORS);
    for (Path file : List.of(configFile, tensorFile)) {
      if (!Files.isRegularFile(file)) {
        throw new DeltaException(
            "found no "
                + file.getFileName()
                + " in "
                + directory
                + ", expected a directory with "
                + CONFIG
                + " and "
                + TENSORS);
      }
    }
    ModelConfig config = ModelConfig.read(configFile);
    Set<String> asked = new LinkedHashSet<>();
    DeltaSpec spec = DeltaMethods.of(config).fromConfig(config.telling(asked::add), model);
    PeftFields.checkAsked(config, asked);
    try (Scope _ = Scope.open();
        TensorFile file = Safetensors.open(tensorFile)) {
      PeftFields.checkSizes(config, model, FileSizes.of(file));
      Delta delta = spec.attach(model, Rng.seeded(0)); // every number is overwritten below
      try {
        Set<String> repeated = repeated(delta, file);
        DeltaTensors.fill(
            delta,
            entries(delta),
            file,
            tensorFile,
            key -> repeated.contains(key) || isAliasOfFilled(key, delta, file));
      } catch (RuntimeException e) {
        delta.close();
        throw e;
      }
      return delta;
    }
  }

  /**
   * A tied bias goes by two names in PEFT's files, the head's and its decoder's; both must agree.
   */
  private static boolean isAliasOfFilled(String key, Delta delta, TensorFile file) {
    for (Layer layer : delta.base().root().walk().toList()) {
      if (layer instanceof Linear linear
          && linear.bias() != null
          && key.equals(delta.spec().fileKey(linear.path() + ".bias"))
          && !linear.biasName().equals(linear.path() + ".bias")) {
        String own = delta.spec().fileKey(linear.biasName());
        return file.names().contains(own) && file.bytes(own).mismatch(file.bytes(key)) == -1;
      }
    }
    return false;
  }

  /** The keys that hold a tensor of the delta once more, as its parts say they may. */
  private static Set<String> repeated(Delta delta, TensorFile file) {
    Set<String> repeated = new LinkedHashSet<>();
    for (Part part : delta.parts()) {
      part.aliases()
          .forEach(
              (name, of) -> {
                String key = delta.spec().fileKey(name);
                String own = delta.spec().fileKey(of);
                if (file.names().contains(key)
                    && file.names().contains(own)
                    && file.bytes(own).mismatch(file.bytes(key)) == -1) {
                  repeated.add(key);
                }
              });
    }
    return repeated;
  }
}
