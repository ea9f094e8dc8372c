package io.trimtab.model.generate;

import io.trimtab.model.Batch;
import io.trimtab.model.KeyValueCache;
import io.trimtab.model.LanguageModel;
import io.trimtab.model.Model;
import io.trimtab.model.Pass;
import io.trimtab.model.Patches;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Gradients;
import io.trimtab.tensor.Neural;
import io.trimtab.tensor.Reduction;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;

/**
 * Looks for the likeliest continuation of a prompt: at each step the best of all continuations by
 * one token are kept. A text that ends competes by its logarithmic probability divided by a power
 * of its length; the search is over when no open text can beat as many ended ones as there are
 * beams any more, judged by what it has now. Immutable.
 */
public final class BeamSearch {
  private final Model model;
  private final Patches patches;
  private final Openings openings;

  private BeamSearch(Model model, Patches patches) {
    this.model = model;
    this.patches = patches;
    this.openings = new Openings(model, patches);
  }

  /** Searches with the plain model. */
  public static BeamSearch of(Model model) {
    return new BeamSearch(model, Patches.NONE);
  }

  /** Searches with the model under these patches. */
  public BeamSearch with(Patches acting) {
    return new BeamSearch(model, acting);
  }

  /** A text that is gone on with, or has ended. */
  private record Beam(int parent, List<Integer> tokens, List<Double> likely, double sum, End end) {
    static final Beam EMPTY = new Beam(0, List.of(), List.of(), 0, End.LENGTH);

    Beam and(int row, int token, double logProbability, boolean ends) {
      List<Integer> longer = new ArrayList<>(tokens);
      if (!ends) {
        longer.add(token);
      }
      List<Double> each = new ArrayList<>(likely);
      each.add(logProbability);
      return new Beam(row, longer, each, sum + logProbability, ends ? End.TOKEN : End.LENGTH);
    }

    double score(double penalty) {
      return sum / Math.pow(likely.size(), penalty);
    }
  }

  /**
   * Searches.
   *
   * @param prompt tokens, at least one; those that the encoder of an encoder-decoder reads
   * @return the best texts, as many as there are beams, the best first; numbered as samples
   * @throws GenerateException where the prompt is empty or fills all of the model's positions, or
   *     the model gives scores that are no numbers
   */
  public List<Sequence> search(int[] prompt, BeamOptions options) {
    Set<Integer> ends = options.endTokens().orElseGet(() -> Limits.endTokens(model.config()));
    return search(prompt, options, ends);
  }

  /** Searches from a text; the tokens that end one are those of the tokenizer too. */
  public static List<Generated> search(
      LanguageModel model, Patches acting, String prompt, BeamOptions options) {
    Set<Integer> ends = options.endTokens().orElseGet(() -> Texts.endTokens(model));
    return of(model.model()).with(acting).search(Texts.open(model, prompt), options, ends).stream()
        .map(
            found -> {
              int[] ids = found.tokens().stream().mapToInt(Integer::intValue).toArray();
              Transcript text = new Transcript(model.tokenizer(), List.of());
              for (int id : ids) {
                text.add(id);
              }
              text.rest();
              return new Generated(text.text(), found);
            })
        .toList();
  }

  private List<Sequence> search(int[] prompt, BeamOptions options, Set<Integer> ends) {
    int most = Limits.room(model, patches, prompt, options.maxTokens());
    Comparator<Beam> better =
        Comparator.<Beam>comparingDouble(beam -> beam.score(options.lengthPenalty())).reversed();
    List<Beam> ended = new ArrayList<>();
    List<Beam> open = List.of(Beam.EMPTY);
    KeyValueCache cache = new KeyValueCache();
    try {
      for (int step = 0; step < most && !over(open, ended, options); step++) {
        KeyValueCache now = cache;
        List<Beam> before = open;
        Set<Integer> forbidden = step < options.minTokens() ? ends : Set.of();
        List<Beam> best =
            Gradients.none(() -> grown(prompt, before, now, options.beams(), forbidden, ends));
        List<Beam> next = new ArrayList<>();
        for (int rank = 0; rank < best.size() && next.size() < options.beams(); rank++) {
          Beam beam = best.get(rank);
          if (beam.end() == End.LENGTH) {
            next.add(beam);
          } else if (rank < options.beams()) {
            ended.add(beam);
          }
        }
        ended.sort(better);
        ended.subList(Math.min(ended.size(), options.beams()), ended.size()).clear();
        open = next;
        if (open.isEmpty()) {
          break;
        }
        KeyValueCache moved = cache.select(open.stream().mapToInt(Beam::parent).toArray());
        cache.close();
        cache = moved;
      }
    } finally {
      cache.close();
    }
    if (!over(open, ended, options)) {
      ended.addAll(open);
      ended.sort(better);
    }
    List<Sequence> found = new ArrayList<>();
    for (int i = 0; i < Math.min(ended.size(), options.beams()); i++) {
      Beam beam = ended.get(i);
      found.add(new Sequence(0, i, beam.tokens(), beam.likely(), beam.end()));
    }
    return found;
  }

  /** Whether the open texts cannot get among the ended ones any more. */
  private static boolean over(List<Beam> open, List<Beam> ended, BeamOptions options) {
    return ended.size() >= options.beams()
        && open.stream()
            .allMatch(
                beam ->
                    !beam.likely().isEmpty()
                        && beam.score(options.lengthPenalty())
                            <= ended.getLast().score(options.lengthPenalty()));
  }

  /** The best continuations by one token: twice as many as beams, since some may end. */
  private List<Beam> grown(
      int[] prompt,
      List<Beam> beams,
      KeyValueCache cache,
      int count,
      Set<Integer> forbidden,
      Set<Integer> ends) {
    try (Scope _ = Scope.open()) {
      boolean first = cache.rows() == 0;
      List<int[]> rows =
          first
              ? List.of(openings.of(prompt))
              : beams.stream().map(beam -> new int[] {beam.tokens().getLast()}).toList();
      Batch batch = Openings.batch(rows);
      Pass pass =
          first ? openings.pass(batch, List.of(prompt)) : Pass.with(batch.layout(), patches);
      Tensor logits = model.nextLogits(batch, pass.caching(cache), null);
      Tensor likely = Neural.logSoftmax(logits.to(DType.F32), -1);
      int vocabulary = (int) likely.size(1);
      // So many that twice the beams are left when the forbidden ones are out.
      int top = Math.min(vocabulary, 2 * count + forbidden.size());
      Reduction.Top best = Reduction.top(likely, top);
      float[] values = best.values().toFloats();
      long[] tokens = best.indices().toLongs();
      List<Beam> all = new ArrayList<>();
      for (int i = 0; i < values.length; i++) {
        int token = (int) tokens[i];
        GenerateException.checkNumber(values[i]);
        if (!forbidden.contains(token)) {
          int row = i / top;
          all.add(beams.get(row).and(row, token, values[i], ends.contains(token)));
        }
      }
      all.sort(Comparator.comparingDouble(Beam::sum).reversed());
      return List.copyOf(all.subList(0, Math.min(all.size(), 2 * count)));
    }
  }
}
