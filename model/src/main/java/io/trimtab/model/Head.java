package io.trimtab.model;

import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.Neural;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;

/** What turns an encoder's vectors into the numbers that are read. */
public abstract sealed class Head extends Layer {
  private Head(String path) {
    super(path);
  }

  /** Scores of words: dense, activation, norm, then a product with every word's vector. */
  public static final class MaskedLm extends Head {
    private final Linear dense;
    private final Activation activation;
    private final Norm norm;
    private final Linear decoder;

    /** A head of the given parts; {@code decoder} is usually tied to the word embeddings. */
    public MaskedLm(String path, Linear dense, Activation activation, Norm norm, Linear decoder) {
      super(path);
      this.dense = dense;
      this.activation = activation;
      this.norm = norm;
      this.decoder = decoder;
    }

    /**
     * Logits as F32.
     *
     * @param hidden [tokens, hidden]
     * @param words the only words to score, I64 [chosen], or null for the whole vocabulary
     * @return [tokens, chosen or vocabulary]
     */
    public Tensor forward(Tensor hidden, Pass pass, @Nullable Tensor words) {
      return Scope.of(
          () -> {
            Tensor inner = activation.apply(dense.forward(hidden, pass));
            return decoder.forward(norm.forward(inner, pass), pass, words).to(DType.F32);
          });
    }

    @Override
    public List<Layer> children() {
      return List.of(dense, norm, decoder);
    }
  }

  /** Scores of the words that may come next: a product with every word's vector. */
  public static final class CausalLm extends Head {
    private final Linear decoder;
    private final double inputScale;
    private final double cap;
    private final @Nullable String additionName;
    private final @Nullable Tensor addition;

    /** A head over one linear layer, which is often tied to the word embeddings. */
    public CausalLm(String path, Linear decoder) {
      this(path, decoder, 0);
    }

    /** The same with scores bent to ± {@code cap} by tanh; 0 for none. */
    public CausalLm(String path, Linear decoder, double cap) {
      this(path, decoder, 1, cap, null, null);
    }

    private CausalLm(
        String path,
        Linear decoder,
        double inputScale,
        double cap,
        @Nullable String additionName,
        @Nullable Tensor addition) {
      super(path);
      this.decoder = decoder;
      this.inputScale = inputScale;
      this.cap = cap;
      this.additionName = additionName;
      this.addition = addition;
    }

    /** One that multiplies the vectors by {@code scale} first, as T5 does: 1 / √hidden. */
    public static CausalLm scaled(String path, Linear decoder, double scale) {
      return new CausalLm(path, decoder, scale, 0, null, null);
    }

    /**
     * One that adds a stored tensor to the scores, which is no parameter: BART's.
     *
     * @param name the tensor's name
     * @param addition [1, vocabulary]
     */
    public static CausalLm adding(String path, Linear decoder, String name, Tensor addition) {
      return new CausalLm(path, decoder, 1, 0, name, addition);
    }

    /**
     * Logits as F32.
     *
     * @param hidden [tokens, hidden]
     * @param words the only words to score, I64 [chosen], or null for the whole vocabulary
     * @return [tokens, chosen or vocabulary]
     */
    public Tensor forward(Tensor hidden, Pass pass, @Nullable Tensor words) {
      return Scope.of(
          () -> {
            Tensor scores = decoder.forward(scaled(hidden), pass, words).to(DType.F32);
            return AttentionKernel.capped(added(scores, words), cap);
          });
    }

    /** The mean cross-entropy of vectors [n, hidden] and the word after each, a scalar. */
    Tensor loss(Tensor hidden, long[] words, Pass pass) {
      if (addition != null || cap != 0) {
        return NextWords.of(rows -> forward(rows, pass, null)).of(hidden, words);
      }
      Tensor scores = decoder.forward(scaled(hidden), pass);
      return Fused.fits(scores)
          ? Fused.crossEntropy(scores, words)
          : NextWords.of(rows -> rows.to(DType.F32)).of(scores, words);
    }

    private Tensor scaled(Tensor hidden) {
      return inputScale == 1 ? hidden : Arithmetic.multiply(hidden, inputScale);
    }

    private Tensor added(Tensor scores, @Nullable Tensor words) {
      if (addition == null) {
        return scores;
      }
      Tensor own = words == null ? addition : Indexing.select(addition, 1, words);
      return Arithmetic.add(scores, own.to(DType.F32));
    }

    @Override
    public SequencedMap<String, Tensor> tensors() {
      SequencedMap<String, Tensor> tensors = new LinkedHashMap<>();
      if (additionName != null && addition != null) {
        tensors.put(additionName, addition);
      }
      return Collections.unmodifiableSequencedMap(tensors);
    }

    /** None: what is added is stored, but no parameter. */
    @Override
    public List<Site<?>> sites() {
      return List.of();
    }

    @Override
    public List<Layer> children() {
      return List.of(decoder);
    }
  }

  /** Scores of classes for a whole row, from one vector a row. */
  public static final class SequenceClassifier extends Head {
    private final Model.Pooling pooling;
    private final Linear dense;
    private final Activation activation;
    private final @Nullable Norm norm;
    private final Linear classifier;

    /** A head that reads the first token; {@code norm} is null in most models. */
    public SequenceClassifier(
        String path, Linear dense, Activation activation, @Nullable Norm norm, Linear classifier) {
      this(path, Model.Pooling.FIRST, dense, activation, norm, classifier);
    }

    /** A head of the given parts; {@code norm} is null in most models. */
    public SequenceClassifier(
        String path,
        Model.Pooling pooling,
        Linear dense,
        Activation activation,
        @Nullable Norm norm,
        Linear classifier) {
      super(path);
      this.pooling = pooling;
      this.dense = dense;
      this.activation = activation;
      this.norm = norm;
      this.classifier = classifier;
    }

    /** How it makes a row's vector of its tokens' vectors. */
    public Model.Pooling pooling() {
      return pooling;
    }

    /** Rows' vectors [rows, hidden] to F32 logits [rows, classes]. */
    public Tensor forward(Tensor pooled, Pass pass) {
      return Scope.of(
          () -> {
            Tensor inner = activation.apply(dense.forward(pooled, pass));
            Tensor normed = norm == null ? inner : norm.forward(inner, pass);
            return classifier.forward(normed, pass).to(DType.F32);
          });
    }

    @Override
    public List<Layer> children() {
      List<Layer> children = new ArrayList<>(List.of(dense, classifier));
      if (norm != null) {
        children.add(1, norm);
      }
      return List.copyOf(children);
    }
  }

  /** Scores of classes for every token. */
  public static final class TokenClassifier extends Head {
    private final @Nullable Transform transform;
    private final Linear classifier;

    /** A head that is one linear layer. */
    public TokenClassifier(String path, Linear classifier) {
      super(path);
      this.transform = null;
      this.classifier = classifier;
    }

    /** A head with a dense layer, an activation and a norm before the classifier. */
    public TokenClassifier(
        String path, Linear dense, Activation activation, Norm norm, Linear classifier) {
      super(path);
      this.transform = new Transform(dense, activation, norm);
      this.classifier = classifier;
    }

    private record Transform(Linear dense, Activation activation, Norm norm) {}

    /** [tokens, hidden] to F32 logits [tokens, classes]. */
    public Tensor forward(Tensor hidden, Pass pass) {
      return Scope.of(
          () -> {
            if (transform == null) {
              return classifier.forward(hidden, pass).to(DType.F32);
            }
            Tensor inner = transform.activation().apply(transform.dense().forward(hidden, pass));
            Tensor normed = transform.norm().forward(inner, pass);
            return classifier.forward(normed, pass).to(DType.F32);
          });
    }

    @Override
    public List<Layer> children() {
      return transform == null
          ? List.of(classifier)
          : List.of(transform.dense(), transform.norm(), classifier);
    }
  }

  /** A dense layer and tanh over the first token: what BERT was pretrained with. */
  public static final class Pooler extends Head {
    private final Linear dense;

    /** A pooler over one linear layer. */
    public Pooler(String path, Linear dense) {
      super(path);
      this.dense = dense;
    }

    /** First tokens' vectors [rows, hidden] to [rows, hidden]. */
    public Tensor forward(Tensor first, Pass pass) {
      return Scope.of(() -> Neural.tanh(dense.forward(first, pass)));
    }

    @Override
    public List<Layer> children() {
      return List.of(dense);
    }
  }
}
