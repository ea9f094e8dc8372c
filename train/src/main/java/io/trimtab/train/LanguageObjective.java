package io.trimtab.train;

import io.trimtab.model.Batch;
import io.trimtab.model.Model;
import io.trimtab.model.Pass;
import io.trimtab.model.Patches;
import io.trimtab.model.Positions;
import io.trimtab.model.WordScores;
import io.trimtab.tensor.Gradients;
import io.trimtab.tensor.NativeHeap;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/**
 * Makes the learnt tokens likelier, each given all before it: the mean cross-entropy over the
 * learnt tokens of the batch. Scores of words are computed at the tokens alone that foretell a
 * learnt one. Rows are packed, and none sees another.
 */
public final class LanguageObjective implements Objective<TokenExample> {
  /** So many tokens are scored at once. */
  private static final int TOGETHER = 2048;

  @Override
  public Batch.Row row(TokenExample example) {
    return Batch.Row.of(example.source().length > 0 ? example.source() : example.read());
  }

  @Override
  public int tokens(TokenExample example) {
    return example.length();
  }

  @Override
  public int weight(TokenExample example) {
    return example.learnt();
  }

  @Override
  public Tensor loss(Model model, List<TokenExample> examples, Batch batch, Pass pass) {
    return Scope.of(
        () -> {
          Decoding decoding = decoding(model, examples, batch, pass);
          return model.nextWordLoss(
              decoding.batch(), decoding.pass(), decoding.at(), decoding.words());
        });
  }

  /** What the decoder is given, where it is read and which words come after that. */
  private record Decoding(Batch batch, Pass pass, Positions at, List<Long> following) {
    long[] words() {
      return following.stream().mapToLong(Long::longValue).toArray();
    }
  }

  private static Decoding decoding(
      Model model, List<TokenExample> examples, Batch batch, Pass pass) {
    int[][] at = new int[examples.size()][];
    List<Long> words = new ArrayList<>();
    List<Batch.Row> rows = new ArrayList<>();
    for (int i = 0; i < at.length; i++) {
      TokenExample example = examples.get(i);
      at[i] = example.foretelling();
      Arrays.stream(at[i]).forEach(token -> words.add((long) example.ids()[token + 1]));
      rows.add(Batch.Row.of(example.read()));
    }
    if (!model.isEncoderDecoder()) {
      return new Decoding(batch, pass, Positions.of(at, batch.layout()), words);
    }
    Batch answers = Batch.of(rows);
    Pass reading = pass.at(answers.layout()).reading(model.encode(batch, pass));
    return new Decoding(answers, reading, Positions.of(at, answers.layout()), words);
  }

  /**
   * How well a model foretells the learnt tokens of examples.
   *
   * @param patches what acts on the model
   * @throws DataException where there is no example
   */
  public LanguageScore score(Model model, List<TokenExample> examples, Patches patches) {
    if (examples.isEmpty()) {
      throw new DataException("found no examples to score, expected at least one");
    }
    List<TokenExample> order = new ArrayList<>(examples);
    order.sort(Comparator.comparingInt(TokenExample::length));
    double sum = 0;
    long hits = 0;
    long words = 0;
    int from = 0;
    while (from < order.size()) {
      int to = from;
      int tokens = 0;
      while (to < order.size() && (to == from || tokens + order.get(to).length() <= TOGETHER)) {
        tokens += order.get(to).length();
        to++;
      }
      WordScores part = scorePart(model, order.subList(from, to), patches);
      sum += part.logProbability();
      hits += part.hits();
      words += part.words();
      NativeHeap.trim(); // the next batch is of other lengths, and would leave this one's gaps
      from = to;
    }
    return new LanguageScore(-sum / words, (double) hits / words, words, examples.size());
  }

  private WordScores scorePart(Model model, List<TokenExample> examples, Patches patches) {
    return Gradients.none(
        () -> {
          try (Scope _ = Scope.open()) {
            Batch batch = Batch.of(examples.stream().map(this::row).toList());
            Pass pass = Pass.with(batch.layout(), patches);
            Decoding decoding = decoding(model, examples, batch, pass);
            return model.scoreNextWords(
                decoding.batch(), decoding.pass(), decoding.at(), decoding.words());
          }
        });
  }
}
