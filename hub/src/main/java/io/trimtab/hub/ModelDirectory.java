package io.trimtab.hub;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A model's files in a local directory of the Hugging Face layout, or a file that holds a whole
 * model, such as GGUF, which is seen as if it were such a directory. Opening one reads nothing but
 * {@code source.json}, and of a single file its directory; everything else is read when it is asked
 * for.
 */
public final class ModelDirectory {
  private static final String CONFIG = "config.json";
  private static final String TOKENIZER = "tokenizer.json";
  private static final String TOKENIZER_CONFIG = "tokenizer_config.json";
  private static final String SINGLE = "model.safetensors";
  private static final String INDEX = "model.safetensors.index.json";
  private static final String TORCH_SINGLE = "pytorch_model.bin";
  private static final String TORCH_INDEX = "pytorch_model.bin.index.json";

  private final Path path;
  private final String source;
  private final @Nullable Origin origin;
  private final @Nullable Path file;
  private final @Nullable PackedModel packed;
  private final Map<String, String> hashes = new ConcurrentHashMap<>();

  /** A directory, in which a file may hold the whole model. */
  ModelDirectory(Path path, String source, @Nullable Origin origin) {
    this(path, source, origin, packedFile(path));
  }

  private ModelDirectory(
      Path path, String source, @Nullable Origin origin, @Nullable Path packedFile) {
    this.path = path;
    this.source = source;
    this.origin = origin;
    this.file = packedFile;
    this.packed = packedFile == null ? null : PackedModels.open(packedFile).orElse(null);
  }

  /** The one file that holds the whole model, where there is no configuration beside it. */
  private static @Nullable Path packedFile(Path directory) {
    if (Files.isRegularFile(directory.resolve(CONFIG)) || !Files.isDirectory(directory)) {
      return null;
    }
    List<Path> files = PackedModels.in(directory);
    if (files.size() > 1) {
      throw new HubException.NotFound(
          directory + " holds several models (" + names(directory) + "); name one of the files");
    }
    return files.isEmpty() ? null : files.getFirst();
  }

  /**
   * Wraps a directory of the user's own, or a file that holds a whole model.
   *
   * @throws HubException.NotFound when it is neither, or the directory has no {@code config.json}
   *     and no file that holds a whole model
   * @throws FileFormatException when the file that holds the model is damaged
   */
  public static ModelDirectory of(Path directory) {
    if (Files.isRegularFile(directory)) {
      return ofFile(directory);
    }
    if (!Files.isDirectory(directory)) {
      throw new HubException.NotFound(
          "no directory " + directory + "; expected a model's files there");
    }
    Origin origin = Origin.read(directory);
    ModelDirectory found =
        new ModelDirectory(
            directory, origin == null ? "directory:" + directory : origin.source(), origin);
    if (found.packed == null && !found.has(CONFIG)) {
      throw new HubException.NotFound(
          directory
              + " has no config.json and no GGUF file; expected a model directory, found "
              + names(directory));
    }
    return found;
  }

  private static ModelDirectory ofFile(Path file) {
    Path parent = file.toAbsolutePath().getParent();
    ModelDirectory found =
        new ModelDirectory(
            parent == null ? file.toAbsolutePath() : parent, "file:" + file, null, file);
    if (found.packed == null) {
      throw new HubException.NotFound(
          file + " holds no model that Trimtab knows; expected a directory or a GGUF file");
    }
    return found;
  }

  /** The directory, or that in which the file is. */
  public Path path() {
    return path;
  }

  /**
   * Where the model came from: {@code hub:ORG/NAME@COMMIT}, {@code maven:G:A:V}, {@code
   * pip:NAME==VERSION}, {@code directory:PATH} or {@code file:PATH}.
   */
  public String source() {
    return source;
  }

  /** The licence as far as it was known at the import, else empty. */
  public String licence() {
    return origin == null ? "" : origin.licence();
  }

  /**
   * Reads {@code config.json}, or tells what it would say. That layers are quantized is not said of
   * a model whose {@link #tensors} unpack them.
   */
  public ModelConfig config() {
    if (packed != null) {
      return packed.config();
    }
    ModelConfig config = ModelConfig.read(path.resolve(CONFIG));
    return QuantizationConfig.isKnown(config) ? config.without(QuantizationConfig.FIELD) : config;
  }

  /** Whether {@code config.json} says that layers are quantized, in a way that is read. */
  public boolean isQuantized() {
    return packed == null
        && has(CONFIG)
        && QuantizationConfig.isKnown(ModelConfig.read(path.resolve(CONFIG)));
  }

  /** Whether the directory has the file. */
  public boolean has(String file) {
    return Files.isRegularFile(path.resolve(file));
  }

  /** Reads the chat templates; a model that is no chat model has none. */
  public ChatTemplates chatTemplates() {
    return packed == null
        ? ChatTemplates.read(path)
        : ChatTemplates.of(packed.tokenizerConfig(), String.valueOf(file));
  }

  /** Opens the tokenizer; the caller closes it. */
  public Tokenizer tokenizer() {
    return packed == null
        ? Tokenizers.open(path)
        : Tokenizers.of(packed.tokenizerJson(), packed.tokenizerConfig(), String.valueOf(file));
  }

  /** What {@code tokenizer_config.json} says; empty where there is none. */
  public Map<String, @Nullable Object> tokenizerConfig() {
    if (packed != null) {
      return packed.tokenizerConfig();
    }
    return has(TOKENIZER_CONFIG) ? Json.readObject(path.resolve(TOKENIZER_CONFIG)) : Map.of();
  }

  /**
   * What {@code tokenizer.json} says, as maps, lists, texts, numbers and booleans; empty where
   * there is none.
   */
  public Optional<Map<String, @Nullable Object>> tokenizerJson() {
    if (packed != null) {
      return Optional.of(packed.tokenizerJson());
    }
    return has(TOKENIZER)
        ? Optional.of(Json.readObject(path.resolve(TOKENIZER)))
        : Optional.empty();
  }

  /**
   * The file that holds the whole model, where it is none of the Hugging Face layout; {@link
   * #writeDescription} then makes the files that it stands for.
   */
  public Optional<Path> packedFile() {
    return Optional.ofNullable(packed == null ? null : file);
  }

  /**
   * Writes {@code config.json}, {@code tokenizer.json} and {@code tokenizer_config.json} of a model
   * that a single file holds.
   *
   * @throws IllegalStateException for a directory, which has these files
   */
  public void writeDescription(Path directory) throws IOException {
    if (packed == null) {
      throw new IllegalStateException(path + " is a directory with files of its own");
    }
    Files.writeString(directory.resolve(CONFIG), packed.config().json());
    Files.writeString(directory.resolve(TOKENIZER), Json.write(packed.tokenizerJson()));
    Files.writeString(directory.resolve(TOKENIZER_CONFIG), Json.write(packed.tokenizerConfig()));
  }

  /**
   * The files that hold the weights: {@code model.safetensors}, or the shards that its index names;
   * where there is neither, {@code pytorch_model.bin} or the shards of its index.
   *
   * @throws HubException.NotFound when there are none, or a shard is missing
   */
  public List<Path> weightFiles() {
    if (packed != null && file != null) {
      return List.of(file);
    }
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
   * {@link TorchCheckpoint} does it, which runs nothing that is in them. Quantized layers have the
   * values that they stand for; {@link TensorFile#packed} gives them as they are.
   *
   * @throws HubException.NotFound when there are none
   * @throws FileFormatException when they are damaged
   */
  public TensorFile tensors() {
    if (packed != null) {
      return packed.tensors();
    }
    if (has(CONFIG)) {
      QuantizationConfig.check(ModelConfig.read(path.resolve(CONFIG)));
    }
    TensorFile plain = plainTensors();
    return isQuantized() ? QuantizedCheckpoint.of(path, plain) : plain;
  }

  private TensorFile plainTensors() {
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
    if (packed != null && file != null && origin == null) {
      // The other files beside one of the user's own are none of the model's.
      String name = String.valueOf(file.getFileName());
      out.put(name, sha256(name));
      return out;
    }
    for (String name : names(path)) {
      if (!name.equals(Origin.FILE)) {
        out.put(name, sha256(name));
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
