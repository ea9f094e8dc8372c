package io.trimtab.model.generate;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A continuation that is being made. */
final class Growing {
  private final int prompt;
  private final int sample;
  private final int most;
  private final Draws draws;
  private final Set<Integer> seen = new HashSet<>();
  private final Map<Integer, Integer> counts = new HashMap<>();
  private final List<Integer> tokens = new ArrayList<>();
  private final List<Double> logProbabilities = new ArrayList<>();
  private @Nullable End end;

  /**
   * A continuation.
   *
   * @param ids the prompt's tokens, which what is drawn goes by
   * @param opening what the decoder was given before it
   * @param most the largest number of tokens
   */
  Growing(int prompt, int sample, int[] ids, int[] opening, int most, long seed) {
    this.prompt = prompt;
    this.sample = sample;
    this.most = most;
    draws = Draws.of(seed, ids, sample);
    for (int id : opening) {
      seen.add(id);
    }
  }

  /** Chooses the next token from scores, which are changed. */
  int choose(float[] scores, GenerateOptions options, Set<Integer> endTokens) {
    if (tokens.size() < options.minTokens()) {
      Penalties.forbid(scores, endTokens);
    }
    int step = tokens.size();
    return options.sampling().choose(scores, seen, counts, draws.at(step));
  }

  /** Takes the token that was chosen. */
  void take(
      int token, double logProbability, Set<Integer> endTokens, TokenGenerator.Watcher watcher) {
    logProbabilities.add(logProbability);
    if (endTokens.contains(token)) {
      end = End.TOKEN;
      return;
    }
    tokens.add(token);
    seen.add(token);
    counts.merge(token, 1, Integer::sum);
    if (!watcher.token(prompt, sample, token)) {
      end = End.STOP;
    } else if (tokens.size() >= most) {
      end = End.LENGTH;
    }
  }

  int last() {
    return tokens.getLast();
  }

  boolean ended() {
    return end != null;
  }

  Sequence done() {
    End why = end;
    if (why == null) {
      throw new IllegalStateException("a continuation is done when it has ended");
    }
    return new Sequence(
        prompt, sample, tokens, Collections.unmodifiableList(logProbabilities), why);
  }
}
