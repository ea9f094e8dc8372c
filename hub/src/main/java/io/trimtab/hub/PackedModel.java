package io.trimtab.hub;

import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A model that a single file holds, seen as the files of a Hugging Face directory. Opening one
 * reads no weights.
 */
public interface PackedModel {

  /** What {@code config.json} would say. */
  ModelConfig config();

  /**
   * What {@code tokenizer.json} would say, as maps, lists, texts, numbers and booleans.
   *
   * @throws HubException where the file has no tokenizer, or one that is not supported
   */
  Map<String, @Nullable Object> tokenizerJson();

  /** What {@code tokenizer_config.json} would say: special tokens and the chat template. */
  Map<String, @Nullable Object> tokenizerConfig();

  /** Opens the weights under the names of Hugging Face checkpoints; the caller closes them. */
  TensorFile tensors();

  /** A format of such files; one is found through {@link java.util.ServiceLoader}. */
  interface Format {

    /** Whether the file seems to be of this format, by its name and its first bytes. */
    boolean recognizes(Path file);

    /**
     * Opens a file.
     *
     * @throws FileFormatException if it is damaged
     * @throws HubException.Unsupported for an architecture that is not known
     */
    PackedModel open(Path file);
  }
}
