package io.trimtab.model.generate;

import io.trimtab.model.Batch;
import io.trimtab.model.KeyValueCache;
import io.trimtab.model.Model;
import io.trimtab.model.Pass;
import io.trimtab.model.Patches;
import io.trimtab.tensor.Gradients;
import io.trimtab.tensor.Neural;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.util.List;

/**
 * How many tokens a second a decoder takes in and puts out, as llama.cpp's {@code llama-bench}
 * measures it: given tokens, and nothing is chosen from the scores.
 */
public final class Throughput {
  private final Model model;
  private final Patches patches;

  private Throughput(Model model, Patches patches) {
    this.model = model;
    this.patches = patches;
  }

  /** Of the model under these patches. */
  public static Throughput of(Model model, Patches patches) {
    return new Throughput(model, patches);
  }

  /**
   * The token that stands at a place of every measured text: arbitrary, and easily said elsewhere.
   * The first and last 100 of a large vocabulary, among which are control tokens, are left out.
   */
  public static int token(int place, int vocabulary) {
    int spared = vocabulary > 1000 ? 100 : 0;
    return spared + (int) (place * 7919L % (vocabulary - 2 * spared));
  }

  /** Seconds from a text of so many tokens to the scores of the next one, from an empty cache. */
  public double prefillSeconds(int tokens) {
    int[] ids = ids(0, tokens);
    try (Scope _ = Scope.open();
        KeyValueCache cache = new KeyValueCache()) {
      long start = System.nanoTime();
      scores(cache, ids);
      return (System.nanoTime() - start) / 1e9;
    }
  }

  /**
   * Seconds for so many tokens one after the other, each until its scores are there.
   *
   * @param depth how many tokens the cache holds before the first of them, at least 1
   */
  public double decodeSeconds(int tokens, int depth) {
    try (Scope _ = Scope.open();
        KeyValueCache cache = new KeyValueCache()) {
      scores(cache, ids(0, depth));
      int[] ids = ids(depth, tokens);
      long start = System.nanoTime();
      for (int id : ids) {
        try (Scope _ = Scope.open()) {
          scores(cache, id);
        }
      }
      return (System.nanoTime() - start) / 1e9;
    }
  }

  /**
   * Logarithmic probabilities of some tokens after a text of so many, of which the last {@code
   * alone} were taken in one by one: what others are to come to as well.
   */
  public double[] logProbabilities(int tokens, int alone, List<Integer> of) {
    try (Scope _ = Scope.open();
        KeyValueCache cache = new KeyValueCache()) {
      Tensor last = scores(cache, ids(0, tokens - alone));
      for (int id : ids(tokens - alone, alone)) {
        last = scores(cache, id);
      }
      float[] all = Neural.logSoftmax(last, -1).toFloats();
      return of.stream().mapToDouble(id -> all[id]).toArray();
    }
  }

  private int[] ids(int first, int count) {
    int vocabulary = model.stack().embeddings().words().rows();
    int[] ids = new int[count];
    for (int i = 0; i < count; i++) {
      ids[i] = token(first + i, vocabulary);
    }
    return ids;
  }

  private Tensor scores(KeyValueCache cache, int... ids) {
    Batch batch = Batch.of(List.of(Batch.Row.of(ids)));
    Pass pass = Pass.with(batch.layout(), patches).caching(cache);
    return Gradients.none(() -> model.nextLogits(batch, pass, null));
  }
}
