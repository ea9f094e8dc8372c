package io.trimtab.cli;

import io.trimtab.prompt.Cloze;
import io.trimtab.prompt.Template;
import io.trimtab.prompt.Verbalizer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The cloze: template, label words, longest prompt. */
final class TaskOptions {
  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec;

  @Option(
      names = "--template",
      paramLabel = "T",
      description =
          "The sentence around the text, such as \"{text} It was {mask}.\"; or around what instruct"
              + " is given, with {instruction} and {input}.")
  private @Nullable String template;

  @Option(
      names = "--verbalizer",
      paramLabel = "V",
      description =
          "The words of each label: a file of lines \"label: word, word\", or label=word|word,…")
  private @Nullable String verbalizer;

  @Option(
      names = "--max-length",
      paramLabel = "N",
      description =
          "Tokens of the longest example; longer ones are cut (default: 256 to classify, else"
              + " 1024).")
  private @Nullable Integer maxLength;

  /** Whether a task was described, or began to be. */
  boolean given() {
    return template != null || verbalizer != null;
  }

  @Nullable String template() {
    return template;
  }

  boolean verbalizer() {
    return verbalizer != null;
  }

  int maxLength(int usual) {
    return maxLength == null ? usual : maxLength;
  }

  /** The task they describe. */
  Cloze cloze() {
    String sentence = template;
    String words = verbalizer;
    if (sentence == null || words == null) {
      throw new CommandLine.ParameterException(
          spec.commandLine(),
          "found no "
              + (sentence == null ? "--template" : "--verbalizer")
              + ", expected both --template and --verbalizer");
    }
    return Cloze.of(Template.parse(sentence), Verbalizer.of(words))
        .maxLength(maxLength(Cloze.USUAL_LENGTH));
  }
}
