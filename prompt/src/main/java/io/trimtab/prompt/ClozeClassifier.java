package io.trimtab.prompt;

import io.trimtab.model.Batch;
import io.trimtab.model.LanguageModel;
import io.trimtab.model.Model;
import io.trimtab.model.Pass;
import io.trimtab.model.Patches;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Gradients;
import io.trimtab.tensor.NativeHeap;
import io.trimtab.tensor.Neural;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import io.trimtab.train.ClassificationReport;
import io.trimtab.train.DataException;
import io.trimtab.train.Example;
import io.trimtab.train.Labels;
import io.trimtab.train.Prediction;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A task on a model: classifies texts by what the model finds likely in the blank. Zero-shot with
 * {@link Patches#NONE}, tuned with a delta's patches or on a merged model. Safe for use by several
 * threads; the model must stay open.
 */
public final class ClozeClassifier {
  /** So many tokens are computed at once: enough to keep the machine busy, little memory. */
  private static final int BATCH_TOKENS = 2048;

  private final Model model;
  private final Cloze cloze;
  private final Labels labels;
  private final int maxLength;
  private final PromptEncoder encoder;
  private final LabelWords words;

  /**
   * Fits a task to a model.
   *
   * @throws PromptException if the task has fewer than two labels
   * @throws PromptException.LabelWord if a label word is not one token of the model's vocabulary
   * @throws PromptException.TooLong if the template alone is longer than allowed
   */
  public ClozeClassifier(LanguageModel model, Cloze cloze) {
    cloze
        .flaw()
        .ifPresent(
            flaw -> {
              throw new PromptException(flaw);
            });
    this.model = model.model();
    this.cloze = cloze;
    this.labels = cloze.verbalizer().labels();
    int positions = this.model.stack().embeddings().maximumLength().orElse(Integer.MAX_VALUE);
    this.maxLength = Math.min(cloze.maxLength(), positions);
    this.encoder = new PromptEncoder(cloze.template(), model.tokenizer(), maxLength, cloze.side());
    this.words = new LabelWords(cloze.verbalizer().tokenIds(model.tokenizer()));
  }

  /** The task. */
  public Cloze cloze() {
    return cloze;
  }

  /** The largest number of tokens of a prompt: the task's, or the model's where that is less. */
  public int maxLength() {
    return maxLength;
  }

  /** The labels, in the order of the classes. */
  public Labels labels() {
    return labels;
  }

  /** What training makes smaller for this task on this model. */
  public ClozeObjective objective() {
    return new ClozeObjective(words);
  }

  /** Texts in the task's template, in their order. */
  public List<Prompt> encode(List<String> texts) {
    return encoder.encodeAll(texts);
  }

  /**
   * Labelled texts ready for training, in their order.
   *
   * @param source what errors call the data, for instance the file's name
   * @throws DataException if a label is not one of the task's; the message names line and labels
   */
  public List<ClozeExample> encode(String source, List<Example> examples) {
    int[] gold = labels.encode(source, examples);
    List<Prompt> prompts = encode(examples.stream().map(Example::text).toList());
    return IntStream.range(0, gold.length)
        .mapToObj(i -> new ClozeExample(prompts.get(i), gold[i]))
        .toList();
  }

  /**
   * Classifies texts.
   *
   * @param patches what acts on the model; {@link Patches#NONE} for the model as it is
   * @return as many results as there are texts, in their order
   */
  public List<Classification> predict(List<String> texts, Patches patches) {
    return classify(encode(texts), patches);
  }

  /**
   * Classifies prompts that are encoded already.
   *
   * @return as many results as there are prompts, in their order
   * @throws PromptException if the model's scores are not finite
   */
  public List<Classification> classify(List<Prompt> prompts, Patches patches) {
    Classification[] out = new Classification[prompts.size()];
    List<Integer> order =
        IntStream.range(0, prompts.size())
            .boxed()
            .sorted(Comparator.comparingInt(i -> prompts.get(i).length()))
            .toList();
    int from = 0;
    while (from < order.size()) {
      int to = from;
      int tokens = 0;
      while (to < order.size()) {
        tokens += prompts.get(order.get(to)).length();
        if (tokens > BATCH_TOKENS && to > from) {
          break;
        }
        to++;
      }
      List<Integer> part = order.subList(from, to);
      List<Classification> results =
          Gradients.none(() -> classifyBatch(part.stream().map(prompts::get).toList(), patches));
      for (int i = 0; i < part.size(); i++) {
        out[part.get(i)] = results.get(i);
      }
      NativeHeap.trim(); // the next batch is of other lengths, and would leave this one's gaps
      from = to;
    }
    return List.of(out);
  }

  private List<Classification> classifyBatch(List<Prompt> prompts, Patches patches) {
    try (Scope _ = Scope.open()) {
      Batch batch = Batch.of(prompts.stream().map(Prompt::row).toList());
      Pass pass = Pass.with(batch.layout(), patches);
      Tensor logits = words.classLogits(model, prompts, batch, pass);
      double[] shares = Neural.softmax(logits.to(DType.F64), 1).toDoubles();
      List<Classification> out = new ArrayList<>(prompts.size());
      for (int row = 0; row < prompts.size(); row++) {
        out.add(classification(shares, row * words.classes()));
      }
      return out;
    }
  }

  private Classification classification(double[] shares, int at) {
    LinkedHashMap<String, Double> all = new LinkedHashMap<>();
    int best = 0;
    for (int c = 0; c < labels.size(); c++) {
      double share = shares[at + c];
      if (!Double.isFinite(share)) {
        throw new PromptException(
            "found scores that are not finite from "
                + model.name()
                + ", expected finite ones; the delta or the model's file is damaged");
      }
      all.put(labels.name(c), share);
      best = share > shares[at + best] ? c : best;
    }
    return new Classification(labels.name(best), shares[at + best], all);
  }

  /**
   * Compares predictions with true labels.
   *
   * @param source what errors call the data, for instance the file's name
   * @throws DataException if there are no examples, or a label is not one of the task's
   */
  public ClassificationReport evaluate(String source, List<Example> examples, Patches patches) {
    if (examples.isEmpty()) {
      throw new DataException("found no examples in " + source + " to score, expected some");
    }
    labels.encode(source, examples);
    List<Classification> said = predict(examples.stream().map(Example::text).toList(), patches);
    List<Prediction> predictions = new ArrayList<>();
    for (int i = 0; i < said.size(); i++) {
      Example example = examples.get(i);
      Classification answer = said.get(i);
      predictions.add(
          new Prediction(example.text(), example.label(), answer.label(), answer.probability()));
    }
    return ClassificationReport.of(predictions, labels.names());
  }
}
