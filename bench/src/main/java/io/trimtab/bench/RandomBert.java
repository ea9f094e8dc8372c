package io.trimtab.bench;

import io.trimtab.hub.ModelConfig;
import io.trimtab.hub.TensorFile;
import io.trimtab.hub.TensorInfo;
import io.trimtab.hub.TensorNotFoundException;
import io.trimtab.model.Model;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SequencedMap;
import java.util.SequencedSet;
import java.util.SplittableRandom;

/** BERT-base with random weights in memory: products take as long whatever they multiply. */
final class RandomBert implements TensorFile {
  private static final int WORDS = 30_522;
  private static final int HIDDEN = 768;
  private static final int INNER = 3072;
  private static final int LAYERS = 12;
  private static final int POSITIONS = 512;

  /** As much as BERT's own start, a normal distribution of deviation 0.02, spread evenly. */
  private static final float LARGEST = 0.035f;

  private final Arena arena = Arena.ofAuto();
  private final SequencedMap<String, TensorInfo> tensors = new LinkedHashMap<>();
  private final Map<String, MemorySegment> numbers = new LinkedHashMap<>();
  private final SplittableRandom random = new SplittableRandom(1);

  private RandomBert() {
    add("bert.embeddings.word_embeddings.weight", WORDS, HIDDEN);
    add("bert.embeddings.position_embeddings.weight", POSITIONS, HIDDEN);
    add("bert.embeddings.token_type_embeddings.weight", 2, HIDDEN);
    norm("bert.embeddings.LayerNorm");
    for (int i = 0; i < LAYERS; i++) {
      String layer = "bert.encoder.layer." + i + ".";
      for (String part : List.of("self.query", "self.key", "self.value", "output.dense")) {
        linear(layer + "attention." + part, HIDDEN, HIDDEN);
      }
      norm(layer + "attention.output.LayerNorm");
      linear(layer + "intermediate.dense", INNER, HIDDEN);
      linear(layer + "output.dense", HIDDEN, INNER);
      norm(layer + "output.LayerNorm");
    }
    linear("cls.predictions.transform.dense", HIDDEN, HIDDEN);
    norm("cls.predictions.transform.LayerNorm");
    add("cls.predictions.bias", WORDS);
  }

  /** A masked language model in F32. */
  static Model open() {
    String json =
        """
        {"model_type": "bert", "architectures": ["BertForMaskedLM"], "vocab_size": %d,
         "hidden_size": %d, "num_hidden_layers": %d, "num_attention_heads": 12,
         "intermediate_size": %d, "hidden_act": "gelu", "max_position_embeddings": %d,
         "type_vocab_size": 2}
        """
            .formatted(WORDS, HIDDEN, LAYERS, INNER, POSITIONS);
    ModelConfig config = ModelConfig.parse(json, Path.of("random", "config.json"));
    return Model.build("a random BERT-base", config, new RandomBert(), DType.F32, Device.CPU);
  }

  private void add(String name, long... shape) {
    TensorInfo info = new TensorInfo(name, DType.F32, shape);
    MemorySegment values = arena.allocate(info.byteSize(), 64);
    for (long i = 0; i < info.byteSize() / Float.BYTES; i++) {
      float value = (random.nextInt() / (float) Integer.MIN_VALUE) * LARGEST;
      values.setAtIndex(ValueLayout.JAVA_FLOAT, i, value);
    }
    tensors.put(name, info);
    numbers.put(name, values);
  }

  private void linear(String path, long out, long in) {
    add(path + ".weight", out, in);
    add(path + ".bias", out);
  }

  private void norm(String path) {
    add(path + ".weight", HIDDEN);
    add(path + ".bias", HIDDEN);
  }

  @Override
  public SequencedSet<String> names() {
    return Collections.unmodifiableSequencedSet(tensors.sequencedKeySet());
  }

  @Override
  public TensorInfo info(String name) {
    TensorInfo info = tensors.get(name);
    if (info == null) {
      throw new TensorNotFoundException("found no tensor " + name + " in a random BERT");
    }
    return info;
  }

  @Override
  public MemorySegment bytes(String name) {
    return Objects.requireNonNull(numbers.get(info(name).name())).asReadOnly();
  }

  @Override
  public Map<String, String> metadata() {
    return Map.of();
  }

  @Override
  public void close() {} // the memory goes with the last tensor that uses it
}
