package io.trimtab.model.decoders;

import io.trimtab.hub.ModelConfig;
import io.trimtab.model.Activation;
import io.trimtab.model.Architecture;
import io.trimtab.model.Attention;
import io.trimtab.model.DecoderBlock;
import io.trimtab.model.Embedding;
import io.trimtab.model.Embeddings;
import io.trimtab.model.FeedForward;
import io.trimtab.model.Head;
import io.trimtab.model.Linear;
import io.trimtab.model.Norm;
import io.trimtab.model.Projections;
import io.trimtab.model.Rotary;
import io.trimtab.model.Stack;
import io.trimtab.model.Weights;
import java.util.List;
import java.util.Objects;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * How a decoder is made of its configuration and checkpoint. It starts as Llama's; a family states
 * what it does otherwise and then calls {@link #build}.
 */
final class Recipe {
  /** Makes a part of the block at a path. */
  @FunctionalInterface
  interface Part<T> {
    T at(String path);
  }

  private final ModelConfig config;
  private final Weights weights;
  private final String prefix;
  private final int layers;
  private final int heads;
  private int keyHeads;
  private int size;
  private double scale;
  private double scoreCap;
  private double logitCap;
  private double wordScale = 1;
  private int firstPosition;
  private Names names = Names.LLAMA;
  private Norm.Kind norm = Norm.Kind.ROOT_MEAN_SQUARE;
  private double epsilon;
  private boolean parallel;
  private boolean tied;
  private @Nullable Part<Linear> output;
  private @Nullable Part<Projections> projections;
  private @Nullable Part<FeedForward> feedForward;
  private IntFunction<@Nullable Rotary> rotary = block -> null;
  private IntFunction<Integer> window = block -> 0;
  private IntFunction<Double> scales = block -> 1.0;

  /**
   * A recipe for a model whose names begin with {@code prefix}.
   *
   * @param layers the number of blocks
   * @param heads of the queries
   * @param hidden the size of the vectors between blocks
   */
  Recipe(ModelConfig config, Weights weights, String prefix, int layers, int heads, int hidden) {
    this.config = config;
    this.weights = weights;
    this.prefix = prefix;
    this.layers = layers;
    this.heads = heads;
    Fields.refuse(config);
    keys(heads, hidden / heads);
  }

  /** Llama's way with the fields that its descendants share. */
  static Recipe llama(ModelConfig config, Weights weights) {
    String prefix = weights.has("model.embed_tokens.weight") ? "model." : "";
    int heads = config.integer("num_attention_heads");
    int hidden = config.integer("hidden_size");
    Recipe recipe =
        new Recipe(config, weights, prefix, config.integer("num_hidden_layers"), heads, hidden);
    weights.ignore(prefix + "rotary_emb.inv_freq");
    for (int i = 0; i < recipe.layers; i++) { // as checkpoints of old code have it
      weights.ignore(prefix + "layers." + i + ".self_attn.rotary_emb.inv_freq");
    }
    return recipe
        .keys(config.integer("num_key_value_heads"), config.integer("head_dim"))
        .norms(Norm.Kind.ROOT_MEAN_SQUARE, config.decimal("rms_norm_eps"))
        .tied(config.flag("tie_word_embeddings"))
        .attentionBias(false, false)
        .gated(Activation.named(config.text("hidden_act")), false);
  }

  int layers() {
    return layers;
  }

  int size() {
    return size;
  }

  /** So many heads of keys and values, and numbers a head. */
  Recipe keys(int count, int newSize) {
    keyHeads = count;
    size = newSize;
    scale = 1 / Math.sqrt((double) newSize);
    return this;
  }

  Recipe names(Names newNames) {
    names = newNames;
    return this;
  }

  Recipe norms(Norm.Kind kind, double newEpsilon) {
    norm = kind;
    epsilon = newEpsilon;
    return this;
  }

  /** Scores are multiplied by this instead of 1 / √size. */
  Recipe scale(double newScale) {
    scale = newScale;
    return this;
  }

  /** And by this, block by block. */
  Recipe scales(IntFunction<Double> perBlock) {
    scales = perBlock;
    return this;
  }

  /** The limits that scores and logits are bent to by tanh; 0 for none. */
  Recipe caps(double scores, double logits) {
    scoreCap = scores;
    logitCap = logits;
    return this;
  }

  /** Words' vectors are multiplied by this. */
  Recipe wordScale(double factor) {
    wordScale = factor;
    return this;
  }

  /** Embedded positions start at this row of their table. */
  Recipe firstPosition(int row) {
    firstPosition = row;
    return this;
  }

  /** Whether the head is the table of words' vectors. */
  Recipe tied(boolean isTied) {
    tied = isTied;
    return this;
  }

  /** Whether attention and the feed-forward network are given the same input. */
  Recipe parallel(boolean isParallel) {
    parallel = isParallel;
    return this;
  }

  /** Llama's names for queries, keys and values, with biases there and after attention or not. */
  Recipe attentionBias(boolean inner, boolean outer) {
    return outputBias(outer)
        .projections(
            at ->
                new Projections.Separate(
                    weights.linear(at + ".self_attn.q_proj", inner),
                    weights.linear(at + ".self_attn.k_proj", inner),
                    weights.linear(at + ".self_attn.v_proj", inner)));
  }

  /** Whether the layer that attention ends in has a bias. */
  Recipe outputBias(boolean has) {
    return output(path -> weights.linear(path, has));
  }

  /** The layer that attention ends in. */
  Recipe output(Part<Linear> newOutput) {
    output = newOutput;
    return this;
  }

  Recipe projections(Part<Projections> newProjections) {
    projections = newProjections;
    return this;
  }

  /** Llama's names for a gated feed-forward network. */
  Recipe gated(Activation activation, boolean bias) {
    return feedForward(
        at ->
            new FeedForward.Gated(
                weights.linear(at + ".mlp.gate_proj", bias),
                weights.linear(at + ".mlp.up_proj", bias),
                activation,
                weights.linear(at + ".mlp.down_proj", bias)));
  }

  Recipe feedForward(Part<FeedForward> newFeedForward) {
    feedForward = newFeedForward;
    return this;
  }

  /** All blocks turn queries and keys alike. */
  Recipe rotary(Rotary all) {
    return rotary(block -> all);
  }

  /** What turns queries and keys of each block; null for nothing. */
  Recipe rotary(IntFunction<@Nullable Rotary> perBlock) {
    rotary = perBlock;
    return this;
  }

  /** How many tokens each block sees; 0 for all. */
  Recipe window(IntFunction<Integer> perBlock) {
    window = perBlock;
    return this;
  }

  /** The model. */
  Architecture.Parts build() {
    Embedding words = weights.embedding(prefix + names.words());
    Embedding positions =
        names.positions() == null ? null : weights.embedding(prefix + names.positions());
    Embeddings embeddings =
        Embeddings.plain(prefix + "embeddings", words, positions, firstPosition, wordScale);
    List<DecoderBlock> blocks = IntStream.range(0, layers).mapToObj(this::block).toList();
    Stack stack =
        new Stack(
            Stack.Role.DECODER,
            prefix + names.blocks(),
            embeddings,
            blocks,
            norm(prefix, names.last()));
    return new Architecture.Parts(stack, heads(words));
  }

  private List<Head> heads(Embedding words) {
    if (!Fields.isLanguageModel(config)) {
      return List.of();
    }
    String at = names.head();
    return List.of(new Head.CausalLm(at, weights.decoder(at, words, at + ".bias", tied), logitCap));
  }

  private DecoderBlock block(int number) {
    String at = prefix + names.blocks() + "." + number;
    Part<Projections> attention = Objects.requireNonNull(projections);
    Part<Linear> end = Objects.requireNonNull(output);
    Part<FeedForward> network = Objects.requireNonNull(feedForward);
    return new DecoderBlock(
        at,
        new DecoderBlock.Parts(
            norm(at + ".", names.attentionNorm()),
            attention.at(at),
            norm(at + ".", names.queryNorm()),
            norm(at + ".", names.keyNorm()),
            rotary.apply(number),
            end.at(at + "." + names.attentionOutput()),
            norm(at + ".", names.attentionOutputNorm()),
            norm(at + ".", names.feedForwardNorm()),
            network.at(at),
            norm(at + ".", names.feedForwardOutputNorm()),
            parallel),
        new Attention.Form(
            heads, keyHeads, scale * scales.apply(number), true, window.apply(number), scoreCap));
  }

  private @Nullable Norm norm(String at, @Nullable String name) {
    return name == null ? null : weights.norm(at + name, norm, epsilon);
  }
}
