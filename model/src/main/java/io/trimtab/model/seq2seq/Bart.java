package io.trimtab.model.seq2seq;

import com.google.auto.service.AutoService;
import io.trimtab.hub.ModelConfig;
import io.trimtab.model.Activation;
import io.trimtab.model.Architecture;
import io.trimtab.model.Attention;
import io.trimtab.model.Embedding;
import io.trimtab.model.Embeddings;
import io.trimtab.model.FeedForward;
import io.trimtab.model.Head;
import io.trimtab.model.Linear;
import io.trimtab.model.ModelException;
import io.trimtab.model.Projections;
import io.trimtab.model.Stack;
import io.trimtab.model.TransformerBlock;
import io.trimtab.model.Weights;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * BART (Lewis et al., 2020): norms after each sublayer and over the embeddings, positions embedded
 * from the third row on, a stored addition to the scores of words.
 */
@AutoService(Architecture.class)
public final class Bart implements Architecture {
  private static final double EPSILON = 1e-5;

  /** Fields of old files that changed what was computed, and the values that change nothing. */
  private static final Map<String, Boolean> PLAIN =
      Map.of(
          "normalize_before", false,
          "add_final_layer_norm", false,
          "normalize_embedding", true,
          "static_position_embeddings", false,
          "add_bias_logits", false,
          "do_blenderbot_90_layernorm", false);

  @Override
  public Set<String> modelTypes() {
    return Set.of("bart");
  }

  @Override
  public Parts build(ModelConfig config, Weights weights) {
    String modelClass =
        config.architectures().stream().findFirst().orElse("BartForConditionalGeneration");
    boolean generates = modelClass.endsWith("ForConditionalGeneration");
    if (!generates && !modelClass.endsWith("Model")) {
      throw unsupported(
          config,
          "model class " + modelClass,
          "one that ends in ForConditionalGeneration or Model");
    }
    PLAIN.forEach(
        (field, plain) -> {
          if (config.flag(field, plain) != plain) {
            throw unsupported(config, field + " " + !plain, String.valueOf(plain));
          }
        });
    String prefix = weights.has("model.shared.weight") ? "model." : "";
    Embedding words = weights.embedding(prefix + "shared");
    weights.ignore(
        prefix + "encoder.embed_tokens.weight",
        prefix + "decoder.embed_tokens.weight",
        prefix + "encoder.version",
        prefix + "decoder.version");
    List<Stack> stacks =
        List.of(
            stack(prefix, Stack.Role.ENCODER, config, weights, words),
            stack(prefix, Stack.Role.DECODER, config, weights, words));
    if (!generates) {
      return new Parts(stacks, List.of());
    }
    boolean tied = config.flag("tie_word_embeddings", true);
    Linear decoder = weights.decoder("lm_head", words, "lm_head.bias", tied);
    String addition = "final_logits_bias";
    return new Parts(
        stacks,
        List.of(
            weights.has(addition)
                ? Head.CausalLm.adding("lm_head", decoder, addition, weights.tensor(addition))
                : new Head.CausalLm("lm_head", decoder)));
  }

  private static Stack stack(
      String prefix, Stack.Role role, ModelConfig config, Weights weights, Embedding words) {
    boolean encoder = role == Stack.Role.ENCODER;
    String path = prefix + role.word();
    boolean scaled = config.flag("scale_embedding", false);
    Embeddings embeddings =
        Embeddings.sharing(
            path + ".embeddings",
            words,
            // Prompts stand before what the encoder reads, under the name of the table.
            encoder ? words.path() : path + ".embed_tokens",
            weights.embedding(path + ".embed_positions"),
            weights.norm(path + ".layernorm_embedding", EPSILON),
            2,
            scaled ? Math.sqrt(config.integer("d_model")) : 1);
    return new Stack(
        role,
        path,
        embeddings,
        IntStream.range(0, config.integer(role.word() + "_layers", 12))
            .mapToObj(i -> block(path + ".layers." + i, !encoder, config, weights))
            .toList(),
        null);
  }

  private static TransformerBlock block(
      String at, boolean decoder, ModelConfig config, Weights weights) {
    int heads = config.integer(decoder ? "decoder_attention_heads" : "encoder_attention_heads", 16);
    return new TransformerBlock(
        at,
        new TransformerBlock.Parts(
            attending(at + ".self_attn", heads, decoder, config, weights),
            null,
            decoder ? attending(at + ".encoder_attn", heads, false, config, weights) : null,
            new FeedForward.Plain(
                weights.linear(at + ".fc1"),
                Activation.named(config.text("activation_function", "gelu")),
                weights.linear(at + ".fc2")),
            weights.norm(at + ".final_layer_norm", EPSILON),
            true));
  }

  private static TransformerBlock.Attending attending(
      String at, int heads, boolean causal, ModelConfig config, Weights weights) {
    double size = (double) config.integer("d_model") / heads;
    return new TransformerBlock.Attending(
        new Projections.Separate(
            weights.linear(at + ".q_proj"),
            weights.linear(at + ".k_proj"),
            weights.linear(at + ".v_proj")),
        weights.linear(at + ".out_proj"),
        weights.norm(at + "_layer_norm", EPSILON),
        new Attention.Form(heads, heads, 1 / Math.sqrt(size), causal, 0, 0));
  }

  private static ModelException unsupported(ModelConfig config, String found, String expected) {
    return new ModelException.Unsupported(
        "found "
            + found
            + " in "
            + config.path()
            + ", expected "
            + expected
            + "; a BART of this kind is not computed");
  }
}
