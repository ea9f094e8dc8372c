package io.trimtab.model.generate;

import io.trimtab.hub.Encoding;
import io.trimtab.model.LanguageModel;
import io.trimtab.model.Model;
import io.trimtab.model.Patches;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalDouble;
import java.util.function.IntConsumer;

/**
 * How well a model foretells a text, every token but the first from those before it in a window.
 *
 * @param logProbability of all foretold tokens
 * @param tokens how many there are
 * @param bytes in UTF-8 of what the foretold tokens stand for: the whole text, but for its first
 *     token where none goes before it; 0 where only the tokens are known
 */
public record Perplexity(double logProbability, int tokens, long bytes) {
  private static final int USUAL_WINDOW = 1024;

  /**
   * A window that slides over the text.
   *
   * @param size tokens that the model sees at once
   * @param stride by how many it moves: each token is foretold from at least size - stride tokens,
   *     but for the first ones
   */
  public record Window(int size, int stride) {
    /** Checks that each token has one before it. */
    public Window {
      GenerateException.check(size >= 2, "a window", size, "at least 2 tokens");
      GenerateException.check(
          stride >= 1 && stride < size, "a stride", stride, "1 to " + (size - 1) + " tokens");
    }

    /** All that the model has positions for, up to 1024 tokens, which moves by a half. */
    public static Window of(Model model) {
      return of(model, Patches.NONE);
    }

    /** The same beside the vectors that patches put into every row, such as a soft prompt. */
    public static Window of(Model model, Patches acting) {
      int size = Math.min(USUAL_WINDOW, Limits.positions(model, acting).orElse(USUAL_WINDOW));
      return new Window(size, size / 2);
    }
  }

  /** exp(-mean logarithmic probability of a token). */
  public double value() {
    return Math.exp(-logProbability / tokens);
  }

  /** Bits that the model needs for a byte of the text, which does not depend on its tokens. */
  public OptionalDouble bitsPerByte() {
    return bytes == 0
        ? OptionalDouble.empty()
        : OptionalDouble.of(-logProbability / Math.log(2) / bytes);
  }

  /** Measures a text. */
  public static Perplexity of(
      LanguageModel model, Patches acting, String text, Window window, IntConsumer progress) {
    Perplexity plain = of(model.model(), acting, Texts.open(model, text), window, progress);
    Encoding encoding = model.tokenizer().encode(text);
    // Where no token begins the text, its own first one is foretold from nothing, and not counted.
    int first = encoding.isSpecial(0) ? 0 : encoding.end(0);
    long bytes = text.substring(first).getBytes(StandardCharsets.UTF_8).length;
    return new Perplexity(plain.logProbability(), plain.tokens(), bytes);
  }

  /**
   * Measures tokens.
   *
   * @param progress is told how many tokens have been foretold
   * @throws GenerateException for fewer than two tokens, a window that is larger than the model has
   *     positions, scores that are no numbers, or an encoder-decoder
   */
  public static Perplexity of(
      Model model, Patches acting, int[] ids, Window window, IntConsumer progress) {
    GenerateException.check(
        !model.isEncoderDecoder(),
        "an encoder with a decoder,",
        model.name() + ", for the perplexity of a text",
        "a decoder alone; that of targets given their sources is what evaluate gives of a table");
    GenerateException.check(ids.length >= 2, "a text of", ids.length, "at least 2 tokens");
    int positions = Limits.positions(model, acting).orElse(Integer.MAX_VALUE);
    GenerateException.check(
        window.size() <= positions,
        "a window",
        window.size(),
        "up to the model's " + positions + " free positions");
    Scorer scorer = Scorer.of(model).with(acting);
    double sum = 0;
    int done = 1;
    for (int begin = 0; done < ids.length; begin += window.stride()) {
      int end = Math.min(ids.length, begin + window.size());
      List<Scorer.Pair> pair = new ArrayList<>();
      pair.add(
          new Scorer.Pair(
              Arrays.copyOfRange(ids, begin, done), Arrays.copyOfRange(ids, done, end)));
      sum += scorer.score(pair).getFirst().logProbability();
      done = end;
      progress.accept(done - 1);
    }
    return new Perplexity(sum, ids.length - 1, 0);
  }
}
