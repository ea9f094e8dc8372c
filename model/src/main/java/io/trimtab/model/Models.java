package io.trimtab.model;

import io.trimtab.hub.Hub;
import io.trimtab.hub.ModelConfig;
import io.trimtab.hub.ModelDirectory;
import io.trimtab.hub.TensorFile;
import io.trimtab.hub.Tokenizer;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;

/** Opens pretrained models by name. */
public final class Models {
  private Models() {}

  /**
   * Opens a model in single precision on the CPU.
   *
   * @param name a directory, a name of the catalogue or any other that {@link Hub} understands; the
   *     model is downloaded where it is not on the machine yet
   * @throws io.trimtab.hub.HubException where it cannot be found, fetched or read
   * @throws ModelException.Unsupported for an architecture that is not supported
   */
  public static LanguageModel open(String name) {
    return open(name, DType.F32, Device.CPU);
  }

  /**
   * Opens a model.
   *
   * @param name a directory, a name of the catalogue or any other that {@link Hub} understands
   * @param dtype F32, or BF16 for half the memory
   * @param device where the weights and all computation are
   * @throws io.trimtab.hub.HubException where it cannot be found, fetched or read
   * @throws ModelException.Unsupported for an architecture that is not supported
   */
  public static LanguageModel open(String name, DType dtype, Device device) {
    return open(name, Hub.open(name), dtype, device);
  }

  /**
   * Opens a model whose files have been found already.
   *
   * @param name what reports and saved deltas call it
   * @param files its files
   * @param dtype F32, or BF16 for half the memory
   * @param device where the weights and all computation are
   * @throws io.trimtab.hub.HubException where a file is missing or malformed
   * @throws ModelException.Unsupported for an architecture that is not supported
   */
  public static LanguageModel open(String name, ModelDirectory files, DType dtype, Device device) {
    return open(name, files, OpenOptions.DEFAULT.dtype(dtype).device(device));
  }

  /** Opens a model as {@code options} say; for the rest see the other methods. */
  public static LanguageModel open(String name, OpenOptions options) {
    return open(name, Hub.open(name), options);
  }

  /** The same for a model whose files have been found already. */
  public static LanguageModel open(String name, ModelDirectory files, OpenOptions options) {
    ModelConfig config = files.config();
    Tokenizer tokenizer = files.tokenizer();
    try {
      TensorFile tensors = files.tensors();
      try {
        return new LanguageModel(Model.build(name, config, tensors, options), tokenizer);
      } catch (RuntimeException e) {
        tensors.close();
        throw e;
      }
    } catch (RuntimeException e) {
      tokenizer.close();
      throw e;
    }
  }
}
