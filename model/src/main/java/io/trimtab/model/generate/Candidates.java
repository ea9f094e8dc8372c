package io.trimtab.model.generate;

import java.util.Arrays;
import java.util.Comparator;
import java.util.PriorityQueue;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;

/**
 * Tokens that may come next, by rising number, with their scores: logarithms of probabilities up to
 * a constant. Each filter gives new ones and leaves at least one.
 */
@SuppressWarnings("ArrayRecordComponent") // never written, and never compared
record Candidates(int[] tokens, double[] scores) {

  /** All tokens whose scores are not negative infinity. */
  static Candidates of(float[] scores) {
    int[] tokens = new int[scores.length];
    double[] kept = new double[scores.length];
    int count = 0;
    for (int token = 0; token < scores.length; token++) {
      float score = scores[token];
      if (Float.isNaN(score) || score == Float.POSITIVE_INFINITY) {
        throw new GenerateException(
            "found the score "
                + score
                + " of token "
                + token
                + ", expected a finite number; the"
                + " model overflows: try another dtype");
      }
      if (score != Float.NEGATIVE_INFINITY) {
        tokens[count] = token;
        kept[count++] = score;
      }
    }
    if (count == 0) {
      throw new GenerateException(
          "found every token forbidden, expected one at least that may come; loosen the bias");
    }
    return count == scores.length
        ? new Candidates(tokens, kept)
        : new Candidates(Arrays.copyOf(tokens, count), Arrays.copyOf(kept, count));
  }

  int size() {
    return tokens.length;
  }

  /** The token of the best score, the first of several. */
  int best() {
    int best = 0;
    for (int i = 1; i < scores.length; i++) {
      if (scores[i] > scores[best]) {
        best = i;
      }
    }
    return tokens[best];
  }

  /** The same with scores divided by {@code temperature}, above 0. */
  Candidates temperature(double temperature) {
    return temperature == 1
        ? this
        : new Candidates(tokens, Arrays.stream(scores).map(score -> score / temperature).toArray());
  }

  /** The {@code k} best and all that are as good as the last of these; all for k = 0. */
  Candidates topK(int k) {
    if (k == 0 || k >= size()) {
      return this;
    }
    PriorityQueue<Double> best = new PriorityQueue<>(k + 1);
    double least = Double.NEGATIVE_INFINITY;
    for (double score : scores) {
      if (best.size() < k || score > least) {
        best.add(score);
        if (best.size() > k) {
          best.remove();
        }
        least = best.element();
      }
    }
    double last = least;
    return keep(i -> scores[i] >= last);
  }

  /** The fewest whose probabilities sum up to {@code mass}, the best first. */
  Candidates topP(double mass) {
    if (mass >= 1) {
      return this;
    }
    double[] own = probabilities();
    double[] sorted = largest(own, mass);
    double sum = 0;
    int last = sorted.length;
    while (last > 0 && sum < mass) {
      sum += sorted[--last];
    }
    double least = sorted[last];
    // Of equally likely ones at the edge, those of the lowest numbers.
    int equal = 0;
    for (int i = last; i < sorted.length && sorted[i] == least; i++) {
      equal++;
    }
    int[] room = {equal};
    return keep(i -> own[i] > least || (own[i] == least && room[0]-- > 0));
  }

  /**
   * So many of the largest values, by rising size, that they sum up to {@code mass}; all where that
   * is not reached. A few words of a vocabulary mostly do, and sorting all takes milliseconds.
   */
  private static double[] largest(double[] values, double mass) {
    double least = Arrays.stream(values).max().orElseThrow();
    double[] large;
    do {
      least = least < 1e-12 ? 0 : least / 64;
      double from = least;
      large = Arrays.stream(values).filter(value -> value >= from).toArray();
    } while (large.length < values.length && Arrays.stream(large).sum() < mass * (1 + 1e-9));
    Arrays.sort(large);
    return large;
  }

  /** Those of at least this part of the best one's probability. */
  Candidates minP(double part) {
    if (part <= 0) {
      return this;
    }
    double least = Arrays.stream(scores).max().orElseThrow() + Math.log(part);
    return keep(i -> scores[i] >= least);
  }

  /**
   * The fewest whose probabilities sum up to {@code mass}, those first whose information -ln p is
   * nearest to the entropy; and all that are as near as the last of these.
   */
  Candidates typical(double mass) {
    if (mass >= 1) {
      return this;
    }
    double[] own = probabilities();
    double entropy = 0;
    for (double p : own) {
      entropy -= p > 0 ? p * Math.log(p) : 0;
    }
    double expected = entropy;
    double[] distance = Arrays.stream(own).map(p -> Math.abs(-Math.log(p) - expected)).toArray();
    int[] order =
        IntStream.range(0, own.length)
            .boxed()
            .sorted(Comparator.comparingDouble(i -> distance[i]))
            .mapToInt(Integer::intValue)
            .toArray();
    double sum = own[order[0]];
    int last = 0;
    while (sum < mass && last < order.length - 1) {
      sum += own[order[++last]];
    }
    double farthest = distance[order[last]];
    return keep(i -> distance[i] <= farthest);
  }

  /** Their probabilities among themselves. */
  double[] probabilities() {
    double[] weights = weights();
    double total = Arrays.stream(weights).sum();
    for (int i = 0; i < weights.length; i++) {
      weights[i] /= total;
    }
    return weights;
  }

  /** The token at {@code at}, in [0, 1), when their probabilities lie one after the other. */
  int draw(double at) {
    double[] weights = weights();
    double left = at * Arrays.stream(weights).sum();
    int chosen = 0;
    for (int i = 0; i < weights.length; i++) {
      if (weights[i] > 0) {
        chosen = i;
        left -= weights[i];
        if (left < 0) {
          break;
        }
      }
    }
    return tokens[chosen];
  }

  /** Their probabilities, the best one's being 1. */
  private double[] weights() {
    double best = Arrays.stream(scores).max().orElseThrow();
    double[] weights = new double[scores.length];
    for (int i = 0; i < weights.length; i++) {
      weights[i] = Math.exp(scores[i] - best);
    }
    return weights;
  }

  private Candidates keep(IntPredicate kept) {
    int[] places = IntStream.range(0, size()).filter(kept).toArray();
    return new Candidates(
        IntStream.of(places).map(i -> tokens[i]).toArray(),
        IntStream.of(places).mapToDouble(i -> scores[i]).toArray());
  }
}
