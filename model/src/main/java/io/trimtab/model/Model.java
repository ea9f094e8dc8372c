package io.trimtab.model;

import io.trimtab.hub.ModelConfig;
import io.trimtab.hub.TensorFile;
import io.trimtab.hub.TensorInfo;
import io.trimtab.model.weights.Weight;
import io.trimtab.model.weights.WeightForm;
import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Gradients;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.Neural;
import io.trimtab.tensor.Reduction;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;

/**
 * A frozen pretrained model: a tree of named layers over weights that nothing ever changes. Any
 * number of threads may use it at once, each with a {@link Pass} of its own.
 */
public final class Model implements AutoCloseable {
  /** What the names of original tensors' hashes begin with in a quantized checkpoint's metadata. */
  public static final String ORIGINAL = "original:";

  private final String name;
  private final ModelConfig config;
  private final Stored stored;
  private final List<Stack> stacks;
  private final Stack last;
  private final List<Head> heads;
  private final OpenOptions options;
  private final Layer root;

  private Model(
      String name,
      ModelConfig config,
      Stored stored,
      Architecture.Parts parts,
      OpenOptions options) {
    this.name = name;
    this.config = config;
    this.stored = stored;
    this.stacks = parts.stacks();
    this.last = stacks.getLast();
    this.heads = parts.heads();
    this.options = options;
    List<Layer> top = new ArrayList<>();
    top.addAll(stacks);
    top.addAll(heads);
    this.root = new Root(List.copyOf(top));
  }

  /** The tree's root, which has no name and no tensors of its own. */
  private static final class Root extends Layer {
    private final List<Layer> children;

    Root(List<Layer> children) {
      super("");
      this.children = children;
    }

    @Override
    public List<Layer> children() {
      return children;
    }
  }

  /**
   * Builds a model over a checkpoint.
   *
   * @param name what reports call it
   * @param config its config.json
   * @param file its tensors; the model closes it, and a failure to build the model does too
   * @param dtype F32, or BF16 for half the memory
   * @param device where the weights and all computation are
   */
  public static Model build(
      String name, ModelConfig config, TensorFile file, DType dtype, Device device) {
    return build(name, config, file, new OpenOptions(dtype, device, WeightForm.AUTO));
  }

  /**
   * The same with matrices held as {@code options} say.
   *
   * @throws ModelException where no matrix can be held so
   */
  public static Model build(String name, ModelConfig config, TensorFile file, OpenOptions options) {
    Weights weights = new Weights(file, options);
    try {
      Architecture.Parts parts = Architectures.build(config, weights);
      weights.checkAllUsed();
      return new Model(name, config, weights.stored(), parts, options);
    } catch (RuntimeException e) {
      weights.release();
      file.close();
      throw e;
    }
  }

  /**
   * The same model with some tensors replaced; it shares all others, and the file, with this one.
   * Replacements are plain tensors, also those of matrices that are not held so. Closing it frees
   * the replacements alone.
   *
   * @param changed tensors by name, which the new model owns; {@code decoder.weight} of a tied head
   *     unties it
   * @throws ModelException where the model has no tensor of such a name
   */
  public Model with(Map<String, Tensor> changed) {
    Weights weights = new Weights(stored.file(), options, lent(), changed);
    Architecture.Parts parts = Architectures.build(config, weights);
    weights.checkAllChanged();
    return new Model(name, config, weights.stored(), parts, options);
  }

  private Weights.Shared lent() {
    Map<String, Tensor> plain = new HashMap<>();
    Map<String, Weight> matrices = new HashMap<>();
    identities()
        .forEach(
            (tensor, held) -> {
              if (held instanceof Weight matrix) {
                matrices.put(tensor, matrix);
              } else {
                plain.put(tensor, (Tensor) held);
              }
            });
    return new Weights.Shared(plain, matrices, stored.inPlace());
  }

  /** What holds each stored tensor: a plain one itself, or a matrix in another form. */
  private Map<String, Object> identities() {
    Map<String, Object> all = new HashMap<>();
    Map<String, Weight> matrices = new HashMap<>();
    for (Layer layer : root.walk().toList()) {
      switch (layer) {
        case Linear linear -> matrices.putIfAbsent(linear.weightName(), linear.weight());
        case Embedding embedding -> matrices.putIfAbsent(embedding.tableName(), embedding.weight());
        default -> {}
      }
    }
    SequencedMap<String, Tensor> tensors = tensors();
    for (String tensor : tensors.keySet()) {
      Weight matrix = matrices.get(tensor);
      all.put(
          tensor,
          matrix == null || matrix instanceof Weight.Dense
              ? Objects.requireNonNull(tensors.get(tensor))
              : matrix);
    }
    return all;
  }

  /**
   * The linear layers whose matrices quantizing is for: those of blocks, not heads, poolers or the
   * projections beside embeddings.
   */
  public List<Linear> quantizable() {
    return root.walk()
        .filter(Linear.class::isInstance)
        .map(Linear.class::cast)
        .filter(layer -> Matrices.isInBlock(layer.path()))
        .toList();
  }

  /** Whether another model, made of this one by {@link #with}, still has this very tensor. */
  public boolean shares(Model other, String tensor) {
    Object mine = identities().get(tensor);
    return mine != null && mine == other.identities().get(tensor);
  }

  /** What it was opened as. */
  public String name() {
    return name;
  }

  /** Its configuration. */
  public ModelConfig config() {
    return config;
  }

  /** The element type of its weights. */
  public DType dtype() {
    return options.dtype();
  }

  /** Where its weights are. */
  public Device device() {
    return options.device();
  }

  /** The tree of layers, under a root without a name. */
  public Layer root() {
    return root;
  }

  /**
   * From tokens to the vectors that the heads read.
   *
   * @throws ModelException.Unsupported where the model is an encoder-decoder, so that what knows of
   *     one stack alone does not do half of its work
   */
  public Stack stack() {
    if (stacks.size() != 1) {
      throw new ModelException.Unsupported(
          "found an encoder and a decoder in "
              + name
              + " ("
              + config.modelType()
              + "), expected a model of one stack; this is not done to encoder-decoders yet");
    }
    return last;
  }

  /** Its stacks in the order of computation: one, or an encoder and the decoder that reads it. */
  public List<Stack> stacks() {
    return stacks;
  }

  /** The blocks of all its stacks in the order of computation. */
  public List<Block> blocks() {
    return stacks.stream().flatMap(stack -> stack.blocks().stream()).toList();
  }

  /** Its encoder; empty for a decoder alone. */
  public Optional<Stack> encoder() {
    return stacks.stream().filter(stack -> stack.role() == Stack.Role.ENCODER).findFirst();
  }

  /** Its decoder; empty for an encoder alone. */
  public Optional<Stack> decoder() {
    return stacks.stream().filter(stack -> stack.role() == Stack.Role.DECODER).findFirst();
  }

  /** Whether it is an encoder with a decoder that reads it. */
  public boolean isEncoderDecoder() {
    return stacks.size() > 1;
  }

  /**
   * What the encoder of an encoder-decoder gives for the rows of a batch. Decoders read it: {@code
   * model.nextLogits(words, Pass.plain(words.layout()).reading(encoded), null)}, where every row of
   * {@code words} begins with the number that {@code decoder_start_token_id} names.
   *
   * @param pass over {@code batch}, without a cache
   */
  public Encoded encode(Batch batch, Pass pass) {
    if (!isEncoderDecoder()) {
      throw new ModelException(
          "found a "
              + last.role().word()
              + " alone in "
              + name
              + ", expected an encoder with a decoder that reads it");
    }
    try (Scope scope = Scope.open()) {
      Stack.Whole whole = stacks.getFirst().whole(batch, pass);
      return new Encoded(scope.keep(whole.hidden()), whole.layout());
    }
  }

  /** The layer of the given path; empty where there is none. */
  public Optional<Layer> layer(String path) {
    return root.walk().filter(layer -> layer.path().equals(path)).findFirst();
  }

  /**
   * Where the parts are that all architectures have, by common names: {@code embeddings.words},
   * {@code encoder.block.0.attn.q} and so on as {@link Block#places} has them, {@code lm_head.proj}
   * and {@code classifier}.
   */
  public SequencedMap<String, Place> places() {
    SequencedMap<String, Place> places = new LinkedHashMap<>();
    places.put("embeddings.words", Place.of(last.embeddings().words()));
    for (Stack stack : stacks) {
      for (int i = 0; i < stack.blocks().size(); i++) {
        String at = stack.role().word() + ".block." + i + ".";
        stack.blocks().get(i).places().forEach((name, place) -> places.put(at + name, place));
      }
    }
    for (Head head : heads) {
      if (!(head instanceof Head.Pooler)) {
        boolean words = head instanceof Head.MaskedLm || head instanceof Head.CausalLm;
        String common = words ? "lm_head.proj" : "classifier";
        places.put(common, Place.of(head.children().getLast()));
      }
    }
    return places;
  }

  /**
   * Every stored tensor by name, each once, in the order of computation. A matrix that is not held
   * as plain numbers is unpacked whenever its value is asked for, and then belongs to the scope
   * that is open; see {@link #held} for what sizes are enough for.
   */
  public SequencedMap<String, Tensor> tensors() {
    StoredTensors all = new StoredTensors();
    root.walk().forEach(layer -> all.addAll(layer.tensors()));
    return all;
  }

  /** How every stored tensor is held, by the names and in the order of {@link #tensors}. */
  public SequencedMap<String, Held> held() {
    SequencedMap<String, Held> all = new LinkedHashMap<>();
    root.walk().forEach(layer -> layer.held().forEach(all::putIfAbsent));
    return all;
  }

  /** The head of the given kind, where the model has it. */
  public <H extends Head> Optional<H> head(Class<H> kind) {
    return heads.stream().filter(kind::isInstance).map(kind::cast).findFirst();
  }

  private <H extends Head> H need(Class<H> kind, String what) {
    return head(kind)
        .orElseThrow(
            () ->
                new ModelException(
                    "found no "
                        + what
                        + " in "
                        + name
                        + " ("
                        + String.join(", ", config.architectures())
                        + "), expected a model with one; open another checkpoint"));
  }

  /**
   * Scores of words at masks.
   *
   * @param at the tokens to score at
   * @param words the only words to score, I64 [chosen], or null for the whole vocabulary
   * @return F32 [tokens of {@code at}, chosen or vocabulary], row after row
   */
  public Tensor maskedLogits(Batch batch, Pass pass, Positions at, @Nullable Tensor words) {
    Head.MaskedLm head = need(Head.MaskedLm.class, "masked-language-model head");
    return Scope.of(
        () -> {
          Tensor hidden = last.forward(batch, pass, at);
          return head.forward(hidden, pass.at(at), words);
        });
  }

  /**
   * Scores of the words that may come next, at chosen tokens.
   *
   * @param at the tokens to score at, or null for all of the batch
   * @param words the only words to score, I64 [chosen], or null for the whole vocabulary
   * @return F32 [tokens of {@code at}, chosen or vocabulary], row after row
   */
  public Tensor causalLogits(
      Batch batch, Pass pass, @Nullable Positions at, @Nullable Tensor words) {
    Head.CausalLm head = need(Head.CausalLm.class, "causal language-model head");
    return Scope.of(
        () -> {
          Tensor hidden = last.forward(batch, pass, at);
          return head.forward(hidden, at == null ? pass : pass.at(at), words);
        });
  }

  /**
   * Scores at every token and at every vector that patches put among them: a word is also foretold
   * from a prompt that stands before the first.
   *
   * @param logits F32 [tokens and vectors, vocabulary]
   * @param layout how they lie, longer than the batch where vectors were put in
   */
  public record AllLogits(Tensor logits, Layout layout) {}

  /** Scores of the words that may come next, at all that goes through the model. */
  public AllLogits causalLogitsOfAll(Batch batch, Pass pass) {
    Head.CausalLm head = need(Head.CausalLm.class, "causal language-model head");
    try (Scope scope = Scope.open()) {
      Stack.Whole whole = last.whole(batch, pass);
      Tensor logits = head.forward(whole.hidden(), pass.at(whole.layout()), null);
      return new AllLogits(scope.keep(logits), whole.layout());
    }
  }

  /**
   * Scores of the words that may come after each row: what generation asks for. With a pass that
   * carries a {@linkplain Pass#caching cache}, the batch has the tokens alone that the cache has
   * not seen: first a prompt a row, then one token a row and step. The decoder of an
   * encoder-decoder is given a pass that {@linkplain Pass#reading reads} what {@link #encode} gave.
   *
   * @param words the only words to score, I64 [chosen], or null for the whole vocabulary
   * @return F32 [rows, chosen or vocabulary]
   */
  public Tensor nextLogits(Batch batch, Pass pass, @Nullable Tensor words) {
    return causalLogits(batch, pass, Positions.last(batch.layout()), words);
  }

  /**
   * The mean cross-entropy of the words that come after chosen tokens, a scalar. Where nothing of
   * the head is changed by patches, scores are in memory for some tokens at a time alone.
   *
   * @param at the tokens, at least one
   * @param words the word after each of them, row after row
   */
  public Tensor nextWordLoss(Batch batch, Pass pass, Positions at, long[] words) {
    Head.CausalLm head = causalHead(at, words);
    return Scope.of(
        () -> {
          Tensor hidden = last.forward(batch, pass, at);
          Pass there = pass.at(at);
          return hidden.requiresGradient() && !isTouched(head, there)
              ? NextWords.meanLoss(
                  hidden, words, some -> head.forward(some, there, null), rowsOf(head))
              : Neural.crossEntropy(
                  head.forward(hidden, there, null),
                  Creation.longs(words, words.length).to(device()));
        });
  }

  /**
   * How well chosen tokens foretell the words that come after them; without gradients.
   *
   * @param at the tokens, at least one
   * @param words the word after each of them, row after row
   */
  public WordScores scoreNextWords(Batch batch, Pass pass, Positions at, long[] words) {
    Head.CausalLm head = causalHead(at, words);
    return Gradients.none(
        () -> {
          try (Scope _ = Scope.open()) {
            Tensor hidden = last.forward(batch, pass, at);
            Pass there = pass.at(at);
            // Patches act on all rows together, each on its own.
            int together = isTouched(head, there) ? words.length : rowsOf(head);
            return NextWords.score(
                hidden, words, some -> head.forward(some, there, null), together);
          }
        });
  }

  private Head.CausalLm causalHead(Positions at, long[] words) {
    if (words.length == 0 || words.length != at.layout().tokens()) {
      throw new ModelException(
          "found "
              + words.length
              + " words to foretell at "
              + at.layout().tokens()
              + " tokens, expected one for each, and at least one");
    }
    return need(Head.CausalLm.class, "causal language-model head");
  }

  private int rowsOf(Head.CausalLm head) {
    return NextWords.rows(((Linear) head.children().getLast()).weight().out());
  }

  private static boolean isTouched(Head head, Pass pass) {
    return head.walk().flatMap(layer -> layer.sites().stream()).anyMatch(pass::touches);
  }

  /** Scores of classes for each row, F32 [rows, classes]. */
  public Tensor classify(Batch batch, Pass pass) {
    Head.SequenceClassifier head =
        need(Head.SequenceClassifier.class, "sequence-classification head");
    return Scope.of(
        () -> {
          Pass perRow = pass.at(Positions.first(batch.layout()));
          return head.forward(pooled(batch, pass, head.pooling()).to(dtype()), perRow);
        });
  }

  /** One vector a row, [rows, hidden]. */
  private Tensor pooled(Batch batch, Pass pass, Pooling pooling) {
    return switch (pooling) {
      case FIRST -> last.first(batch, pass);
      case MEAN -> means(last.forward(batch, pass, null), batch.layout());
    };
  }

  /** Scores of classes for each token, F32 [tokens, classes]. */
  public Tensor classifyTokens(Batch batch, Pass pass) {
    Head.TokenClassifier head = need(Head.TokenClassifier.class, "token-classification head");
    return Scope.of(() -> head.forward(last.forward(batch, pass, null), pass));
  }

  /** How a row's vector is made of its tokens' vectors. */
  public enum Pooling {
    /** The first token's. */
    FIRST,
    /** The mean of all tokens'. */
    MEAN
  }

  /** One vector a row, F32 [rows, hidden], of length 1 where {@code normalised}. */
  public Tensor embed(Batch batch, Pass pass, Pooling pooling, boolean normalised) {
    return Scope.of(
        () -> {
          Tensor plain = pooled(batch, pass, pooling).to(DType.F32);
          if (!normalised) {
            return plain;
          }
          Tensor squares = Reduction.sum(Arithmetic.multiply(plain, plain), 1);
          return Arithmetic.divide(plain, Indexing.unsqueeze(Arithmetic.squareRoot(squares), 1));
        });
  }

  private static Tensor means(Tensor hidden, Layout layout) {
    List<Tensor> rows = new ArrayList<>();
    for (int row = 0; row < layout.rows(); row++) {
      Tensor part = Indexing.slice(hidden, 0, layout.start(row), layout.length(row));
      rows.add(Reduction.mean(part.to(DType.F32), 0, false));
    }
    return Indexing.stack(rows, 0);
  }

  /**
   * The SHA-256 of a tensor as stored in the checkpoint, whatever type it is computed in: what a
   * delta records of the base it was tuned on. Of a tensor that was replaced, that of its values.
   */
  public String fingerprint(String tensor) {
    String asStored = stored.fingerprint(tensor);
    if (asStored != null) {
      return asStored;
    }
    Tensor replaced = tensors().get(tensor);
    if (replaced == null) {
      throw new ModelException(
          "found no tensor " + tensor + " in " + name + ", expected one of Model.tensors()");
    }
    TensorInfo info = new TensorInfo(tensor, replaced.dtype(), replaced.shape());
    byte[] values = replaced.toBytes().toArray(ValueLayout.JAVA_BYTE);
    return Fingerprints.sha256(info, MemorySegment.ofArray(values));
  }

  /**
   * Whether the checkpoint has a matrix the other way round than {@link #tensors} does, [in, out]
   * for a layer's [out, in]: so it is in GPT-2. What is written for others to read has to turn it.
   */
  public boolean storedTransposed(String tensor) {
    return stored.transposed().contains(tensor);
  }

  /** The name in the checkpoint of a tensor, which differs for old checkpoints. */
  public String storedName(String tensor) {
    return stored.names().getOrDefault(tensor, tensor);
  }

  /** Frees its weights. */
  @Override
  public void close() {
    stored.close();
  }

  @Override
  public String toString() {
    return "Model[" + name + ", " + config.modelType() + ", " + dtype() + " on " + device() + "]";
  }
}
