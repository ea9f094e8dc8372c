package io.trimtab.delta.bottleneck;

import io.trimtab.delta.Delta;
import io.trimtab.delta.TinyModels;
import io.trimtab.hub.ModelConfig;
import io.trimtab.hub.Safetensors;
import io.trimtab.hub.TensorFile;
import io.trimtab.hub.TensorInfo;
import io.trimtab.model.Batch;
import io.trimtab.model.Model;
import io.trimtab.model.Pass;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.function.Function;

/** An adapter that another library recorded, with its base and the logits it gives there. */
final class RecordedCase implements AutoCloseable {
  private final Path directory;
  private final TensorFile base;
  private final Model model;

  private RecordedCase(Path directory, Path base) {
    this.directory = directory;
    this.base = Safetensors.open(base.resolve("io.safetensors"));
    model = TinyModels.open(base);
  }

  static RecordedCase open(Path directory) {
    String base = ModelConfig.read(directory.resolve("io.json")).text("base");
    return new RecordedCase(directory, directory.resolve("../../hf").resolve(base).normalize());
  }

  Model model() {
    return model;
  }

  ModelConfig config(String file) {
    return ModelConfig.read(directory.resolve(file));
  }

  /** The number of trained numbers that the other library counted. */
  int trainable() {
    return config("io.json").integer("trainable");
  }

  /** Fills a delta; every tensor of the file has to have a place. */
  void fill(Delta delta, String file, Function<String, String> keyOf) {
    try (Scope _ = Scope.open();
        TensorFile tensors = Safetensors.open(directory.resolve(file))) {
      Set<String> left = new LinkedHashSet<>(tensors.names());
      for (Parameter parameter : delta.parameters()) {
        String key = keyOf.apply(parameter.name());
        if (!left.remove(key)) {
          throw new AssertionError("no " + key + " for " + parameter + " among " + left);
        }
        parameter.assign(read(tensors, key));
      }
      if (!left.isEmpty()) {
        throw new AssertionError("left over: " + left);
      }
    }
  }

  private static Tensor read(TensorFile file, String name) {
    TensorInfo info = file.info(name);
    return Creation.copyOf(file.bytes(name), info.dtype(), info.shape());
  }

  /**
   * The largest difference from the recorded logits over the largest of these.
   *
   * @param onlyFullRows whether to leave out rows that the other library padded
   */
  double error(Delta delta, boolean onlyFullRows) {
    long[][] mask = matrix("attention_mask");
    long[][] types =
        base.names().contains("token_type_ids") ? matrix("token_type_ids") : new long[0][];
    Batch batch = Batch.ofPadded(matrix("input_ids"), mask, types);
    float[] found = TinyModels.numbers(model, batch, Pass.with(batch.layout(), delta.patches()));
    float[] expected;
    try (Scope _ = Scope.open();
        TensorFile io = Safetensors.open(directory.resolve("io.safetensors"))) {
      expected = read(io, "logits").toFloats();
    }
    int words = expected.length / mask.length / mask[0].length;
    double largest = 0;
    double gap = 0;
    int at = 0;
    for (int row = 0; row < mask.length; row++) {
      boolean full = Arrays.stream(mask[row]).allMatch(one -> one == 1);
      for (int token = 0; token < mask[row].length; token++) {
        for (int word = 0; mask[row][token] == 1 && word < words; word++) {
          float there = expected[(row * mask[row].length + token) * words + word];
          largest = Math.max(largest, Math.abs(there));
          if (full || !onlyFullRows) {
            gap = Math.max(gap, Math.abs((double) there - found[at]));
          }
          at++;
        }
      }
    }
    return gap / largest;
  }

  private long[][] matrix(String name) {
    TensorInfo info = base.info(name);
    int columns = (int) info.shape()[1];
    long[] flat;
    try (Scope _ = Scope.open()) {
      flat = read(base, name).toLongs();
    }
    long[][] rows = new long[flat.length / columns][];
    Arrays.setAll(rows, row -> Arrays.copyOfRange(flat, row * columns, (row + 1) * columns));
    return rows;
  }

  @Override
  public void close() {
    model.close();
    base.close();
  }
}
