package io.trimtab.cli;

import io.trimtab.hub.Safetensors;
import io.trimtab.hub.TensorData;
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
import java.util.SequencedMap;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;

/**
 * {@code trimtab warm-up}: fills a mask by a toy model, made on the spot. The launcher runs it once
 * after a build and keeps what the JVM loaded and linked for it, which is what most commands need.
 */
@Command(
    name = "warm-up",
    hidden = true,
    description = "Touch what most commands use, so that the launcher can cache it.")
final class WarmUpCommand implements Callable<Integer> {
  private static final int HIDDEN = 8;
  private static final int INNER = 16;
  private static final List<String> WORDS =
      List.of("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "flap", "ship", "turns", ".");
  private static final String CONFIG =
      """
      {"model_type": "bert", "architectures": ["BertForMaskedLM"], "hidden_size": 8,
       "num_attention_heads": 2, "num_hidden_layers": 1, "intermediate_size": 16}
      """;

  @Override
  public Integer call() throws IOException {
    Path folder = Files.createTempDirectory("trimtab-warm-up");
    try {
      Files.writeString(folder.resolve("config.json"), CONFIG);
      Files.writeString(folder.resolve("vocab.txt"), String.join("\n", WORDS) + "\n");
      Safetensors.write(folder.resolve("model.safetensors"), tensors(), Map.of("format", "pt"));
      return Main.commandLine()
          .execute("fill", "--model", folder.toString(), "--text", "a [MASK] .", "--json");
    } finally {
      try (Stream<Path> files = Files.list(folder)) {
        files.forEach(WarmUpCommand::delete);
      }
      delete(folder);
    }
  }

  private static void delete(Path file) {
    try {
      Files.delete(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static SequencedMap<String, TensorData> tensors() {
    SequencedMap<String, TensorData> tensors = new LinkedHashMap<>();
    Rng rng = Rng.seeded(1);
    String embeddings = "bert.embeddings.";
    put(tensors, rng, embeddings + "word_embeddings.weight", WORDS.size(), HIDDEN);
    put(tensors, rng, embeddings + "position_embeddings.weight", 16, HIDDEN);
    put(tensors, rng, embeddings + "token_type_embeddings.weight", 2, HIDDEN);
    norm(tensors, rng, embeddings + "LayerNorm");
    String block = "bert.encoder.layer.0.";
    for (String name : List.of("query", "key", "value")) {
      linear(tensors, rng, block + "attention.self." + name, HIDDEN, HIDDEN);
    }
    linear(tensors, rng, block + "attention.output.dense", HIDDEN, HIDDEN);
    norm(tensors, rng, block + "attention.output.LayerNorm");
    linear(tensors, rng, block + "intermediate.dense", INNER, HIDDEN);
    linear(tensors, rng, block + "output.dense", HIDDEN, INNER);
    norm(tensors, rng, block + "output.LayerNorm");
    linear(tensors, rng, "cls.predictions.transform.dense", HIDDEN, HIDDEN);
    norm(tensors, rng, "cls.predictions.transform.LayerNorm");
    put(tensors, rng, "cls.predictions.bias", WORDS.size());
    return tensors;
  }

  private static void linear(
      Map<String, TensorData> tensors, Rng rng, String path, long out, long in) {
    put(tensors, rng, path + ".weight", out, in);
    put(tensors, rng, path + ".bias", out);
  }

  private static void norm(Map<String, TensorData> tensors, Rng rng, String path) {
    put(tensors, rng, path + ".weight", HIDDEN);
    put(tensors, rng, path + ".bias", HIDDEN);
  }

  private static void put(Map<String, TensorData> tensors, Rng rng, String name, long... shape) {
    try (Scope _ = Scope.open()) {
      Tensor drawn = rng.normal(0.1, DType.F32, Device.CPU, shape);
      tensors.put(name, new TensorData(DType.F32, shape, drawn.toBytes()));
    }
  }
}
