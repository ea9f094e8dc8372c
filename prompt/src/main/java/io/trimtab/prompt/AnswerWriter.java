package io.trimtab.prompt;

import io.trimtab.model.LanguageModel;
import io.trimtab.model.Patches;
import io.trimtab.model.generate.GenerateOptions;
import io.trimtab.model.generate.Sampling;
import io.trimtab.model.generate.Sequence;
import io.trimtab.model.generate.TokenGenerator;
import io.trimtab.train.Answer;
import io.trimtab.train.AnswerScore;
import io.trimtab.train.DataException;
import io.trimtab.train.TokenExample;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;

/**
 * Has a model write the last answer of examples itself, the likeliest token at a time, from the
 * very tokens that stand before it there, or that its encoder reads. It may be twice as long as the
 * longest expected one.
 */
final class AnswerWriter {
  private static final int LEAST = 32;
  private static final int TOGETHER = 32;

  private final LanguageModel model;
  private final Set<Integer> ends;

  /** With the tokens that end an answer. */
  AnswerWriter(LanguageModel model, Set<Integer> ends) {
    this.model = model;
    this.ends = ends;
  }

  AnswerScore answer(List<TextEncoder.Item> items, Patches patches) {
    List<int[]> prompts = new ArrayList<>();
    List<int[]> expected = new ArrayList<>();
    for (TextEncoder.Item item : items) {
      TokenExample tokens = item.tokens();
      int end = tokens.ids().length;
      while (!tokens.answered()[end - 1]) {
        end--;
      }
      int start = end;
      while (start > 0 && tokens.answered()[start - 1]) {
        start--;
      }
      if (start == 0) {
        throw new DataException(
            "found answers asked for of texts that are learnt whole, expected a task with"
                + " questions");
      }
      boolean read = tokens.source().length > 0;
      prompts.add(read ? tokens.source() : Arrays.copyOf(tokens.ids(), start));
      expected.add(Arrays.copyOfRange(tokens.ids(), start, end));
    }
    int longest = expected.stream().mapToInt(ids -> ids.length).max().orElse(0);
    GenerateOptions options =
        GenerateOptions.DEFAULT
            .withSampling(Sampling.GREEDY)
            .withMaxTokens(Math.max(LEAST, 2 * longest))
            .withEndTokens(ends)
            .withBatch(TOGETHER);
    List<Sequence> written =
        TokenGenerator.of(model.model()).with(patches).generate(prompts, options);
    List<Answer> answers = new ArrayList<>();
    for (int i = 0; i < written.size(); i++) {
      int[] said = written.get(i).tokens().stream().mapToInt(Integer::intValue).toArray();
      answers.add(new Answer(items.get(i).example().question(), text(expected.get(i)), text(said)));
    }
    return new AnswerScore(answers);
  }

  private String text(int[] ids) {
    return model.tokenizer().decode(ids);
  }
}
