package io.trimtab.prompt;

import io.trimtab.hub.EncodeOptions.TruncationSide;
import java.util.List;
import java.util.Optional;

/**
 * Classification by filling a blank: a template that puts a text around a mask, and the words that
 * stand for each label there. Immutable.
 *
 * <pre>{@code
 * Cloze.template("{text} It was {mask}.")
 *     .words("positive", "great", "good")
 *     .words("negative", "terrible")
 * }</pre>
 *
 * <p>Schick and Schütze, 2021: Exploiting Cloze Questions for Few Shot Text Classification and
 * Natural Language Inference, section 3.1.
 */
public final class Cloze {
  /** The longest prompt where nothing else is said: memory and time grow with it. */
  public static final int USUAL_LENGTH = 256;

  private final Template template;
  private final Verbalizer verbalizer;
  private final int maxLength;
  private final TruncationSide side;

  private Cloze(Template template, Verbalizer verbalizer, int maxLength, TruncationSide side) {
    this.template = template;
    this.verbalizer = verbalizer;
    this.maxLength = maxLength;
    this.side = side;
  }

  /**
   * A task of this template, without labels yet.
   *
   * @throws PromptException.Syntax if it breaks the rules of {@link Template}
   */
  public static Cloze template(String source) {
    return of(Template.parse(source), Verbalizer.EMPTY);
  }

  /** A task of these two; texts that are too long lose their end. */
  public static Cloze of(Template template, Verbalizer verbalizer) {
    return new Cloze(template, verbalizer, USUAL_LENGTH, TruncationSide.RIGHT);
  }

  /**
   * The same with one more label.
   *
   * @throws PromptException.Syntax as {@link Verbalizer#with} does
   */
  public Cloze words(String label, String... words) {
    return new Cloze(template, verbalizer.with(label, List.of(words)), maxLength, side);
  }

  /**
   * The same with prompts of at most so many tokens, special ones included. A model that has fewer
   * positions lowers it to their number.
   *
   * @throws PromptException if it is less than 1
   */
  public Cloze maxLength(int tokens) {
    if (tokens < 1) {
      throw new PromptException(
          "found a longest prompt of " + tokens + " tokens, expected at least 1; 256 is usual");
    }
    return new Cloze(template, verbalizer, tokens, side);
  }

  /** The same with texts that are too long losing tokens at that side. */
  public Cloze truncate(TruncationSide newSide) {
    return new Cloze(template, verbalizer, maxLength, newSide);
  }

  /** Its template. */
  public Template template() {
    return template;
  }

  /** Its labels and their words. */
  public Verbalizer verbalizer() {
    return verbalizer;
  }

  /** The largest number of tokens of a prompt. */
  public int maxLength() {
    return maxLength;
  }

  /** The side at which texts that are too long lose tokens. */
  public TruncationSide side() {
    return side;
  }

  /** The first reason why nothing can be classified by it; empty where there is none. */
  Optional<String> flaw() {
    int labels = verbalizer.words().size();
    return labels >= 2
        ? Optional.empty()
        : Optional.of(
            "found %d label(s) in the task, expected at least two; add more by words(label, word)"
                .formatted(labels));
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Cloze cloze
        && template.equals(cloze.template)
        && verbalizer.equals(cloze.verbalizer)
        && maxLength == cloze.maxLength
        && side == cloze.side;
  }

  @Override
  public int hashCode() {
    return 31 * template.hashCode() + verbalizer.hashCode();
  }

  @Override
  public String toString() {
    return "Cloze[\"" + template + "\", " + verbalizer + ", at most " + maxLength + " tokens]";
  }
}
