package io.trimtab.hub;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A model's files in a local directory of the Hugging Face layout. Opening one reads nothing but
 * {@code source.json}; everything else is read when it is asked for.
 */
public final class ModelDirectory {
  private static final String SINGLE = "model.safetensors";
  private static final String INDEX = "model.safetensors.index.json";
  private static final String TORCH_SINGLE = "pytorch_model.bin";
  private static final String TORCH_INDEX = "pytorch_model.bin.index.json";

  private final Path path;
  private final String source;
  private final @Nullable Origin origin;
  private final Map<String, String> hashes = new ConcurrentHashMap<>();

  ModelDirectory(Path path, String source, @Nullable Origin origin) {
    this.path = path;
    this.source = source;
    this.origin = origin;
  }

  /**
   * Wraps a directory of the user's own.
   *
   * @throws HubException.NotFound when it is no directory, or has no {@code config.json}
   */
  public static ModelDirectory of(Path directory) {
    if (!Files.isDirectory(directory)) {
      throw new HubException.NotFound(
          "no directory " + directory + "; expected a model's files there");
    }
    if (!Files.isRegularFile(directory.resolve("config.json"))) {
      throw new HubException.NotFound(
          directory + " has no config.json; expected a model directory, found " + names(directory));
    }
    Origin origin = Origin.read(directory);
    return new ModelDirectory(
        directory, origin == null ? "directory:" + directory : origin.source(), origin);
  }

  /** The directory. */
  public Path path() {
    return path;
  }

  /**
   * Where the model came from: {@code hub:ORG/NAME@COMMIT}, {@code maven:G:A:V}, {@code
   * pip:NAME==VERSION} or {@code directory:PATH}.
   */
  public String source() {
    return source;
  }

  /** The licence as far as it was known at the import, else empty. */
  public String licence() {
    return origin == null ? "" : origin.licence();
  }

  /** Reads {@code config.json}. */
  public ModelConfig config() {
    return ModelConfig.read(path.resolve("config.json"));
  }

  /** Whether the directory has the file. */
  public boolean has(String file) {
    return Files.isRegularFile(path.resolve(file));
  }

  /** Reads the chat templates; a model that is no chat model has none. */
  public ChatTemplates chatTemplates() {
    return ChatTemplates.read(path);
  }

  /** Opens the tokenizer; the caller closes it. */
  public Tokenizer tokenizer() {
    return Tokenizers.open(path);
  }

  /**
   * The files that hold the weights: {@code model.safetensors}, or the shards that its index names;
   * where there is neither, {@code pytorch_model.bin} or the shards of its index.
   *
   * @throws HubException.NotFound when there are none, or a shard is missing
   */
  public List<Path> weightFiles() {
    Path weights = weights();
    if (!isIndex(weights)) {
      return List.of(weights);
    }
    List<Path> out = new ArrayList<>();
    for (String shard : shards(weights)) {
      if (!has(shard)) {
        throw new HubException.NotFound(
            weights + " names " + shard + ", which is missing; fetch the model anew");
      }
      out.add(path.resolve(shard));
    }
    return out;
  }

  /**
   * Opens the weights by memory mapping; the caller closes them. PyTorch's own files are read as
   * {@link TorchCheckpoint} does it, which runs nothing that is in them.
   *
   * @throws HubException.NotFound when there are none
   * @throws FileFormatException when they are damaged
   */
  public TensorFile tensors() {
    Path weights = weights();
    boolean torch = weights.endsWith(TORCH_SINGLE) || weights.endsWith(TORCH_INDEX);
    if (isIndex(weights)) {
      return torch ? TorchCheckpoint.openSharded(weights) : Safetensors.openSharded(weights);
    }
    return torch ? TorchCheckpoint.open(weights) : Safetensors.open(weights);
  }

  /** The file that all weights are in, or the index of those that they are spread over. */
  private Path weights() {
    for (String file : List.of(SINGLE, INDEX, TORCH_SINGLE, TORCH_INDEX)) {
      if (has(file)) {
        return path.resolve(file);
      }
    }
    throw new HubException.NotFound(
        "%s has no %s, no %s and no %s; found %s"
            .formatted(path, SINGLE, INDEX, TORCH_SINGLE, names(path)));
  }

  private static boolean isIndex(Path weights) {
    return weights.endsWith(INDEX) || weights.endsWith(TORCH_INDEX);
  }

  /** The file names in an index of shards, sorted. */
  static List<String> shards(Path index) {
    TreeSet<String> names = new TreeSet<>();
    if (Json.readObject(index).get("weight_map") instanceof Map<?, ?> map) {
      for (Object value : map.values()) {
        // A name with a slash could lead out of the directory.
        if (value instanceof String name && name.matches("[A-Za-z0-9_][A-Za-z0-9._-]*")) {
          names.add(name);
        } else {
          throw new HubException.Malformed(
              index + ": expected plain file names in weight_map, found " + value);
        }
      }
    }
    if (names.isEmpty()) {
      throw new HubException.Malformed(
          index + ": expected an object weight_map of tensor names and files, found none");
    }
    return List.copyOf(names);
  }

  /**
   * The SHA-256 of one of the files, as recorded at the import; where nothing was recorded, it is
   * computed at the first call.
   *
   * @throws HubException.NotFound when there is no such file
   */
  public String sha256(String file) {
    if (!has(file)) {
      throw new HubException.NotFound(path + " has no file " + file + "; found " + names(path));
    }
    String recorded = origin == null ? null : origin.sha256().get(file);
    return recorded != null
        ? recorded
        : hashes.computeIfAbsent(file, name -> Hashes.sha256(path.resolve(name)));
  }

  /** {@link #sha256(String)} of every file of the directory, by name. */
  public Map<String, String> sha256s() {
    Map<String, String> out = new TreeMap<>();
    for (String file : names(path)) {
      if (!file.equals(Origin.FILE)) {
        out.put(file, sha256(file));
      }
    }
    return out;
  }

  /**
   * Reads every file again and compares it with what was recorded at the import, or, in Hugging
   * Face's own cache, with the hash that its blob is named after.
   *
   * @return the names of the files compared; empty for a directory that has no records
   * @throws HubException.Corrupt when a file is missing or has changed
   */
  public List<String> verify() {
    List<String> compared = new ArrayList<>();
    if (origin != null) {
      origin
          .sha256()
          .forEach(
              (name, hash) -> {
                Path file = path.resolve(name);
                String found = Files.isRegularFile(file) ? Hashes.sha256(file) : "no file";
                if (!found.equals(hash)) {
                  throw changed(file, hash, found);
                }
                compared.add(name);
              });
      return compared;
    }
    for (String name : names(path)) {
      Path blob = real(path.resolve(name));
      if (blob.getParent() != null && blob.getParent().endsWith("blobs")) {
        String hash = String.valueOf(blob.getFileName());
        String found = Hashes.mismatch(blob, hash);
        if (found != null) {
          throw changed(blob, hash, found);
        }
        compared.add(name);
      }
    }
    return compared;
  }

  private static HubException changed(Path file, String expected, String found) {
    return new HubException.Corrupt(
        file
            + ": expected the hash "
            + expected
            + ", found "
            + found
            + "; delete the directory and fetch the model anew");
  }

  private static Path real(Path file) {
    try {
      return file.toRealPath();
    } catch (IOException e) {
      throw new HubException.Disk("cannot read " + file + ": " + e, e);
    }
  }

  private static List<String> names(Path directory) {
    try (Stream<Path> files = Files.list(directory)) {
      return files
          .filter(Files::isRegularFile)
          .map(file -> String.valueOf(file.getFileName()))
          .sorted()
          .toList();
    } catch (IOException e) {
      throw new HubException.Disk("cannot list " + directory + ": " + e, e);
    }
  }

  @Override
  public String toString() {
    return "ModelDirectory[" + source + ", " + path + "]";
  }
}
