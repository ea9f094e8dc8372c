package io.trimtab.hub.gguf;

import com.google.auto.service.AutoService;
import io.trimtab.hub.FileFormatException;
import io.trimtab.hub.ModelConfig;
import io.trimtab.hub.PackedModel;
import io.trimtab.hub.TensorFile;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A language model in a GGUF file, seen as a Hugging Face directory: llama.cpp's names of settings
 * and tensors are translated, what its converter changed is changed back (rows of queries and keys
 * in another order, norms plus one, transposed and stacked matrices), and the tokenizer is built
 * anew.
 */
public final class GgufModel implements PackedModel {
  private final Path path;
  private final GgufArchitecture architecture;
  private final ModelConfig config;
  private final GgufTokenizer tokenizer;

  private GgufModel(
      Path path, GgufArchitecture architecture, ModelConfig config, GgufTokenizer tokenizer) {
    this.path = path;
    this.architecture = architecture;
    this.config = config;
    this.tokenizer = tokenizer;
  }

  /**
   * Opens a file, whose tensors are not read yet.
   *
   * @throws FileFormatException if it is damaged
   * @throws io.trimtab.hub.HubException.Unsupported for an architecture that is not known, or a
   *     file that holds no model or a part of one
   * @throws io.trimtab.hub.HubException.Malformed where settings are missing
   */
  public static GgufModel open(Path path) {
    try (GgufFile file = GgufFile.open(path)) {
      GgufKind.requireModel(file);
      GgufArchitecture architecture = GgufArchitecture.of(file.metadata());
      ModelConfig config = ModelConfig.of(new GgufConfig(file, architecture).fields(), path);
      return new GgufModel(path, architecture, config, new GgufTokenizer(file.metadata()));
    }
  }

  @Override
  public ModelConfig config() {
    return config;
  }

  @Override
  public Map<String, @Nullable Object> tokenizerJson() {
    return tokenizer.json();
  }

  @Override
  public Map<String, @Nullable Object> tokenizerConfig() {
    return tokenizer.config();
  }

  @Override
  public TensorFile tensors() {
    return GgufTensors.of(GgufFile.open(path), architecture);
  }

  @Override
  public String toString() {
    return "GgufModel[" + path + ", " + architecture.gguf() + "]";
  }

  /** Recognizes GGUF files by their ending, or by their first four bytes. */
  @AutoService(PackedModel.Format.class)
  public static final class Format implements PackedModel.Format {
    private static final byte[] MAGIC = "GGUF".getBytes(StandardCharsets.US_ASCII);

    /** For {@link java.util.ServiceLoader}. */
    public Format() {}

    @Override
    public boolean recognizes(Path file) {
      if (String.valueOf(file.getFileName()).toLowerCase(Locale.ROOT).endsWith(".gguf")) {
        return true;
      }
      try (InputStream in = Files.newInputStream(file)) {
        return Arrays.equals(in.readNBytes(MAGIC.length), MAGIC);
      } catch (IOException e) {
        throw new FileFormatException(file, "cannot be read (" + e.getMessage() + ")", e);
      }
    }

    @Override
    public PackedModel open(Path file) {
      return GgufModel.open(file);
    }
  }
}
