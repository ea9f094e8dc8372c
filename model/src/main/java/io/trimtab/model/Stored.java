package io.trimtab.model;

import io.trimtab.hub.TensorFile;
import io.trimtab.tensor.Tensor;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The checkpoint that a model was built from.
 *
 * @param file its tensors
 * @param names the name in the file of each tensor of the model, which differs for old checkpoints
 * @param transposed the tensors that are stored the other way round
 * @param owned the tensors that are freed with the model
 * @param ownsFile whether the file is closed with it
 */
record Stored(
    TensorFile file,
    Map<String, String> names,
    Set<String> transposed,
    List<Tensor> owned,
    boolean ownsFile) {
  /** The SHA-256 of a tensor as stored, or null where it was replaced. */
  @Nullable String fingerprint(String tensor) {
    String name = names.get(tensor);
    return name == null ? null : Fingerprints.sha256(file.info(name), file.bytes(name));
  }

  void close() {
    owned.forEach(Tensor::close);
    if (ownsFile) {
      file.close();
    }
  }
}
