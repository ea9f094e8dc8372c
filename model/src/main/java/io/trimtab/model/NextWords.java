package io.trimtab.model;

import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Gradients;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.Neural;
import io.trimtab.tensor.Reduction;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * How well vectors foretell words, with the scores of some vectors at a time: those of a thousand
 * tokens over fifty thousand words take 200 MB, and their softmax and its gradient as much again.
 *
 * <p>What is before the head is given the gradient of each part as soon as its scores are known, so
 * that no scores are kept for the backward pass and none are computed twice.
 */
final class NextWords {
  /** Scores in memory at a time: 16 million, 64 MB. */
  private static final long TOGETHER = 1L << 24;

  private NextWords() {}

  /** How well some vectors foretell words. */
  @FunctionalInterface
  interface Loss {
    /** The mean cross-entropy of vectors [n, hidden] and the word after each, a scalar. */
    Tensor of(Tensor rows, long[] words);
  }

  /** The loss of scores, from vectors [n, hidden] to F32 or F64 [n, vocabulary]. */
  static Loss of(UnaryOperator<Tensor> scores) {
    return (rows, words) -> Neural.crossEntropy(scores.apply(rows), expected(words, rows));
  }

  /** How many vectors' scores are computed at a time. */
  static int rows(long vocabulary) {
    return Math.clamp(TOGETHER / vocabulary, 1, Integer.MAX_VALUE);
  }

  /**
   * Mean cross-entropy, a scalar with a gradient to {@code hidden} alone.
   *
   * @param hidden [tokens, hidden], at least one token
   * @param words the word that comes after each
   * @param each the loss of some of the vectors; has nothing that is trained
   * @param together how many vectors it is given at a time
   */
  static Tensor meanLoss(Tensor hidden, long[] words, Loss each, int together) {
    return Scope.of(
        () -> {
          Tensor fixed = hidden.detach();
          List<Tensor> losses = new ArrayList<>();
          List<Tensor> gradients = new ArrayList<>();
          for (int from = 0; from < words.length; from += together) {
            try (Scope scope = Scope.open()) {
              long[] own = Arrays.copyOfRange(words, from, Math.min(words.length, from + together));
              Tensor rows = Gradients.variable(Indexing.slice(fixed, 0, from, own.length));
              Tensor mean = each.of(rows, own);
              Tensor loss = Arithmetic.multiply(mean, (double) own.length / words.length);
              Tensor one = Creation.full(1, loss.dtype(), loss.device(), loss.shape());
              gradients.addAll(
                  scope.keepAll(Gradients.of(List.of(loss), List.of(one), List.of(rows))));
              losses.add(scope.keep(loss.detach()));
            }
          }
          // A number that is zero whatever it is computed from, and whose gradient is the one that
          // is known: so it goes the usual way to what is before.
          Tensor zeros = AttentionKernel.wide(Arithmetic.subtract(hidden, fixed));
          Tensor gradient = AttentionKernel.wide(Indexing.concat(gradients, 0));
          Tensor sum = Reduction.sum(Arithmetic.multiply(zeros, gradient));
          for (Tensor loss : losses) {
            sum = Arithmetic.add(sum, loss);
          }
          return sum;
        });
  }

  /** The logarithmic probability of the words, and how many of them were the likeliest. */
  static WordScores score(Tensor hidden, long[] words, UnaryOperator<Tensor> scores, int together) {
    double sum = 0;
    int hits = 0;
    for (int from = 0; from < words.length; from += together) {
      try (Scope _ = Scope.open()) {
        long[] own = Arrays.copyOfRange(words, from, Math.min(words.length, from + together));
        Tensor all = scores.apply(Indexing.slice(hidden, 0, from, own.length));
        Tensor at = expected(own, hidden).reshape(own.length, 1);
        Tensor found = Indexing.gather(Neural.logSoftmax(all, 1), 1, at);
        sum += Reduction.sum(found.to(DType.F64)).item();
        long[] best = Reduction.argMax(all, 1).toLongs();
        for (int i = 0; i < own.length; i++) {
          hits += best[i] == own[i] ? 1 : 0;
        }
      }
    }
    return new WordScores(sum, hits, words.length);
  }

  private static Tensor expected(long[] words, Tensor hidden) {
    return Creation.longs(words, words.length).to(hidden.device());
  }
}
