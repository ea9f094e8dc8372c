package io.trimtab.delta;

import io.trimtab.hub.ModelConfig;
import io.trimtab.hub.Safetensors;
import io.trimtab.hub.TensorData;
import io.trimtab.hub.TensorFile;
import io.trimtab.hub.TensorInfo;
import io.trimtab.model.Layer;
import io.trimtab.model.Linear;
import io.trimtab.model.Model;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Reduction;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import tools.jackson.core.json.JsonWriteFeature;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

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

  private static final String BASE = "trimtab.base.";

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
    config.put("peft_type", delta.spec().method().peftType());
    config.put("base_model_name_or_path", delta.base().name());
    config.put("inference_mode", true);
    config.put("task_type", null);
    LinkedHashMap<String, TensorData> tensors = new LinkedHashMap<>();
    for (Parameter parameter : stored(delta)) {
      Tensor value = parameter.value();
      tensors.put(
          delta.spec().fileKey(parameter.name()),
          new TensorData(value.dtype(), value.shape(), value.detach().toBytes()));
    }
    Map<String, String> metadata = new TreeMap<>(Map.of("format", "pt"));
    delta.baseTensors().forEach(name -> metadata.put(BASE + name, delta.base().fingerprint(name)));
    try {
      Files.createDirectories(directory);
      Safetensors.write(directory.resolve(TENSORS), tensors, metadata);
      Path temporary = directory.resolve(CONFIG + ".part");
      Files.writeString(temporary, json(config), StandardCharsets.UTF_8);
      Files.move(temporary, directory.resolve(CONFIG), StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw new DeltaException("cannot write the delta to " + directory + ": " + e, e);
    }
  }

  private static List<Parameter> stored(Delta delta) {
    List<Parameter> stored = new ArrayList<>(delta.parameters());
    delta.constants().stream().filter(delta.spec()::isStored).forEach(stored::add);
    return stored;
  }

  private static String json(Map<String, Object> config) {
    return JsonMapper.builder()
            .enable(SerializationFeature.INDENT_OUTPUT)
            .disable(JsonWriteFeature.ESCAPE_FORWARD_SLASHES)
            .build()
            .writeValueAsString(config)
        + "\n";
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
    DeltaSpec spec = DeltaMethods.of(config).fromConfig(config, model);
    try (Scope _ = Scope.open();
        TensorFile file = Safetensors.open(tensorFile)) {
      Delta delta = spec.attach(model, Rng.seeded(0)); // every number is overwritten below
      try {
        fill(delta, file, tensorFile);
        checkBase(delta, file.metadata(), tensorFile);
      } catch (RuntimeException e) {
        delta.close();
        throw e;
      }
      return delta;
    }
  }

  private static void fill(Delta delta, TensorFile file, Path path) {
    Set<String> left = new LinkedHashSet<>(file.names());
    List<String> missing = new ArrayList<>();
    for (Parameter parameter : stored(delta)) {
      String key = delta.spec().fileKey(parameter.name());
      if (!left.remove(key)) {
        missing.add(key);
        continue;
      }
      parameter.assign(read(file, key, parameter.value(), path));
    }
    left.removeIf(key -> isAliasOfFilled(key, delta, file));
    left.removeAll(repeated(delta, file));
    if (!missing.isEmpty() || !left.isEmpty()) {
      throw new DeltaException(
          "found in "
              + path
              + (left.isEmpty() ? "" : " tensors with no place in this model: " + some(left))
              + (missing.isEmpty() ? "" : " no tensor " + some(missing))
              + ", expected exactly the tensors that "
              + CONFIG
              + " describes; the file is damaged or for another model");
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

  private static Tensor read(TensorFile file, String key, Tensor place, Path path) {
    TensorInfo info = file.info(key);
    boolean floating = place.dtype().isFloating();
    if (!Arrays.equals(info.shape(), place.shape()) || info.dtype().isFloating() != floating) {
      throw new DeltaException(
          "found "
              + info
              + " in "
              + path
              + (floating ? ", expected floating-point numbers" : ", expected whole numbers")
              + " of shape "
              + Arrays.toString(place.shape()));
    }
    Tensor tensor = Creation.copyOf(file.bytes(key), info.dtype(), info.shape());
    if (floating && !Reduction.allFinite(tensor)) {
      throw new DeltaException(
          "found numbers that are not finite in "
              + key
              + " of "
              + path
              + ", expected finite ones; the training run that wrote it diverged");
    }
    return tensor;
  }

  private static void checkBase(Delta delta, Map<String, String> metadata, Path path) {
    List<String> different = new ArrayList<>();
    for (String name : delta.baseTensors()) {
      String recorded = metadata.get(BASE + name);
      if (recorded != null && !recorded.equals(delta.base().fingerprint(name))) {
        different.add(name);
      }
    }
    if (!different.isEmpty()) {
      throw new DeltaException.BaseMismatch(
          "found a delta in "
              + path
              + " that was tuned on other weights than "
              + delta.base().name()
              + " has ("
              + some(different)
              + "), expected the same base; open the model it was tuned on");
    }
  }

  private static String some(java.util.Collection<String> names) {
    List<String> list = List.copyOf(names);
    return String.join(", ", list.subList(0, Math.min(3, list.size())))
        + (list.size() > 3 ? " and " + (list.size() - 3) + " more" : "");
  }
}
