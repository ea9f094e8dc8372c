package io.trimtab.delta.catalogue;

import io.trimtab.hub.ModelConfig;
import io.trimtab.hub.TensorFile;
import io.trimtab.hub.TensorInfo;
import io.trimtab.hub.TensorNotFoundException;
import io.trimtab.model.Model;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.SequencedSet;

/**
 * A BERT of one layer whose weights are all zero and share one piece of memory, for asking methods
 * what they would do with a model of its size.
 */
final class ThrowawayModel implements TensorFile {
  private static final int WORDS = 8;

  private final Arena arena = Arena.ofShared();
  private final SequencedMap<String, TensorInfo> tensors = new LinkedHashMap<>();
  private final MemorySegment zeros;

  private ThrowawayModel(int hidden) {
    int inner = 4 * hidden;
    add("bert.embeddings.word_embeddings.weight", WORDS, hidden);
    add("bert.embeddings.position_embeddings.weight", WORDS, hidden);
    add("bert.embeddings.token_type_embeddings.weight", 2, hidden);
    norm("bert.embeddings.LayerNorm", hidden);
    String layer = "bert.encoder.layer.0.";
    for (String part : List.of("self.query", "self.key", "self.value", "output.dense")) {
      linear(layer + "attention." + part, hidden, hidden);
    }
    norm(layer + "attention.output.LayerNorm", hidden);
    linear(layer + "intermediate.dense", inner, hidden);
    linear(layer + "output.dense", hidden, inner);
    norm(layer + "output.LayerNorm", hidden);
    linear("cls.predictions.transform.dense", hidden, hidden);
    norm("cls.predictions.transform.LayerNorm", hidden);
    add("cls.predictions.bias", WORDS);
    long largest = tensors.values().stream().mapToLong(TensorInfo::byteSize).max().orElseThrow();
    zeros = arena.allocate(largest, DType.F32.bytes());
  }

  /** The model of a hidden size; closing it frees all. */
  static Model ofHidden(int hidden) {
    String json =
        """
        {"model_type": "bert", "architectures": ["BertForMaskedLM"], "vocab_size": %d,
         "hidden_size": %d, "num_hidden_layers": 1, "num_attention_heads": 4,
         "intermediate_size": %d, "hidden_act": "gelu", "max_position_embeddings": %d,
         "type_vocab_size": 2}
        """
            .formatted(WORDS, hidden, 4 * hidden, WORDS);
    ModelConfig config = ModelConfig.parse(json, Path.of("throw-away-model", "config.json"));
    return Model.build(
        "a BERT of hidden size " + hidden,
        config,
        new ThrowawayModel(hidden),
        DType.F32,
        Device.CPU);
  }

  private void add(String name, long... shape) {
    tensors.put(name, new TensorInfo(name, DType.F32, shape));
  }

  private void linear(String path, long out, long in) {
    add(path + ".weight", out, in);
    add(path + ".bias", out);
  }

  private void norm(String path, long size) {
    add(path + ".weight", size);
    add(path + ".bias", size);
  }

  @Override
  public SequencedSet<String> names() {
    return Collections.unmodifiableSequencedSet(tensors.sequencedKeySet());
  }

  @Override
  public TensorInfo info(String name) {
    TensorInfo info = tensors.get(name);
    if (info == null) {
      throw new TensorNotFoundException("found no tensor " + name + " in a throw-away model");
    }
    return info;
  }

  @Override
  public MemorySegment bytes(String name) {
    return zeros.asSlice(0, info(name).byteSize()).asReadOnly();
  }

  @Override
  public Map<String, String> metadata() {
    return Map.of();
  }

  @Override
  public void close() {
    if (arena.scope().isAlive()) {
      arena.close();
    }
  }
}
