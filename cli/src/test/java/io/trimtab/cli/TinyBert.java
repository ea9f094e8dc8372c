package io.trimtab.cli;

import io.trimtab.hub.Safetensors;
import io.trimtab.hub.TensorData;
import io.trimtab.tensor.DType;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
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

/** A model directory of a BERT of 96 words and two layers with random weights, and data for it. */
final class TinyBert {
  private static final int POSITIONS = 40;
  private static final int WORDS = 96;
  private static final int HIDDEN = 32;
  private static final int INNER = 48;

  private TinyBert() {}

  /** Writes a whole model into a new directory below {@code parent}. */
  static Path write(Path parent, long seed) throws IOException {
    Path directory = Files.createDirectories(parent.resolve("tiny-bert-" + seed));
    Files.writeString(
        directory.resolve("config.json"),
        """
        {"model_type": "bert", "architectures": ["BertForMaskedLM"], "vocab_size": 96,
         "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4,
         "intermediate_size": 48, "hidden_act": "gelu", "max_position_embeddings": 40,
         "type_vocab_size": 2, "layer_norm_eps": 1e-12}
        """);
    try (InputStream words =
        Objects.requireNonNull(TinyBert.class.getResourceAsStream("vocab.txt"), "vocab.txt")) {
      Files.write(directory.resolve("vocab.txt"), words.readAllBytes());
    }
    Safetensors.write(
        directory.resolve("model.safetensors"), tensors(new Random(seed)), Map.of("format", "pt"));
    return directory;
  }

  private static SequencedMap<String, TensorData> tensors(Random random) {
    SequencedMap<String, TensorData> all = new LinkedHashMap<>();
    weight(all, random, "bert.embeddings.word_embeddings", WORDS, HIDDEN);
    weight(all, random, "bert.embeddings.position_embeddings", POSITIONS, HIDDEN);
    weight(all, random, "bert.embeddings.token_type_embeddings", 2, HIDDEN);
    norm(all, "bert.embeddings.LayerNorm");
    for (int i = 0; i < 2; i++) {
      String layer = "bert.encoder.layer." + i + ".";
      for (String part : List.of("self.query", "self.key", "self.value", "output.dense")) {
        linear(all, random, layer + "attention." + part, HIDDEN, HIDDEN);
      }
      norm(all, layer + "attention.output.LayerNorm");
      linear(all, random, layer + "intermediate.dense", INNER, HIDDEN);
      linear(all, random, layer + "output.dense", HIDDEN, INNER);
      norm(all, layer + "output.LayerNorm");
    }
    linear(all, random, "cls.predictions.transform.dense", HIDDEN, HIDDEN);
    norm(all, "cls.predictions.transform.LayerNorm");
    all.put("cls.predictions.bias", tensor(new float[WORDS], WORDS));
    return all;
  }

  private static void weight(
      Map<String, TensorData> all, Random random, String name, int rows, int columns) {
    float[] values = new float[rows * columns];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) (0.2 * random.nextGaussian());
    }
    all.put(name + ".weight", tensor(values, rows, columns));
  }

  private static void linear(
      Map<String, TensorData> all, Random random, String name, int rows, int columns) {
    weight(all, random, name, rows, columns);
    all.put(name + ".bias", tensor(new float[rows], rows));
  }

  private static void norm(Map<String, TensorData> all, String name) {
    float[] ones = new float[HIDDEN];
    Arrays.fill(ones, 1);
    all.put(name + ".weight", tensor(ones, HIDDEN));
    all.put(name + ".bias", tensor(new float[HIDDEN], HIDDEN));
  }

  private static TensorData tensor(float[] values, long... shape) {
    return new TensorData(DType.F32, shape, MemorySegment.ofArray(values));
  }

  /** Short sentences whose label, positive or negative, goes by one word in them. */
  static List<List<String>> sentences(int count, long seed) {
    Random random = new Random(seed);
    List<String> good = List.of("lovely", "funny", "warm");
    List<String> bad = List.of("awful", "dull", "sad");
    List<String> filler = List.of("the", "film", "movie", "news", "play", "it", "very", "and");
    List<List<String>> rows = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      boolean positive = i % 2 == 0;
      List<String> words = new ArrayList<>();
      for (int w = 0; w < 2 + random.nextInt(6); w++) {
        words.add(filler.get(random.nextInt(filler.size())));
      }
      List<String> from = positive ? good : bad;
      words.add(random.nextInt(words.size() + 1), from.get(random.nextInt(3)));
      rows.add(List.of(String.join(" ", words), positive ? "positive" : "negative"));
    }
    return rows;
  }
}
