package io.trimtab.hub.llama2c;

import com.google.auto.service.AutoService;
import io.trimtab.hub.FileFormatException;
import io.trimtab.hub.HubException;
import io.trimtab.hub.ModelConfig;
import io.trimtab.hub.PackedModel;
import io.trimtab.hub.TensorFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A checkpoint of llama2.c (version 0) as a Hugging Face Llama. Its vocabulary lies beside it, as
 * {@code tok512.bin} for one of 512 tokens, or as {@code tokenizer.bin}.
 */
public final class Llama2cModel implements PackedModel {
  private static final int BEGINNING = 1;
  private static final int END = 2;
  private static final double EPSILON = 1e-5;
  private static final double ROPE_BASE = 10_000;

  private final Path path;
  private final Llama2cCheckpoint checkpoint;

  private Llama2cModel(Path path, Llama2cCheckpoint checkpoint) {
    this.path = path;
    this.checkpoint = checkpoint;
  }

  /**
   * Opens a checkpoint.
   *
   * @throws FileFormatException if the file's size is not what its first seven numbers ask for
   */
  public static Llama2cModel open(Path path) {
    return new Llama2cModel(
        path,
        Llama2cCheckpoint.read(path)
            .orElseThrow(
                () ->
                    new FileFormatException(
                        path,
                        "is no llama2.c checkpoint of version 0: its size is not what its first"
                            + " seven numbers ask for")));
  }

  @Override
  public ModelConfig config() {
    Map<String, @Nullable Object> config = new LinkedHashMap<>();
    config.put("model_type", "llama");
    config.put("architectures", List.of("LlamaForCausalLM"));
    config.put("vocab_size", checkpoint.vocabulary());
    config.put("hidden_size", checkpoint.width());
    config.put("intermediate_size", checkpoint.inner());
    config.put("num_hidden_layers", checkpoint.layers());
    config.put("num_attention_heads", checkpoint.heads());
    config.put("num_key_value_heads", checkpoint.keyHeads());
    config.put("head_dim", checkpoint.headSize());
    config.put("max_position_embeddings", checkpoint.context());
    config.put("hidden_act", "silu");
    config.put("rms_norm_eps", EPSILON);
    config.put("rope_parameters", Map.of("rope_type", "default", "rope_theta", ROPE_BASE));
    config.put("attention_bias", false);
    config.put("mlp_bias", false);
    config.put("tie_word_embeddings", checkpoint.shared());
    config.put("bos_token_id", BEGINNING);
    config.put("eos_token_id", END);
    config.put("dtype", "float32");
    return ModelConfig.of(config, path);
  }

  @Override
  public Map<String, @Nullable Object> tokenizerJson() {
    return Llama2cVocabulary.json(vocabulary(), checkpoint.vocabulary());
  }

  @Override
  public Map<String, @Nullable Object> tokenizerConfig() {
    return Map.of("bos_token", "<s>", "eos_token", "</s>", "unk_token", "<unk>");
  }

  private Path vocabulary() {
    List<String> names = List.of("tok" + checkpoint.vocabulary() + ".bin", "tokenizer.bin");
    for (String name : names) {
      Path file = path.resolveSibling(name);
      if (Files.isRegularFile(file)) {
        return file;
      }
    }
    throw new HubException.NotFound(
        "no vocabulary beside " + path + "; expected " + String.join(" or ", names));
  }

  @Override
  public TensorFile tensors() {
    return Llama2cTensors.open(path, checkpoint);
  }

  @Override
  public String toString() {
    return "Llama2cModel[" + path + "]";
  }

  /** Recognizes checkpoints by their size, which must be what their header asks for. */
  @AutoService(PackedModel.Format.class)
  public static final class Format implements PackedModel.Format {
    /** For {@link java.util.ServiceLoader}. */
    public Format() {}

    @Override
    public boolean recognizes(Path file) {
      return String.valueOf(file.getFileName()).endsWith(".bin")
          && Llama2cCheckpoint.read(file).isPresent();
    }

    @Override
    public PackedModel open(Path file) {
      return Llama2cModel.open(file);
    }
  }
}
