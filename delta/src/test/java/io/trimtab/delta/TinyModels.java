package io.trimtab.delta;

import io.trimtab.hub.ModelDirectory;
import io.trimtab.hub.Safetensors;
import io.trimtab.hub.TensorData;
import io.trimtab.model.Batch;
import io.trimtab.model.Head;
import io.trimtab.model.Layout;
import io.trimtab.model.Model;
import io.trimtab.model.Pass;
import io.trimtab.model.Positions;
import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** BERTs of a few thousand random weights, written to a directory and opened from there. */
public final class TinyModels {
  private static final int HIDDEN = 16;
  private static final int INNER = 24;
  private static final int WORDS = 40;
  private static final int LAYERS = 2;
  private static final int POSITIONS = 40;

  private TinyModels() {}

  /** A masked language model. */
  public static Model maskedLm(Path directory) {
    return maskedLm(directory, 1);
  }

  /** A masked language model of other weights. */
  public static Model maskedLm(Path directory, long seed) {
    Map<String, long[]> shapes = encoder(HIDDEN, INNER, LAYERS);
    String head = "cls.predictions.";
    linear(shapes, head + "transform.dense", HIDDEN, HIDDEN);
    norm(shapes, head + "transform.LayerNorm", HIDDEN);
    shapes.put(head + "bias", new long[] {WORDS});
    return write(directory, "BertForMaskedLM", HIDDEN, INNER, LAYERS, shapes, seed);
  }

  /** A classifier of rows into three classes. */
  public static Model classifier(Path directory) {
    Map<String, long[]> shapes = encoder(HIDDEN, INNER, LAYERS);
    linear(shapes, "bert.pooler.dense", HIDDEN, HIDDEN);
    linear(shapes, "classifier", HIDDEN, 3);
    return write(directory, "BertForSequenceClassification", HIDDEN, INNER, LAYERS, shapes, 1);
  }

  /** One with the attention of BERT-base, and next to nothing else. */
  public static Model baseSized(Path directory) {
    return write(directory, "BertModel", 768, 8, 12, encoder(768, 8, 12), 0);
  }

  private static Map<String, long[]> encoder(int hidden, int inner, int layers) {
    Map<String, long[]> shapes = new LinkedHashMap<>();
    shapes.put("bert.embeddings.word_embeddings.weight", new long[] {WORDS, hidden});
    shapes.put("bert.embeddings.position_embeddings.weight", new long[] {POSITIONS, hidden});
    shapes.put("bert.embeddings.token_type_embeddings.weight", new long[] {2, hidden});
    norm(shapes, "bert.embeddings.LayerNorm", hidden);
    for (int i = 0; i < layers; i++) {
      String at = "bert.encoder.layer." + i + ".";
      for (String name : List.of("query", "key", "value")) {
        linear(shapes, at + "attention.self." + name, hidden, hidden);
      }
      linear(shapes, at + "attention.output.dense", hidden, hidden);
      norm(shapes, at + "attention.output.LayerNorm", hidden);
      linear(shapes, at + "intermediate.dense", hidden, inner);
      linear(shapes, at + "output.dense", inner, hidden);
      norm(shapes, at + "output.LayerNorm", hidden);
    }
    return shapes;
  }

  private static void linear(Map<String, long[]> shapes, String path, int in, int out) {
    shapes.put(path + ".weight", new long[] {out, in});
    shapes.put(path + ".bias", new long[] {out});
  }

  private static void norm(Map<String, long[]> shapes, String path, int size) {
    shapes.put(path + ".weight", new long[] {size});
    shapes.put(path + ".bias", new long[] {size});
  }

  private static Model write(
      Path directory,
      String modelClass,
      int hidden,
      int inner,
      int layers,
      Map<String, long[]> shapes,
      long seed) {
    LinkedHashMap<String, TensorData> tensors = new LinkedHashMap<>();
    Rng rng = Rng.seeded(seed);
    try (Scope _ = Scope.open()) {
      shapes.forEach(
          (name, shape) -> {
            Tensor values =
                seed == 0
                    ? Creation.zeros(DType.F32, Device.CPU, shape)
                    : rng.normal(0.4, DType.F32, Device.CPU, shape);
            tensors.put(name, new TensorData(DType.F32, shape, values.toBytes()));
          });
      Files.createDirectories(directory);
      Safetensors.write(directory.resolve("model.safetensors"), tensors, Map.of("format", "pt"));
      Files.writeString(
          directory.resolve("config.json"),
          """
          {"model_type": "bert", "architectures": ["%s"], "hidden_size": %d,
           "num_hidden_layers": %d, "num_attention_heads": 2, "intermediate_size": %d,
           "vocab_size": %d, "max_position_embeddings": %d, "type_vocab_size": 2, "num_labels": 3,
           "id2label": {"0": "a", "1": "b", "2": "c"}, "hidden_act": "gelu"}
          """
              .formatted(modelClass, hidden, layers, inner, WORDS, POSITIONS));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return open(directory);
  }

  /** The model of a directory. */
  public static Model open(Path directory) {
    return open(directory, DType.F32);
  }

  /** The model of a directory in another type of numbers. */
  public static Model open(Path directory, DType dtype) {
    ModelDirectory found = ModelDirectory.of(directory);
    return Model.build(
        directory.getFileName().toString(), found.config(), found.tensors(), dtype, Device.CPU);
  }

  /** Four rows of different lengths. */
  public static Batch batch() {
    return Batch.of(
        List.of(
            Batch.Row.of(3, 14, 15, 9, 26),
            Batch.Row.of(5, 35, 8),
            Batch.Row.of(9, 7, 9, 32, 38, 4, 6),
            Batch.Row.of(2, 6, 4, 33)));
  }

  /** Logits of all tokens, or of all rows where the model classifies these. */
  public static Tensor logits(Model model, Batch batch, Pass pass) {
    if (model.head(Head.SequenceClassifier.class).isPresent()) {
      return model.classify(batch, pass);
    }
    if (model.head(Head.TokenClassifier.class).isPresent()) {
      return model.classifyTokens(batch, pass);
    }
    if (model.isEncoderDecoder()) { // what it writes are the words that it reads
      return model.causalLogits(batch, pass.reading(model.encode(batch, pass)), null, null);
    }
    if (model.head(Head.CausalLm.class).isPresent()) {
      return model.causalLogits(batch, pass, null, null);
    }
    return model.maskedLogits(batch, pass, everywhere(batch.layout()), null);
  }

  /** The same outside any scope, as numbers. */
  public static float[] numbers(Model model, Batch batch, Pass pass) {
    try (Scope _ = Scope.open()) {
      return logits(model, batch, pass).toFloats();
    }
  }

  private static Positions everywhere(Layout layout) {
    int[][] rows =
        IntStream.range(0, layout.rows())
            .mapToObj(row -> IntStream.range(0, layout.length(row)).toArray())
            .toArray(int[][]::new);
    return Positions.of(rows, layout);
  }

  /** Moves every parameter of a delta, so that it changes the result. */
  public static void move(Delta delta, long seed) {
    Rng rng = Rng.seeded(seed);
    delta
        .parameters()
        .forEach(
            parameter -> {
              try (Scope _ = Scope.open()) {
                Tensor value = parameter.value().detach();
                Tensor noise = rng.normal(0.2, DType.F32, Device.CPU, value.shape());
                parameter.assign(Arithmetic.add(value, noise));
              }
            });
  }

  /** The recorded cases of other libraries; empty where they are not at hand. */
  public static List<Path> fixtures(String kind) {
    Path folder = Path.of(System.getProperty("trimtab.fixtures", "missing")).resolve(kind);
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    try (Stream<Path> list = Files.list(folder)) {
      return list.filter(Files::isDirectory).sorted().toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
