package io.trimtab.model.decoders;

import org.jspecify.annotations.Nullable;

/**
 * What a family calls the parts of its checkpoints: those of a block after the block's own path,
 * the others after the model's. A norm that the family does not have is null.
 *
 * @param words the table of words' vectors
 * @param positions the table of positions, or null where they are rotated
 * @param blocks what the numbers of the blocks follow
 * @param attentionNorm before attention
 * @param attentionOutput what attention ends in
 * @param queryNorm over queries
 * @param keyNorm over keys
 * @param attentionOutputNorm over what attention gives
 * @param feedForwardNorm before the feed-forward network
 * @param feedForwardOutputNorm over what that gives
 * @param last the norm after the last block
 * @param head the whole path of the head
 */
record Names(
    String words,
    @Nullable String positions,
    String blocks,
    @Nullable String attentionNorm,
    String attentionOutput,
    @Nullable String queryNorm,
    @Nullable String keyNorm,
    @Nullable String attentionOutputNorm,
    @Nullable String feedForwardNorm,
    @Nullable String feedForwardOutputNorm,
    @Nullable String last,
    String head) {

  /** Llama's, which most families took over. */
  static final Names LLAMA =
      new Names(
          "embed_tokens",
          null,
          "layers",
          "input_layernorm",
          "self_attn.o_proj",
          null,
          null,
          null,
          "post_attention_layernorm",
          null,
          "norm",
          "lm_head");

  /** The same with norms over queries and keys. */
  Names withQueryAndKeyNorms() {
    return withNorms(
        attentionNorm, attentionOutputNorm, feedForwardNorm, feedForwardOutputNorm, true);
  }

  /** The same with these norms before and after attention and the feed-forward network. */
  Names withNorms(
      @Nullable String beforeAttention,
      @Nullable String afterAttention,
      @Nullable String beforeFeedForward,
      @Nullable String afterFeedForward,
      boolean queriesAndKeys) {
    return new Names(
        words,
        positions,
        blocks,
        beforeAttention,
        attentionOutput,
        queriesAndKeys ? "self_attn.q_norm" : null,
        queriesAndKeys ? "self_attn.k_norm" : null,
        afterAttention,
        beforeFeedForward,
        afterFeedForward,
        last,
        head);
  }
}
