package io.trimtab.prompt;

import io.trimtab.hub.ModelDirectory;
import io.trimtab.hub.Safetensors;
import io.trimtab.hub.TensorData;
import io.trimtab.hub.Tokenizer;
import io.trimtab.hub.Tokenizers;
import io.trimtab.model.LanguageModel;
import io.trimtab.model.Models;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.train.Example;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.SequencedMap;

/** A BERT of 96 words and two layers with random weights, and small tokenizers. */
final class Tiny {
  static final int POSITIONS = 40;
  private static final int WORDS = 96;
  private static final int HIDDEN = 32;
  private static final int INNER = 48;

  private Tiny() {}

  /** Writes a whole model into a new directory below {@code parent}. */
  static Path bert(Path parent, long seed) throws IOException {
    Path directory = Files.createDirectories(parent.resolve("tiny-bert-" + seed));
    Files.writeString(
        directory.resolve("config.json"),
        """
        {"model_type": "bert", "architectures": ["BertForMaskedLM"], "vocab_size": 96,
         "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4,
         "intermediate_size": 48, "hidden_act": "gelu", "max_position_embeddings": 40,
         "type_vocab_size": 2, "layer_norm_eps": 1e-12}
        """);
    vocabulary(directory);
    Safetensors.write(
        directory.resolve("model.safetensors"), tensors(new Random(seed)), Map.of("format", "pt"));
    return directory;
  }

  static LanguageModel open(Path directory) {
    return Models.open("tiny", ModelDirectory.of(directory), DType.F32, Device.CPU);
  }

  /** The word-piece tokenizer alone. */
  static Tokenizer wordPiece(Path parent) throws IOException {
    Path directory = Files.createDirectories(parent.resolve("word-piece"));
    vocabulary(directory);
    return Tokenizers.open(directory);
  }

  private static void vocabulary(Path directory) throws IOException {
    try (InputStream words =
        Objects.requireNonNull(Tiny.class.getResourceAsStream("vocab.txt"), "vocab.txt")) {
      Files.write(directory.resolve("vocab.txt"), words.readAllBytes());
    }
  }

  /** A byte-level tokenizer as RoBERTa's that has some words whole, with the blank before them. */
  static Tokenizer byteLevel(Path parent) throws IOException {
    Path directory = Files.createDirectories(parent.resolve("byte-level"));
    Map<String, Integer> ids = new LinkedHashMap<>();
    for (String token : List.of("<s>", "<pad>", "</s>", "<unk>")) {
      ids.put(token, ids.size());
    }
    for (int b = 0; b < 256; b++) {
      ids.put(spelled((byte) b), ids.size());
    }
    List<String> merges = new ArrayList<>();
    for (String word : List.of(" great", " terrible", " it", " was")) {
      String made = "Ġ";
      for (char c : word.substring(1).toCharArray()) {
        String merge = made + " " + c;
        if (!merges.contains(merge)) {
          merges.add(merge);
        }
        made += c;
        ids.putIfAbsent(made, ids.size());
      }
    }
    ids.put("<mask>", ids.size());
    List<String> entries = new ArrayList<>();
    ids.forEach(
        (token, id) ->
            entries.add(
                "\"%s\": %d".formatted(token.replace("\\", "\\\\").replace("\"", "\\\""), id)));
    Files.writeString(directory.resolve("vocab.json"), "{" + String.join(",", entries) + "}");
    Files.writeString(directory.resolve("merges.txt"), String.join("\n", merges) + "\n");
    return Tokenizers.open(directory);
  }

  /** How byte-level vocabularies spell a byte: printable ones as themselves, others from U+0100. */
  private static String spelled(byte value) {
    int b = value & 0xFF;
    int shifted = 256;
    for (int other = 0; other < 256; other++) {
      boolean plain =
          (other >= 33 && other <= 126) || (other >= 161 && other <= 172) || other >= 174;
      if (other == b) {
        return Character.toString(plain ? b : shifted);
      }
      shifted += plain ? 0 : 1;
    }
    throw new IllegalStateException();
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
    java.util.Arrays.fill(ones, 1);
    all.put(name + ".weight", tensor(ones, HIDDEN));
    all.put(name + ".bias", tensor(new float[HIDDEN], HIDDEN));
  }

  private static TensorData tensor(float[] values, long... shape) {
    return new TensorData(DType.F32, shape, MemorySegment.ofArray(values));
  }

  /** 60 short sentences whose label goes by one word in them. */
  static List<Example> sentences() {
    Random random = new Random(5);
    List<String> good = List.of("lovely", "funny", "warm");
    List<String> bad = List.of("awful", "dull", "sad");
    List<String> filler = List.of("the", "film", "movie", "news", "play", "it", "very", "and");
    List<Example> out = new ArrayList<>();
    for (int i = 0; i < 60; i++) {
      boolean positive = i % 2 == 0;
      List<String> words = new ArrayList<>();
      for (int w = 0; w < 2 + random.nextInt(6); w++) {
        words.add(filler.get(random.nextInt(filler.size())));
      }
      List<String> from = positive ? good : bad;
      words.add(random.nextInt(words.size() + 1), from.get(random.nextInt(3)));
      out.add(new Example(String.join(" ", words), positive ? "positive" : "negative", i + 2));
    }
    return out;
  }

  static Cloze task() {
    return Cloze.template("{text} it was {mask} .")
        .words("positive", "great", "good")
        .words("negative", "terrible", "bad");
  }
}
