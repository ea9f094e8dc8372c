package io.trimtab.model.generate;

import io.trimtab.model.Batch;
import io.trimtab.model.KeyValueCache;
import io.trimtab.model.Model;
import io.trimtab.model.Pass;
import io.trimtab.model.Patches;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Gradients;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.Neural;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Goes on with token sequences. Immutable; several threads may share one.
 *
 * <p>Which tokens a sample gets is fixed by the seed, the prompt's tokens and the sample's number:
 * how many others are made beside it changes no random number. (The model's scores may differ in
 * their last digits between batches of different size; two tokens that are this close to each other
 * can then change places.)
 */
public final class TokenGenerator {
  /** Is told of every token but those that end texts. */
  @FunctionalInterface
  public interface Watcher {
    /** Whether to go on after this token. */
    boolean token(int prompt, int sample, int token);
  }

  private final Model model;
  private final Patches patches;
  private final Openings openings;

  private TokenGenerator(Model model, Patches patches) {
    this.model = model;
    this.patches = patches;
    this.openings = new Openings(model, patches);
  }

  /** Goes on as the plain model does. */
  public static TokenGenerator of(Model model) {
    return new TokenGenerator(model, Patches.NONE);
  }

  /** Goes on as the model does under these patches. */
  public TokenGenerator with(Patches acting) {
    return new TokenGenerator(model, acting);
  }

  /** Goes on with every prompt. */
  public List<Sequence> generate(List<int[]> prompts, GenerateOptions options) {
    return generate(prompts, options, (_, _, _) -> true);
  }

  /**
   * Goes on with every prompt.
   *
   * @param prompts tokens, at least one each; those that the encoder of an encoder-decoder reads
   * @param options how; texts to stop at are for {@link Generator}
   * @return the samples of the first prompt in their order, then those of the second, and so on
   * @throws GenerateException where a prompt is empty or fills all of the model's positions
   */
  public List<Sequence> generate(List<int[]> prompts, GenerateOptions options, Watcher watcher) {
    GenerateException.check(
        options.stop().isEmpty(), "stop", options.stop(), "none with token numbers; use Generator");
    return run(prompts, options, watcher);
  }

  /**
   * Goes on with one prompt whose beginning has gone through the model before.
   *
   * @param prompt all of its tokens
   * @param known how many of them the cache holds, fewer than all
   * @param cache then holds the prompt and all that was made but the last token
   */
  Sequence continued(
      int[] prompt, int known, KeyValueCache cache, GenerateOptions options, Watcher watcher) {
    Set<Integer> ends = options.endTokens().orElseGet(() -> Limits.endTokens(model.config()));
    int most = Limits.room(model, patches, prompt, options.maxTokens());
    Growing row = new Growing(0, 0, prompt, prompt, most, options.seed());
    Run run = new Run(options, ends, watcher);
    return Gradients.none(
        () -> {
          run.one(Arrays.copyOfRange(prompt, known, prompt.length), cache, row);
          return row.done();
        });
  }

  /** The same for whoever takes care of the texts to stop at. */
  List<Sequence> run(List<int[]> prompts, GenerateOptions options, Watcher watcher) {
    Set<Integer> ends = options.endTokens().orElseGet(() -> Limits.endTokens(model.config()));
    List<List<Growing>> all = new ArrayList<>();
    for (int prompt = 0; prompt < prompts.size(); prompt++) {
      int[] ids = prompts.get(prompt);
      int most = Limits.room(model, patches, ids, options.maxTokens());
      List<Growing> samples = new ArrayList<>();
      for (int sample = 0; sample < options.samples(); sample++) {
        samples.add(new Growing(prompt, sample, ids, openings.of(ids), most, options.seed()));
      }
      all.add(samples);
    }
    Run run = new Run(options, ends, watcher);
    // Rows of equal length side by side are computed as one.
    int[] order =
        IntStream.range(0, prompts.size())
            .boxed()
            .sorted(Comparator.comparingInt(prompt -> prompts.get(prompt).length))
            .mapToInt(Integer::intValue)
            .toArray();
    int together = Math.max(1, options.batch() / options.samples());
    for (int first = 0; first < order.length; first += together) {
      int[] now = Arrays.copyOfRange(order, first, Math.min(order.length, first + together));
      Gradients.none(
          () -> {
            run.prompts(
                Arrays.stream(now).mapToObj(prompts::get).toList(),
                Arrays.stream(now).mapToObj(all::get).toList());
            return now;
          });
    }
    return all.stream().flatMap(List::stream).map(Growing::done).toList();
  }

  /** One use. */
  private final class Run {
    private final GenerateOptions options;
    private final Set<Integer> ends;
    private final Watcher watcher;

    Run(GenerateOptions options, Set<Integer> ends, Watcher watcher) {
      this.options = options;
      this.ends = ends;
      this.watcher = watcher;
    }

    /** Goes on with prompts, each with its samples: all at once, or one prompt's in parts. */
    void prompts(List<int[]> prompts, List<List<Growing>> samples) {
      try (Scope _ = Scope.open();
          KeyValueCache cache = new KeyValueCache()) {
        Batch begun = Openings.batch(prompts.stream().map(openings::of).toList());
        Tensor logits = next(begun, openings.pass(begun, prompts), cache);
        int count = options.samples();
        int part = Math.min(count, Math.max(1, options.batch() / prompts.size()));
        for (int first = 0; first < count; first += part) {
          int from = first;
          int until = Math.min(count, first + part);
          List<Growing> rows =
              samples.stream().flatMap(own -> own.subList(from, until).stream()).toList();
          choose(logits, rows);
          // One sample a prompt goes on where its prompt is kept.
          grow(count == 1 ? cache : cache.fork(until - from), rows);
        }
      }
    }

    /** Goes on until all rows have ended; closes the cache. */
    private void grow(KeyValueCache begun, List<Growing> begunRows) {
      KeyValueCache cache = begun;
      List<Growing> rows = begunRows;
      try {
        while (true) {
          List<Growing> current = rows;
          int[] open =
              IntStream.range(0, current.size()).filter(i -> !current.get(i).ended()).toArray();
          if (open.length == 0) {
            return;
          }
          if (open.length < rows.size()) {
            KeyValueCache fewer = cache.select(open);
            cache.close();
            cache = fewer;
            rows = Arrays.stream(open).mapToObj(current::get).toList();
          }
          try (Scope _ = Scope.open()) {
            choose(next(rows.stream().map(row -> new int[] {row.last()}).toList(), cache), rows);
          }
        }
      } finally {
        cache.close();
      }
    }

    /** Goes on with one row until it has ended; leaves the cache open. */
    void one(int[] tokens, KeyValueCache cache, Growing row) {
      int[] fresh = tokens;
      while (!row.ended()) {
        try (Scope _ = Scope.open()) {
          choose(next(List.of(fresh), cache), List.of(row));
        }
        fresh = row.ended() ? fresh : new int[] {row.last()};
      }
    }

    private Tensor next(List<int[]> tokens, KeyValueCache cache) {
      Batch batch = Openings.batch(tokens);
      return next(batch, Pass.with(batch.layout(), patches), cache);
    }

    private Tensor next(Batch batch, Pass pass, KeyValueCache cache) {
      return model.nextLogits(batch, pass.caching(cache), null);
    }

    /** Chooses a token a row; equally many rows side by side share a row of scores. */
    private void choose(Tensor logits, List<Growing> rows) {
      int vocabulary = (int) logits.size(1);
      int scored = (int) logits.size(0);
      int each = rows.size() / scored;
      float[] all = logits.to(DType.F32).toFloats();
      long[] chosen = new long[rows.size()];
      for (int row = 0; row < chosen.length; row++) {
        int start = row / each * vocabulary;
        float[] own = Arrays.copyOfRange(all, start, start + vocabulary);
        chosen[row] = rows.get(row).choose(own, options, ends);
      }
      Tensor at = Creation.longs(chosen, scored, each).to(logits.device());
      float[] likely = Indexing.gather(Neural.logSoftmax(logits, -1), 1, at).toFloats();
      for (int row = 0; row < chosen.length; row++) {
        rows.get(row).take((int) chosen[row], likely[row], ends, watcher);
      }
    }
  }
}
