package io.trimtab.hub.gguf;

import io.trimtab.hub.blocks.BlockFormat;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.stream.Stream;

/**
 * GGUF files of whole models of two blocks, of width 32 and with four heads, whose values are those
 * of random bytes.
 *
 * @param metadata all entries, which may be changed
 * @param tensors all tensors, which may be changed
 */
record TinyGguf(
    SequencedMap<String, GgufValue> metadata, SequencedMap<String, GgufWriter.Source> tensors) {
  private static final int BLOCKS = 2;
  private static final int WIDTH = 32;

  /** Blocks whose bytes go by their number. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Filled(BlockFormat format, long... shape) implements GgufWriter.Source {
    @Override
    public MemorySegment blocks(Arena scratch) {
      long elements = Arrays.stream(shape).reduce(1, (a, b) -> a * b);
      byte[] bytes = new byte[(int) format.bytes(elements)];
      for (int i = 0; i < bytes.length; i++) {
        bytes[i] = (byte) (i % 50);
      }
      return MemorySegment.ofArray(bytes);
    }
  }

  static Stream<String> names() {
    return Stream.of("llama", "mixtral", "gemma2", "gemma3", "phi3", "gptneox", "gpt2", "bert");
  }

  static TinyGguf of(String name) {
    TinyGguf it = new TinyGguf(new LinkedHashMap<>(), new LinkedHashMap<>());
    String architecture = name.equals("mixtral") ? "llama" : name;
    it.put("general.architecture", GgufValue.text(architecture));
    it.sizes(architecture);
    it.tensor("token_embd.weight", 6, WIDTH);
    switch (name) {
      case "gpt2" -> {
        it.fused();
        it.vector("output_norm.weight", WIDTH);
        it.table("position_embd.weight", 16);
        it.bytes();
      }
      case "gptneox" -> {
        it.fused();
        it.vector("output_norm.weight", WIDTH);
        it.put("gptneox.rope.dimension_count", GgufValue.count(4));
        it.put("gptneox.use_parallel_residual", GgufValue.flag(true));
        it.bytes();
      }
      case "bert" -> {
        it.table("position_embd.weight", 16);
        it.table("token_types.weight", 2);
        it.separate(WIDTH);
        it.blocks("ffn_up.weight", WIDTH, WIDTH);
        it.blocks("ffn_down.weight", WIDTH, WIDTH);
        it.wordPieces();
      }
      case "phi3" -> {
        it.blocks("attn_qkv.weight", 64, WIDTH);
        it.blocks("ffn_up.weight", 64, WIDTH);
        it.norms("attn_norm", "ffn_norm");
        it.vector("output_norm.weight", WIDTH);
        it.vector("rope_factors_long.weight", 4);
        it.vector("rope_factors_short.weight", 4);
        it.put("phi3.rope.scaling.original_context_length", GgufValue.count(8));
        it.put("phi3.rope.scaling.attn_factor", GgufValue.real(1.25));
        it.put("phi3.attention.sliding_window", GgufValue.count(5));
        it.pieces();
      }
      case "mixtral" -> {
        it.separate(16);
        it.vector("output_norm.weight", WIDTH);
        it.norms("attn_norm", "ffn_norm");
        for (String part : List.of("gate", "down", "up")) {
          it.blocks("ffn_" + part + "_exps.weight", 4, WIDTH, WIDTH);
        }
        it.put("llama.expert_count", GgufValue.count(4));
        it.put("llama.expert_used_count", GgufValue.count(2));
        it.pieces();
      }
      default -> {
        it.separate(16);
        for (String part : List.of("gate", "down", "up")) {
          it.blocks("ffn_" + part + ".weight", WIDTH, WIDTH);
        }
        it.vector("output_norm.weight", WIDTH);
        it.norms("attn_norm", "ffn_norm");
        if (name.startsWith("gemma")) {
          it.norms("post_attention_norm", "post_ffw_norm");
          it.put(name + ".attention.sliding_window", GgufValue.count(5));
        } else {
          it.vector("rope_freqs.weight", 4, 1);
        }
        it.pieces();
      }
    }
    return it;
  }

  private void sizes(String architecture) {
    Map<String, Integer> sizes =
        Map.of(
            "context_length",
            16,
            "embedding_length",
            WIDTH,
            "feed_forward_length",
            WIDTH,
            "block_count",
            BLOCKS,
            "attention.head_count",
            4,
            "attention.head_count_kv",
            2);
    sizes.forEach((key, value) -> put(architecture + "." + key, GgufValue.count(value)));
    put(architecture + ".attention.layer_norm_rms_epsilon", GgufValue.real(1e-6));
    put(architecture + ".attention.layer_norm_epsilon", GgufValue.real(1e-6));
  }

  private void separate(int keys) {
    blocks("attn_q.weight", WIDTH, WIDTH);
    blocks("attn_output.weight", WIDTH, WIDTH);
    blocks("attn_k.weight", keys, WIDTH);
    blocks("attn_v.weight", keys, WIDTH);
  }

  private void fused() {
    blocks("attn_qkv.weight", 96, WIDTH);
    blocks("attn_output.weight", WIDTH, WIDTH);
    blocks("ffn_up.weight", WIDTH, WIDTH);
    blocks("ffn_down.weight", WIDTH, WIDTH);
    norms("attn_norm", "ffn_norm");
    for (int i = 0; i < BLOCKS; i++) {
      vector("blk." + i + ".attn_qkv.bias", 96);
    }
  }

  private void norms(String... names) {
    for (String name : names) {
      for (int i = 0; i < BLOCKS; i++) {
        vector("blk." + i + "." + name + ".weight", WIDTH);
      }
    }
  }

  private void blocks(String name, long... shape) {
    for (int i = 0; i < BLOCKS; i++) {
      tensor("blk." + i + "." + name, shape);
    }
  }

  private void tensor(String name, long... shape) {
    tensors.put(name, new Filled(BlockFormat.Q8_0, shape));
  }

  private void table(String name, int rows) {
    tensors.put(name, new Filled(BlockFormat.F32, rows, WIDTH));
  }

  private void vector(String name, int size) {
    vector(name, size, 0.5f);
  }

  private void vector(String name, int size, float value) {
    float[] values = new float[size];
    Arrays.fill(values, value);
    tensors.put(name, new Floats(values, size));
  }

  private void pieces() {
    tokenizer("llama", "<unk>", "<s>", "</s>", "\u2581", "a", "\u2581a");
    put(
        "tokenizer.ggml.scores",
        items(GgufType.F32, Stream.of(0, 0, 0, -3, -2, -1).map(GgufValue::real)));
    put("tokenizer.ggml.unknown_token_id", GgufValue.count(0));
    put("tokenizer.ggml.add_space_prefix", GgufValue.flag(true));
  }

  private void bytes() {
    tokenizer("gpt2", "<|end|>", "<s>", "</s>", "a", "b", "ab");
    put("tokenizer.ggml.pre", GgufValue.text("gpt-2"));
    put("tokenizer.ggml.merges", items(GgufType.TEXT, Stream.of("a b").map(GgufValue::text)));
  }

  private void wordPieces() {
    tokenizer("bert", "[PAD]", "[CLS]", "[SEP]", "[UNK]", "\u2581a", "b");
    put("tokenizer.ggml.unknown_token_id", GgufValue.count(3));
    put("tokenizer.ggml.cls_token_id", GgufValue.count(1));
    put("tokenizer.ggml.seperator_token_id", GgufValue.count(2));
  }

  private void tokenizer(String model, String... tokens) {
    put("tokenizer.ggml.model", GgufValue.text(model));
    put("tokenizer.ggml.tokens", items(GgufType.TEXT, Stream.of(tokens).map(GgufValue::text)));
    put(
        "tokenizer.ggml.token_type",
        items(
            GgufType.I32,
            Stream.of(3, 3, 3, 1, 1, 1).map(kind -> new GgufValue.Whole(GgufType.I32, kind))));
    put("tokenizer.ggml.bos_token_id", GgufValue.count(1));
    put("tokenizer.ggml.eos_token_id", GgufValue.count(2));
    put("tokenizer.chat_template", GgufValue.text("{{ messages[0].content }}"));
  }

  private static GgufValue items(GgufType type, Stream<? extends GgufValue> values) {
    return new GgufValue.Items(type, values.<GgufValue>map(value -> value).toList());
  }

  TinyGguf put(String key, GgufValue value) {
    metadata.put(key, value);
    return this;
  }

  TinyGguf without(String key) {
    metadata.remove(key);
    tensors.remove(key);
    return this;
  }

  void write(Path file) {
    GgufWriter.write(file, metadata, tensors);
  }
}
