package io.trimtab.delta.merged;

import io.trimtab.delta.Delta;
import io.trimtab.delta.DeltaException;
import io.trimtab.hub.ModelDirectory;
import io.trimtab.hub.Safetensors;
import io.trimtab.hub.TensorData;
import io.trimtab.hub.TensorFile;
import io.trimtab.hub.TensorInfo;
import io.trimtab.model.Layer;
import io.trimtab.model.Linear;
import io.trimtab.model.Model;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.stream.Stream;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * A delta built into its model and written as a model's directory in the Hugging Face layout, that
 * anything which opens such directories opens: {@code model.safetensors}, {@code config.json} and
 * the base's other files. Tensors that the delta does not change are the base's bytes; changed ones
 * are rounded to the type that the base has them in. Of a base with quantized layers, all are
 * written as plain numbers: to quantize what was merged would change it.
 */
public final class MergedDirectory {
  private static final String WEIGHTS = "model.safetensors";
  private static final String CONFIG = "config.json";
  private static final String TIED = "tie_word_embeddings";
  private static final String QUANTIZED = "quantization_config";

  private MergedDirectory() {}

  /**
   * What was written.
   *
   * @param changed the tensors that differ from the base's, by their names in the file
   */
  public record Written(List<String> changed) {
    /** Copies the list. */
    public Written {
      changed = List.copyOf(changed);
    }
  }

  /**
   * Merges and writes; the directory is there whole or not at all.
   *
   * @param base the files of the model that the delta is on
   * @param target a directory that is not there yet, or is empty
   * @throws DeltaException.Unsupported for a method that cannot be merged
   * @throws DeltaException where the target holds something, or cannot be written
   */
  public static Written write(Delta delta, ModelDirectory base, Path target) {
    checkFree(target);
    Path part = target.resolveSibling("." + target.getFileName() + "." + UUID.randomUUID());
    try (Model merged = delta.merge();
        TensorFile file = base.tensors();
        Scope _ = Scope.open()) {
      Map<String, Tensor> changed = changed(delta.base(), merged, file);
      LinkedHashMap<String, TensorData> all = new LinkedHashMap<>();
      for (String name : file.names()) {
        TensorInfo info = file.info(name);
        Tensor now = changed.get(name);
        all.put(
            name,
            now == null
                ? new TensorData(info.dtype(), info.shape(), file.bytes(name))
                : data(now, info.dtype()));
      }
      boolean untied = false;
      for (Map.Entry<String, Tensor> one : changed.entrySet()) {
        if (!all.containsKey(one.getKey())) { // a head that was tied and is no longer
          all.put(one.getKey(), data(one.getValue(), delta.base().dtype()));
          untied = true;
        }
      }
      Files.createDirectories(part);
      if (base.packedFile().isPresent()) {
        base.writeDescription(part);
      } else {
        copyOthers(base.path(), part);
      }
      if (untied) {
        change(part.resolve(CONFIG), json -> json.put(TIED, false));
      }
      if (base.isQuantized()) { // what is written is plain
        change(part.resolve(CONFIG), json -> json.remove(QUANTIZED));
      }
      Safetensors.write(part.resolve(WEIGHTS), all, Map.of("format", "pt"));
      Files.deleteIfExists(target); // an empty one, else this fails
      Files.move(part, target, StandardCopyOption.ATOMIC_MOVE);
      return new Written(List.copyOf(changed.keySet()));
    } catch (IOException e) {
      throw new DeltaException("cannot write the merged model to " + target + ": " + e, e);
    } finally {
      deleteQuietly(part);
    }
  }

  /** The tensors that are another in the merged model, by their names in the checkpoint. */
  private static Map<String, Tensor> changed(Model base, Model merged, TensorFile file) {
    Map<String, Tensor> after = merged.tensors();
    Map<String, Tensor> changed = new TreeMap<>();
    for (String name : after.keySet()) {
      if (!base.shares(merged, name)) {
        Tensor tensor = Objects.requireNonNull(after.get(name));
        changed.put(
            base.storedName(name), base.storedTransposed(name) ? tensor.transpose(0, 1) : tensor);
      }
    }
    // Some checkpoints hold a shared tensor a second time, under the head's own name.
    for (Layer layer : merged.root().walk().toList()) {
      if (layer instanceof Linear linear) {
        repeat(linear.weightName(), linear.path() + ".weight", base, file, changed);
        repeat(linear.biasName(), linear.path() + ".bias", base, file, changed);
      }
    }
    return changed;
  }

  private static void repeat(
      String name, String second, Model base, TensorFile file, Map<String, Tensor> changed) {
    Tensor tensor = changed.get(base.storedName(name));
    if (tensor != null && !name.equals(second) && file.names().contains(second)) {
      changed.put(second, tensor);
    }
  }

  private static TensorData data(Tensor tensor, DType dtype) {
    return new TensorData(dtype, tensor.shape(), tensor.to(dtype).toBytes());
  }

  /** Everything but weights, in whatever form they are, and notes of where the base came from. */
  private static void copyOthers(Path from, Path to) throws IOException {
    try (Stream<Path> files = Files.list(from)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        String name = String.valueOf(file.getFileName());
        if (!name.matches("(?i).*\\.(safetensors|bin|h5|msgpack|ot|onnx|gguf)(\\.index\\.json)?")
            && !name.equals("source.json")
            && !name.equalsIgnoreCase("README.md")
            && !name.startsWith(".")) {
          Files.copy(file, to.resolve(name));
        }
      }
    }
  }

  private static void change(Path config, Consumer<ObjectNode> change) {
    JsonMapper mapper = JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();
    ObjectNode json = (ObjectNode) mapper.readTree(config);
    change.accept(json);
    mapper.writeValue(config, json);
  }

  private static void checkFree(Path target) {
    try {
      boolean full = Files.exists(target) && !Files.isDirectory(target);
      if (Files.isDirectory(target)) {
        try (Stream<Path> files = Files.list(target)) {
          full = files.findAny().isPresent();
        }
      }
      if (full) {
        throw new DeltaException(
            "found something at " + target + ", expected a new or empty directory; name another");
      }
    } catch (IOException e) {
      throw new DeltaException("cannot read " + target + ": " + e, e);
    }
  }

  private static void deleteQuietly(Path directory) {
    if (!Files.exists(directory)) {
      return;
    }
    try (Stream<Path> walk = Files.walk(directory)) {
      for (Path path : walk.sorted(java.util.Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(path);
      }
    } catch (IOException e) {
      directory.toFile().deleteOnExit(); // what made the write fail is what should be heard of
    }
  }
}
