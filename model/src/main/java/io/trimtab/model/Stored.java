package io.trimtab.model;

import io.trimtab.hub.TensorFile;
import io.trimtab.model.weights.Weight;
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
 * @param matrices the matrices, not held as plain numbers, that are freed with it
 * @param inPlace the names in the file of tensors whose elements are read where the file has them
 * @param ownsFile whether the file is closed with it
 */
record Stored(
    TensorFile file,
    Map<String, String> names,
    Set<String> transposed,
    List<Tensor> owned,
    List<Weight> matrices,
    Set<String> inPlace,
    boolean ownsFile) {
  /**
   * The SHA-256 of a tensor as stored, or null where it was replaced. Of one in a quantized
   * checkpoint that says what it was made of, that of the original.
   */
  @Nullable String fingerprint(String tensor) {
    String name = names.get(tensor);
    if (name == null) {
      return null;
    }
    String original = file.metadata().get(Model.ORIGINAL + name);
    if (original != null) {
      return original;
    }
    synchronized (file) { // two that hash the same tensor
      String hash = Fingerprints.sha256(file.info(name), file.bytes(name));
      if (!inPlace.contains(name)) {
        file.release(name); // what was unpacked for this alone
      }
      return hash;
    }
  }

  void close() {
    owned.forEach(Tensor::close);
    matrices.forEach(Weight::close);
    if (ownsFile) {
      file.close();
    }
  }
}
