package io.trimtab.hub.gguf;

import java.util.List;

/** The names of layers, as far as architectures share them. */
final class Families {
  private Families() {}

  /** Llama's layers, with the norms of queries and keys and biases where there are any. */
  static List<TensorRule> gated() {
    return join(
        List.of(
            frame(),
            attention(),
            feedForward(),
            List.of(
                block("attn_norm", "input_layernorm"),
                block("ffn_norm", "post_attention_layernorm"),
                block("attn_q_norm", "self_attn.q_norm"),
                block("attn_k_norm", "self_attn.k_norm"))));
  }

  /** The same with norms before and behind attention and feed-forward layers. */
  static List<TensorRule> sandwich() {
    return join(
        List.of(
            frame(),
            attention(),
            feedForward(),
            List.of(
                block("attn_norm", "input_layernorm"),
                block("post_attention_norm", "post_attention_layernorm"),
                block("ffn_norm", "pre_feedforward_layernorm"),
                block("post_ffw_norm", "post_feedforward_layernorm"),
                block("attn_q_norm", "self_attn.q_norm"),
                block("attn_k_norm", "self_attn.k_norm"))));
  }

  /** The same with norms behind alone. */
  static List<TensorRule> olmo2() {
    return sandwich().stream()
        .filter(rule -> !rule.gguf().endsWith(".attn_norm") && !rule.gguf().endsWith(".ffn_norm"))
        .toList();
  }

  /** Mistral's mixture: eight or so feed-forward layers, of which two serve a token. */
  static List<TensorRule> mixtral() {
    String experts = "model.layers.{n}.block_sparse_moe.experts.{e}.";
    return join(
        List.of(
            frame(),
            attention(),
            List.of(
                block("attn_norm", "input_layernorm"),
                block("ffn_norm", "post_attention_layernorm"),
                block("ffn_gate_inp", "block_sparse_moe.gate"),
                new TensorRule("blk.{n}.ffn_gate_exps", experts + "w1", Layout.EXPERTS),
                new TensorRule("blk.{n}.ffn_down_exps", experts + "w2", Layout.EXPERTS),
                new TensorRule("blk.{n}.ffn_up_exps", experts + "w3", Layout.EXPERTS))));
  }

  /** Queries, keys and values in one matrix; gate and up in another. */
  static List<TensorRule> phi3() {
    return join(
        List.of(
            frame(),
            List.of(
                block("attn_qkv", "self_attn.qkv_proj"),
                block("attn_output", "self_attn.o_proj"),
                block("ffn_up", "mlp.gate_up_proj"),
                block("ffn_down", "mlp.down_proj"),
                block("attn_norm", "input_layernorm"),
                block("ffn_norm", "post_attention_layernorm"))));
  }

  static List<TensorRule> gpt2() {
    String layer = "transformer.h.{n}.";
    return List.of(
        rule("token_embd", "transformer.wte"),
        rule("position_embd", "transformer.wpe"),
        rule("output_norm", "transformer.ln_f"),
        rule("output", "lm_head"),
        rule("blk.{n}.attn_norm", layer + "ln_1"),
        rule("blk.{n}.ffn_norm", layer + "ln_2"),
        new TensorRule("blk.{n}.attn_qkv", layer + "attn.c_attn", Layout.TRANSPOSED),
        new TensorRule("blk.{n}.attn_output", layer + "attn.c_proj", Layout.TRANSPOSED),
        new TensorRule("blk.{n}.ffn_up", layer + "mlp.c_fc", Layout.TRANSPOSED),
        new TensorRule("blk.{n}.ffn_down", layer + "mlp.c_proj", Layout.TRANSPOSED));
  }

  static List<TensorRule> neox() {
    String layer = "gpt_neox.layers.{n}.";
    return List.of(
        rule("token_embd", "gpt_neox.embed_in"),
        rule("output_norm", "gpt_neox.final_layer_norm"),
        rule("output", "embed_out"),
        rule("blk.{n}.attn_norm", layer + "input_layernorm"),
        rule("blk.{n}.ffn_norm", layer + "post_attention_layernorm"),
        new TensorRule(
            "blk.{n}.attn_qkv", layer + "attention.query_key_value", Layout.QUERIES_KEYS_VALUES),
        rule("blk.{n}.attn_output", layer + "attention.dense"),
        rule("blk.{n}.ffn_up", layer + "mlp.dense_h_to_4h"),
        rule("blk.{n}.ffn_down", layer + "mlp.dense_4h_to_h"));
  }

  static List<TensorRule> bert() {
    String layer = "encoder.layer.{n}.";
    return List.of(
        rule("token_embd", "embeddings.word_embeddings"),
        rule("position_embd", "embeddings.position_embeddings"),
        rule("token_types", "embeddings.token_type_embeddings"),
        rule("token_embd_norm", "embeddings.LayerNorm"),
        rule("blk.{n}.attn_q", layer + "attention.self.query"),
        rule("blk.{n}.attn_k", layer + "attention.self.key"),
        rule("blk.{n}.attn_v", layer + "attention.self.value"),
        rule("blk.{n}.attn_output", layer + "attention.output.dense"),
        rule("blk.{n}.attn_output_norm", layer + "attention.output.LayerNorm"),
        rule("blk.{n}.ffn_up", layer + "intermediate.dense"),
        rule("blk.{n}.ffn_down", layer + "output.dense"),
        rule("blk.{n}.layer_output_norm", layer + "output.LayerNorm"));
  }

  /** Queries and keys in the order of neighbouring pairs. */
  static List<TensorRule> rotary(List<TensorRule> rules) {
    return rules.stream()
        .map(
            rule ->
                switch (rule.gguf()) {
                  case "blk.{n}.attn_q" ->
                      new TensorRule(rule.gguf(), rule.hf(), Layout.ROTARY_QUERY);
                  case "blk.{n}.attn_k" ->
                      new TensorRule(rule.gguf(), rule.hf(), Layout.ROTARY_KEY);
                  default -> rule;
                })
        .toList();
  }

  /** All norms plus one. */
  static List<TensorRule> plusOne(List<TensorRule> rules) {
    return rules.stream()
        .map(
            rule ->
                rule.gguf().endsWith("norm")
                    ? new TensorRule(rule.gguf(), rule.hf(), Layout.PLUS_ONE)
                    : rule)
        .toList();
  }

  private static List<TensorRule> frame() {
    return List.of(
        rule("token_embd", "model.embed_tokens"),
        rule("output_norm", "model.norm"),
        rule("output", "lm_head"));
  }

  private static List<TensorRule> attention() {
    return List.of(
        block("attn_q", "self_attn.q_proj"),
        block("attn_k", "self_attn.k_proj"),
        block("attn_v", "self_attn.v_proj"),
        block("attn_output", "self_attn.o_proj"));
  }

  private static List<TensorRule> feedForward() {
    return List.of(
        block("ffn_gate", "mlp.gate_proj"),
        block("ffn_up", "mlp.up_proj"),
        block("ffn_down", "mlp.down_proj"));
  }

  private static TensorRule block(String gguf, String hf) {
    return rule("blk.{n}." + gguf, "model.layers.{n}." + hf);
  }

  private static TensorRule rule(String gguf, String hf) {
    return new TensorRule(gguf, hf, Layout.PLAIN);
  }

  private static List<TensorRule> join(List<List<TensorRule>> parts) {
    return parts.stream().flatMap(List::stream).toList();
  }
}
