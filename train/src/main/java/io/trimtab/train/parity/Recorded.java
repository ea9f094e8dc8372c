package io.trimtab.train.parity;

import io.trimtab.hub.ModelDirectory;
import io.trimtab.hub.Safetensors;
import io.trimtab.hub.TensorFile;
import io.trimtab.hub.TensorInfo;
import io.trimtab.model.Batch;
import io.trimtab.model.Encoded;
import io.trimtab.model.Head;
import io.trimtab.model.Layout;
import io.trimtab.model.Model;
import io.trimtab.model.Pass;
import io.trimtab.model.Patches;
import io.trimtab.model.Positions;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** Recorded tensors, padded as other libraries pad them, and the packed batches they stand for. */
public final class Recorded implements AutoCloseable {
  private final TensorFile file;

  private Recorded(TensorFile file) {
    this.file = file;
  }

  /** A file of recorded tensors. */
  public static Recorded open(Path path) {
    return new Recorded(Safetensors.open(path));
  }

  /** The model of a directory, in F32 on the CPU as the recordings were made. */
  public static Model model(Path directory) {
    return model(directory, DType.F32);
  }

  /** The same in another type. */
  static Model model(Path directory, DType type) {
    ModelDirectory found = ModelDirectory.of(directory);
    String name = found.path().getFileName().toString();
    return Model.build(name, found.config(), found.tensors(), type, Device.CPU);
  }

  boolean has(String name) {
    return file.names().contains(name);
  }

  List<String> names() {
    return List.copyOf(file.names());
  }

  Tensor tensor(String name) {
    TensorInfo info = file.info(name);
    return Creation.copyOf(file.bytes(name), info.dtype(), info.shape());
  }

  /** A matrix of whole numbers. */
  long[][] matrix(String name) {
    long[] shape = file.info(name).shape();
    if (shape.length != 2) {
      throw new ParityException("found " + file.info(name) + ", expected [rows, tokens]");
    }
    long[] flat = tensor(name).toLongs();
    int columns = (int) shape[1];
    return IntStream.range(0, (int) shape[0])
        .mapToObj(row -> Arrays.copyOfRange(flat, row * columns, (row + 1) * columns))
        .toArray(long[][]::new);
  }

  /** The batch of {@code input_ids}, {@code attention_mask} and, where wanted, token types. */
  public Batch batch(String prefix, boolean types) {
    String typeName = prefix + "token_type_ids";
    return Batch.ofPadded(
        matrix(prefix + "input_ids"),
        matrix(prefix + "attention_mask"),
        types && has(typeName) ? matrix(typeName) : new long[0][]);
  }

  /** The real tokens of a padded tensor: [rows, tokens, n] to [real tokens, n]. */
  Tensor packed(String name, String prefix) {
    return packed(tensor(name), name, prefix);
  }

  /** The same for a padded tensor from elsewhere that has this file's rows. */
  Tensor packed(Tensor padded, String name, String prefix) {
    long[][] mask = matrix(prefix + "attention_mask");
    long columns = mask[0].length;
    if (padded.rank() != 3 || padded.size(0) != mask.length || padded.size(1) != columns) {
      throw new ParityException(
          "found "
              + name
              + " as "
              + padded
              + ", expected ["
              + mask.length
              + ", "
              + columns
              + ", n]");
    }
    long[] real =
        IntStream.range(0, (int) (mask.length * columns))
            .filter(i -> mask[(int) (i / columns)][(int) (i % columns)] != 0)
            .asLongStream()
            .toArray();
    Tensor flat = padded.reshape(mask.length * columns, padded.size(2));
    return Indexing.select(flat, 0, Creation.longs(real, real.length));
  }

  /** Of [real tokens, n] those of the rows that are not padded, or of [rows, n] these rows. */
  Tensor inFullRows(Tensor packed) {
    long[][] mask = matrix("attention_mask");
    List<Long> kept = new ArrayList<>();
    long token = 0;
    for (int row = 0; row < mask.length; row++) {
      long length = Arrays.stream(mask[row]).sum();
      for (long i = 0; length == mask[row].length && i < length; i++) {
        kept.add(token + i);
      }
      if (packed.size(0) == mask.length && length == mask[row].length) {
        kept.subList((int) (kept.size() - length), kept.size()).clear();
        kept.add((long) row);
      }
      token += length;
    }
    if (kept.isEmpty()) {
      throw new ParityException(
          "found padding in every row, expected a row without: gates look at padding elsewhere");
    }
    long[] at = kept.stream().mapToLong(Long::longValue).toArray();
    return Indexing.select(packed, 0, Creation.longs(at, at.length));
  }

  /** How the names begin of what logits are for: a decoder's tokens where it has an encoder. */
  String scored() {
    return has("decoder_input_ids") ? "decoder_" : "";
  }

  /** The recorded logits, in the shape {@link #logits(Model, boolean, Patches)} gives. */
  Tensor logits(String name) {
    return file.info(name).shape().length == 3 ? packed(name, scored()) : tensor(name);
  }

  /**
   * What the model's head gives for this file's batch, and for its decoder's where there is one.
   *
   * @param types whether to give token types
   */
  public Tensor logits(Model model, boolean types, Patches patches) {
    Batch batch = batch("", types);
    if (!model.isEncoderDecoder()) {
      return logits(model, batch, patches);
    }
    if (model.head(Head.CausalLm.class).isEmpty()) {
      throw new ParityException.Unsupported(
          "found an encoder-decoder without a head, expected one that scores words");
    }
    Batch words = batch("decoder_", false);
    Encoded encoded = model.encode(batch, Pass.with(batch.layout(), patches));
    Pass pass = Pass.with(words.layout(), patches).reading(encoded);
    return model.causalLogits(words, pass, null, null);
  }

  /** What the model's head gives: a row a real token, or for a classifier of rows a row a row. */
  private static Tensor logits(Model model, Batch batch, Patches patches) {
    Pass pass = Pass.with(batch.layout(), patches);
    if (model.head(Head.SequenceClassifier.class).isPresent()) {
      return model.classify(batch, pass);
    }
    if (model.head(Head.TokenClassifier.class).isPresent()) {
      return model.classifyTokens(batch, pass);
    }
    if (model.head(Head.CausalLm.class).isPresent()) {
      return model.causalLogits(batch, pass, null, null);
    }
    return model.maskedLogits(batch, pass, everywhere(batch.layout()), null);
  }

  private static Positions everywhere(Layout layout) {
    List<int[]> rows = new ArrayList<>();
    for (int row = 0; row < layout.rows(); row++) {
      rows.add(IntStream.range(0, layout.length(row)).toArray());
    }
    return Positions.of(rows.toArray(int[][]::new), layout);
  }

  @Override
  public void close() {
    file.close();
  }
}
