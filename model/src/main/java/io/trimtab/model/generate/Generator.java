package io.trimtab.model.generate;

import io.trimtab.model.LanguageModel;
import io.trimtab.model.Patches;
import java.util.ArrayList;
import java.util.List;

/**
 * Goes on with texts. Immutable; several threads may share one.
 *
 * <pre>{@code
 * try (LanguageModel model = Models.open("smollm2-135m-instruct")) {
 *   GenerateOptions options =
 *       GenerateOptions.DEFAULT.withSamples(4).withSampling(Sampling.PLAIN.withTopP(0.9));
 *   Generator.of(model)
 *       .generate(List.of("Once upon a time"), options)
 *       .forEach(made -> System.out.println(made.text()));
 * }
 * }</pre>
 */
public final class Generator {
  /** Is told of texts as they come. */
  @FunctionalInterface
  public interface Listener {
    /**
     * Takes the next piece of a text, which is never empty and ends in a whole character.
     *
     * @param prompt the number of the prompt, from 0
     * @param sample the number of the sample, from 0
     * @return whether to go on with this text
     */
    boolean piece(int prompt, int sample, String piece);
  }

  private final LanguageModel model;
  private final TokenGenerator tokens;

  private Generator(LanguageModel model, TokenGenerator tokens) {
    this.model = model;
    this.tokens = tokens;
  }

  /** Goes on as the plain model does. */
  public static Generator of(LanguageModel model) {
    return new Generator(model, TokenGenerator.of(model.model()));
  }

  /** Goes on as the model does under these patches. */
  public Generator with(Patches acting) {
    return new Generator(model, tokens.with(acting));
  }

  /** Goes on with every prompt. */
  public List<Generated> generate(List<String> prompts, GenerateOptions options) {
    return generate(prompts, options, (_, _, _) -> true);
  }

  /**
   * Goes on with every prompt.
   *
   * @param prompts texts; special tokens that they spell out are taken as such
   * @param listener is told of each text as it comes, on this thread
   * @return the samples of the first prompt in their order, then those of the second, and so on
   * @throws GenerateException where a prompt fills all of the model's positions
   */
  public List<Generated> generate(
      List<String> prompts, GenerateOptions options, Listener listener) {
    GenerateOptions known =
        options.endTokens().isPresent() ? options : options.withEndTokens(Texts.endTokens(model));
    int samples = options.samples();
    List<Transcript> transcripts = new ArrayList<>();
    for (int i = 0; i < prompts.size() * samples; i++) {
      transcripts.add(new Transcript(model.tokenizer(), options.stop()));
    }
    List<int[]> encoded = prompts.stream().map(text -> Texts.open(model, text)).toList();
    List<Sequence> made =
        tokens.run(
            encoded,
            known,
            (prompt, sample, token) -> {
              Transcript own = transcripts.get(prompt * samples + sample);
              String piece = own.add(token);
              boolean more = piece.isEmpty() || listener.piece(prompt, sample, piece);
              return more && !own.stopped();
            });
    List<Generated> all = new ArrayList<>();
    for (int i = 0; i < made.size(); i++) {
      Sequence sequence = made.get(i);
      Transcript own = transcripts.get(i);
      String rest = own.rest();
      boolean stoppedLate = own.stopped() && sequence.end() != End.STOP;
      if (!rest.isEmpty()) {
        listener.piece(sequence.prompt(), sequence.sample(), rest);
      }
      all.add(new Generated(own.text(), stoppedLate ? ended(sequence) : sequence));
    }
    return all;
  }

  /** The same for one whose text to stop at came with the bytes that were held back. */
  private static Sequence ended(Sequence sequence) {
    return new Sequence(
        sequence.prompt(),
        sequence.sample(),
        sequence.tokens(),
        sequence.logProbabilities(),
        End.STOP);
  }
}
