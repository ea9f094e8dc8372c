package io.trimtab.model.generate;

import io.trimtab.hub.Encoding;
import io.trimtab.model.Batch;
import io.trimtab.model.KeyValueCache;
import io.trimtab.model.LanguageModel;
import io.trimtab.model.Layout;
import io.trimtab.model.Model;
import io.trimtab.model.Pass;
import io.trimtab.model.Patches;
import io.trimtab.model.Positions;
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
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;

/**
 * How likely a model finds continuations of prompts. A prompt with several continuations goes
 * through the model once; scores are computed at the tokens alone that foretell a continuation's.
 * Immutable; several threads may share one.
 */
public final class Scorer {
  /** Tokens that go through the model together, which bounds the memory of their scores. */
  private static final int TOGETHER = 512;

  private final Model model;
  private final Patches patches;
  private final Openings openings;

  private Scorer(Model model, Patches patches) {
    this.model = model;
    this.patches = patches;
    this.openings = new Openings(model, patches);
  }

  /** Scores as the plain model does. */
  public static Scorer of(Model model) {
    return new Scorer(model, Patches.NONE);
  }

  /** Scores as the model does under these patches. */
  public Scorer with(Patches acting) {
    return new Scorer(model, acting);
  }

  /**
   * Tokens, and those that may come after them.
   *
   * @param prompt tokens, at least one; those that the encoder of an encoder-decoder reads
   * @param continuation tokens, at least one
   */
  @SuppressWarnings("ArrayRecordComponent") // read-only by contract, and never compared
  public record Pair(int[] prompt, int[] continuation) {
    /** Checks that there are tokens. */
    public Pair {
      if (prompt.length == 0 || continuation.length == 0) {
        throw new GenerateException(
            "found a prompt of "
                + prompt.length
                + " and a continuation of "
                + continuation.length
                + " tokens, expected at least one each");
      }
    }

    /**
     * Two texts, encoded as one: a token across the border belongs to the continuation. For an
     * encoder-decoder they are encoded one by one, and what a tokenizer puts behind the second is
     * left out.
     *
     * @throws GenerateException where the continuation has no token of its own
     */
    public static Pair of(LanguageModel model, String prompt, String continuation) {
      if (model.model().isEncoderDecoder()) {
        return new Pair(Texts.open(model, prompt), Texts.target(model, continuation));
      }
      Encoding encoding = model.tokenizer().encode(prompt + continuation);
      int[] ids = Arrays.copyOf(encoding.ids(), Texts.length(encoding));
      int border = 0;
      while (border < ids.length
          && (encoding.isSpecial(border) || encoding.end(border) <= prompt.length())) {
        border++;
      }
      int[] before = Arrays.copyOf(ids, border);
      return new Pair(
          before.length == 0 ? new int[] {Texts.begin(model)} : before,
          Arrays.copyOfRange(ids, border, ids.length));
    }
  }

  /**
   * The score of a continuation.
   *
   * @param logProbabilities of each of its tokens, given all before
   * @param greedy whether each of its tokens is the model's best
   */
  public record Score(List<Double> logProbabilities, boolean greedy) {
    /** Copies the list. */
    public Score {
      logProbabilities = List.copyOf(logProbabilities);
    }

    /** The logarithmic probability of the whole. */
    public double logProbability() {
      return logProbabilities.stream().mapToDouble(Double::doubleValue).sum();
    }

    Score and(Score more) {
      List<Double> all = new ArrayList<>(logProbabilities);
      all.addAll(more.logProbabilities);
      return new Score(all, greedy && more.greedy);
    }
  }

  /**
   * Scores continuations, in the order given.
   *
   * @throws GenerateException where one needs more positions than the model has, or the model gives
   *     scores that are no numbers
   */
  public List<Score> score(List<Pair> pairs) {
    pairs.forEach(pair -> Limits.checkRoom(model, patches, pair));
    Map<List<Integer>, List<Integer>> byPrompt = new LinkedHashMap<>();
    for (int i = 0; i < pairs.size(); i++) {
      List<Integer> prompt = Arrays.stream(pairs.get(i).prompt()).boxed().toList();
      byPrompt.computeIfAbsent(prompt, _ -> new ArrayList<>()).add(i);
    }
    Score[] scores = new Score[pairs.size()];
    List<Integer> alone = new ArrayList<>();
    Gradients.none(
        () -> {
          for (List<Integer> same : byPrompt.values()) {
            if (same.size() == 1) {
              alone.add(same.getFirst());
            } else {
              shared(pairs, same, scores);
            }
          }
          alone(pairs, alone, scores);
          return scores;
        });
    return List.of(scores);
  }

  /** Prompts with one continuation each, packed; those of about the same length together. */
  private void alone(List<Pair> pairs, List<Integer> which, Score[] into) {
    which.sort(
        Comparator.comparingInt(
            i -> pairs.get(i).prompt().length + pairs.get(i).continuation().length));
    for (List<Integer> some : parts(which, i -> length(pairs.get(i)))) {
      try (Scope _ = Scope.open()) {
        List<int[]> rows = new ArrayList<>();
        List<int[]> words = new ArrayList<>();
        List<int[]> prompts = new ArrayList<>();
        for (int i : some) {
          Pair pair = pairs.get(i);
          int[] opening = openings.of(pair.prompt());
          rows.add(joined(opening, pair.continuation(), pair.continuation().length - 1));
          words.add(pair.continuation());
          prompts.add(pair.prompt());
        }
        Batch batch = Openings.batch(rows);
        put(scores(batch, openings.pass(batch, prompts), words), some, into);
      }
    }
  }

  /** Continuations of one prompt: it first, then all of them from what has been kept of it. */
  private void shared(List<Pair> pairs, List<Integer> which, Score[] into) {
    try (Scope _ = Scope.open();
        KeyValueCache cache = new KeyValueCache()) {
      int[] prompt = pairs.get(which.getFirst()).prompt();
      Batch opening = Openings.batch(List.of(openings.of(prompt)));
      Pass pass = openings.pass(opening, List.of(prompt)).caching(cache);
      Tensor logits = model.nextLogits(opening, pass, null);
      List<Integer> longer = new ArrayList<>();
      for (int i : which) {
        int[] continuation = pairs.get(i).continuation();
        into[i] = read(logits, List.of(new int[] {continuation[0]})).getFirst();
        if (continuation.length > 1) {
          longer.add(i);
        }
      }
      longer.sort(Comparator.comparingInt(i -> pairs.get(i).continuation().length));
      for (List<Integer> some : parts(longer, i -> pairs.get(i).continuation().length)) {
        try (Scope _ = Scope.open();
            KeyValueCache fork = cache.fork(some.size())) {
          List<int[]> rows = new ArrayList<>();
          List<int[]> words = new ArrayList<>();
          for (int i : some) {
            int[] continuation = pairs.get(i).continuation();
            rows.add(Arrays.copyOf(continuation, continuation.length - 1));
            words.add(Arrays.copyOfRange(continuation, 1, continuation.length));
          }
          Batch batch = Openings.batch(rows);
          Pass further = Pass.with(batch.layout(), patches).caching(fork);
          List<Score> rest = scores(batch, further, words);
          for (int i = 0; i < rest.size(); i++) {
            into[some.get(i)] = into[some.get(i)].and(rest.get(i));
          }
        }
      }
    }
  }

  /** The scores of words that each row's last tokens foretell. */
  private List<Score> scores(Batch batch, Pass pass, List<int[]> words) {
    Layout layout = batch.layout();
    int[][] at = new int[layout.rows()][];
    Arrays.setAll(
        at,
        row ->
            IntStream.range(layout.length(row) - words.get(row).length, layout.length(row))
                .toArray());
    return read(model.causalLogits(batch, pass, Positions.of(at, layout), null), words);
  }

  /** The scores of words, one a row of the logits. */
  private static List<Score> read(Tensor logits, List<int[]> words) {
    long[] ids = words.stream().flatMapToInt(Arrays::stream).asLongStream().toArray();
    float[] found;
    long[] best;
    try (Scope _ = Scope.open()) { // a prompt may have thousands of continuations
      Tensor likely = Neural.logSoftmax(logits.to(DType.F32), -1);
      best = Reduction.argMax(likely, 1).toLongs();
      // The largest is no number if any is none.
      for (float each : gathered(likely, best)) {
        GenerateException.checkNumber(each);
      }
      found = gathered(likely, ids);
    }
    List<Score> scores = new ArrayList<>();
    int next = 0;
    for (int[] own : words) {
      List<Double> each = new ArrayList<>();
      boolean greedy = true;
      for (int id : own) {
        each.add((double) found[next]);
        greedy &= best[next] == id;
        next++;
      }
      scores.add(new Score(each, greedy));
    }
    return scores;
  }

  /** One element of each row. */
  private static float[] gathered(Tensor rows, long[] at) {
    Tensor columns = Creation.longs(at, at.length, 1).to(rows.device());
    return Indexing.gather(rows, 1, columns).toFloats();
  }

  private static void put(List<Score> found, List<Integer> which, Score[] into) {
    for (int i = 0; i < found.size(); i++) {
      into[which.get(i)] = found.get(i);
    }
  }

  private static int length(Pair pair) {
    return pair.prompt().length + pair.continuation().length;
  }

  private static int[] joined(int[] first, int[] second, int ofSecond) {
    int[] all = Arrays.copyOf(first, first.length + ofSecond);
    System.arraycopy(second, 0, all, first.length, ofSecond);
    return all;
  }

  private static List<List<Integer>> parts(List<Integer> which, IntUnaryOperator length) {
    List<List<Integer>> parts = new ArrayList<>();
    int filled = TOGETHER;
    for (int i : which) {
      int more = length.applyAsInt(i);
      if (filled + more > TOGETHER) {
        parts.add(new ArrayList<>());
        filled = 0;
      }
      parts.getLast().add(i);
      filled += more;
    }
    return parts;
  }
}
