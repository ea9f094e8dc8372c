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
import io.trimtab.model.Norm;
import io.trimtab.model.Projections;
import io.trimtab.model.RelativeBias;
import io.trimtab.model.Stack;
import io.trimtab.model.TransformerBlock;
import io.trimtab.model.Weights;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * T5 (Raffel et al., 2020), T5 1.1, FLAN-T5 and mT5: root-mean-square norms before each sublayer,
 * scores that are not scaled but shifted by what the first block's table says of distances. The
 * encoder alone is read too.
 */
@AutoService(Architecture.class)
public final class T5 implements Architecture {
  @Override
  public Set<String> modelTypes() {
    return Set.of("t5", "mt5");
  }

  @Override
  public Parts build(ModelConfig config, Weights weights) {
    String modelClass =
        config.architectures().stream().findFirst().orElse("T5ForConditionalGeneration");
    boolean generates = modelClass.endsWith("ForConditionalGeneration");
    boolean encoderAlone = modelClass.endsWith("EncoderModel");
    if (!generates && !modelClass.endsWith("Model")) {
      throw new ModelException.Unsupported(
          "found model class "
              + modelClass
              + " in "
              + config.path()
              + ", expected one that ends in ForConditionalGeneration, EncoderModel or Model; other"
              + " heads of T5 are not read yet");
    }
    Embedding words = weights.embedding("shared");
    weights.ignore(
        "encoder.embed_tokens.weight",
        "decoder.embed_tokens.weight",
        // Old checkpoints have one that was never read.
        "decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight");
    Stack encoder = stack(config, weights, words, Stack.Role.ENCODER);
    if (encoderAlone) {
      return new Parts(encoder, List.of());
    }
    Stack decoder = stack(config, weights, words, Stack.Role.DECODER);
    return new Parts(
        List.of(encoder, decoder), generates ? List.of(head(config, weights, words)) : List.of());
  }

  /** A tied head reads scaled vectors; newer files say so apart from being tied. */
  private static Head head(ModelConfig config, Weights weights, Embedding words) {
    boolean said = config.flag("tie_word_embeddings", true);
    boolean scaled = config.flag("scale_decoder_outputs", said);
    boolean tied = said && (scaled || !weights.has("lm_head.weight"));
    Linear decoder = weights.decoder("lm_head", words, "lm_head.bias", tied);
    return Head.CausalLm.scaled(
        "lm_head", decoder, scaled ? 1 / Math.sqrt(config.integer("d_model")) : 1);
  }

  private static Stack stack(
      ModelConfig config, Weights weights, Embedding words, Stack.Role role) {
    String path = role.word();
    int encoderLayers = config.integer("num_layers", 6);
    int layers =
        role == Stack.Role.ENCODER
            ? encoderLayers
            : config.integer("num_decoder_layers", encoderLayers);
    RelativeBias bias =
        new RelativeBias(
            weights.embedding(path + ".block.0.layer.0.SelfAttention.relative_attention_bias"),
            role == Stack.Role.ENCODER,
            config.integer("relative_attention_max_distance", 128));
    return new Stack(
        role,
        path,
        Embeddings.sharing(
            path + ".embeddings",
            words,
            // Prompts stand before what the encoder reads, under the name of the table.
            role == Stack.Role.ENCODER ? words.path() : path + ".embed_tokens",
            null,
            null,
            0,
            1),
        IntStream.range(0, layers)
            .mapToObj(i -> block(path + ".block." + i, config, weights, bias, role))
            .toList(),
        norm(path + ".final_layer_norm", config, weights));
  }

  private static TransformerBlock block(
      String at, ModelConfig config, Weights weights, RelativeBias bias, Stack.Role role) {
    boolean decoder = role == Stack.Role.DECODER;
    String last = at + ".layer." + (decoder ? 2 : 1);
    return new TransformerBlock(
        at,
        new TransformerBlock.Parts(
            attending(at + ".layer.0", ".SelfAttention.", decoder, config, weights),
            bias,
            decoder
                ? attending(at + ".layer.1", ".EncDecAttention.", false, config, weights)
                : null,
            feedForward(last + ".DenseReluDense.", config, weights),
            norm(last + ".layer_norm", config, weights),
            false));
  }

  private static TransformerBlock.Attending attending(
      String layer, String module, boolean causal, ModelConfig config, Weights weights) {
    String at = layer + module;
    int heads = config.integer("num_heads", 8);
    return new TransformerBlock.Attending(
        new Projections.Separate(
            weights.linear(at + "q", false),
            weights.linear(at + "k", false),
            weights.linear(at + "v", false)),
        weights.linear(at + "o", false),
        norm(layer + ".layer_norm", config, weights),
        new Attention.Form(heads, heads, 1, causal, 0, 0));
  }

  /** The network that {@code feed_forward_proj} names: {@code relu}, {@code gated-gelu} … */
  private static FeedForward feedForward(String at, ModelConfig config, Weights weights) {
    String name = config.text("feed_forward_proj", "relu");
    boolean gated = name.startsWith("gated-");
    String function = gated ? name.substring("gated-".length()) : name;
    Activation activation =
        Activation.named(name.equals("gated-gelu") ? "gelu_new" : function); // what it always meant
    Linear down = weights.linear(at + "wo", false);
    return gated
        ? new FeedForward.Gated(
            weights.linear(at + "wi_0", false),
            weights.linear(at + "wi_1", false),
            activation,
            down)
        : new FeedForward.Plain(weights.linear(at + "wi", false), activation, down);
  }

  private static Norm norm(String path, ModelConfig config, Weights weights) {
    return weights.norm(
        path, Norm.Kind.ROOT_MEAN_SQUARE, config.decimal("layer_norm_epsilon", 1e-6));
  }
}
