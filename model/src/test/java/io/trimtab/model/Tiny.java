package io.trimtab.model;

import io.trimtab.hub.ModelConfig;
import io.trimtab.hub.Safetensors;
import io.trimtab.hub.TensorData;
import io.trimtab.hub.TensorFile;
import io.trimtab.hub.TensorInfo;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.Tensor;
import java.io.IOException;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.SequencedMap;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Tiny random models, recorded with what transformers computes of them. */
final class Tiny {
  private Tiny() {}

  /** The one that is always there: a masked language model of two layers. */
  static Path bert() {
    try {
      URL found = Objects.requireNonNull(Tiny.class.getResource("/hf/bert/config.json"));
      return Objects.requireNonNull(Path.of(found.toURI()).getParent());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  /** The folder of all recorded models, which need not be there. */
  static Path recorded() {
    return Path.of(System.getProperty("trimtab.fixtures", "none"), "hf");
  }

  /** The recorded models whose task and type are known, or BERT alone. */
  static List<Path> models() throws IOException {
    if (!Files.isDirectory(recorded())) {
      return List.of(bert());
    }
    try (Stream<Path> folders = Files.list(recorded())) {
      return folders.filter(Tiny::isKnown).sorted().toList();
    }
  }

  static boolean isKnown(Path folder) {
    String kind = ModelConfig.read(folder.resolve("io.json")).text("kind");
    if (!List.of("mlm", "cls", "tokcls", "causal").contains(kind)) {
      return false;
    }
    try {
      Architectures.of(ModelConfig.read(folder.resolve("config.json")));
      return true;
    } catch (ModelException.Unsupported e) {
      return false;
    }
  }

  static Model open(Path folder) {
    return open(folder, DType.F32);
  }

  static Model open(Path folder, DType dtype) {
    return Model.build(
        String.valueOf(folder.getFileName()),
        ModelConfig.read(folder.resolve("config.json")),
        Safetensors.open(folder.resolve("model.safetensors")),
        dtype,
        Device.CPU);
  }

  static TensorFile io(Path folder) {
    return Safetensors.open(folder.resolve("io.safetensors"));
  }

  /** The recorded greedy text, each row with its prompt. */
  static List<List<Integer>> greedy(Path folder) {
    return ModelConfig.read(folder.resolve("io.json")).integerLists("greedy");
  }

  static Tensor tensor(TensorFile file, String name) {
    TensorInfo info = file.info(name);
    return Creation.copyOf(file.bytes(name), info.dtype(), info.shape());
  }

  /** The recorded batch, which is padded. */
  static Batch batch(TensorFile io) {
    long[][] types =
        io.names().contains("token_type_ids") ? matrix(io, "token_type_ids") : new long[0][];
    return Batch.ofPadded(matrix(io, "input_ids"), matrix(io, "attention_mask"), types);
  }

  static long[][] matrix(TensorFile file, String name) {
    Tensor tensor = tensor(file, name);
    long[] flat = tensor.toLongs();
    int columns = (int) tensor.size(1);
    return IntStream.range(0, (int) tensor.size(0))
        .mapToObj(row -> Arrays.copyOfRange(flat, row * columns, (row + 1) * columns))
        .toArray(long[][]::new);
  }

  /** A padded recording [rows, longest, n] without its padding, [tokens, n]. */
  static Tensor packed(Tensor padded, Layout layout) {
    List<Tensor> rows = new ArrayList<>();
    for (int row = 0; row < layout.rows(); row++) {
      rows.add(Indexing.slice(Indexing.at(padded, 0, row), 0, 0, layout.length(row)));
    }
    return Indexing.concat(rows, 0);
  }

  /** Rows of the given lengths with random tokens, and types where the model has two. */
  static Batch random(Model model, long seed, int... lengths) {
    Random random = new Random(seed);
    int vocabulary = model.stack().embeddings().words().rows();
    boolean types = model.config().integer("type_vocab_size", 0) == 2;
    List<Batch.Row> rows = new ArrayList<>();
    for (int length : lengths) {
      int[] ids = random.ints(length, 0, vocabulary).toArray();
      rows.add(new Batch.Row(ids, types ? random.ints(length, 0, 2).toArray() : new int[0]));
    }
    return Batch.of(rows);
  }

  static Positions everywhere(Layout layout) {
    int[][] all =
        IntStream.range(0, layout.rows())
            .mapToObj(row -> IntStream.range(0, layout.length(row)).toArray())
            .toArray(int[][]::new);
    return Positions.of(all, layout);
  }

  /** What the model's own head says: of every token or, for classifiers of rows, of every row. */
  static Tensor logits(Model model, Batch batch, Pass pass) {
    if (model.head(Head.MaskedLm.class).isPresent()) {
      return model.maskedLogits(batch, pass, everywhere(batch.layout()), null);
    }
    if (model.head(Head.CausalLm.class).isPresent()) {
      return model.causalLogits(batch, pass, null, null);
    }
    return model.head(Head.SequenceClassifier.class).isPresent()
        ? model.classify(batch, pass)
        : model.classifyTokens(batch, pass);
  }

  /** The part of {@link #logits} that is of one row. */
  static Tensor ofRow(Model model, Tensor logits, Layout layout, int row) {
    return model.head(Head.SequenceClassifier.class).isPresent()
        ? Indexing.slice(logits, 0, row, 1)
        : Indexing.slice(logits, 0, layout.start(row), layout.length(row));
  }

  /** A copy of a model's folder with another configuration and other tensors. */
  static Path changed(
      Path folder,
      Path to,
      UnaryOperator<String> config,
      Consumer<SequencedMap<String, TensorData>> tensors)
      throws IOException {
    String text = Files.readString(folder.resolve("config.json"));
    Files.writeString(to.resolve("config.json"), config.apply(text));
    try (TensorFile file = Safetensors.open(folder.resolve("model.safetensors"))) {
      SequencedMap<String, TensorData> all = new LinkedHashMap<>();
      for (String name : file.names()) {
        TensorInfo info = file.info(name);
        all.put(name, new TensorData(info.dtype(), info.shape(), file.bytes(name)));
      }
      tensors.accept(all);
      Safetensors.write(to.resolve("model.safetensors"), all, Map.of());
    }
    return to;
  }
}
