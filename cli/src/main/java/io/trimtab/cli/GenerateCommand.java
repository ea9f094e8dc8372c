package io.trimtab.cli;

import static java.util.Objects.requireNonNull;

import io.trimtab.model.LanguageModel;
import io.trimtab.model.Patches;
import io.trimtab.model.generate.BeamOptions;
import io.trimtab.model.generate.BeamSearch;
import io.trimtab.model.generate.GenerateOptions;
import io.trimtab.model.generate.Generated;
import io.trimtab.model.generate.Generator;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code trimtab generate}: goes on with prompts. */
@Command(
    name = "generate",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    description = "Go on with one prompt or several; a single text is shown as it comes.")
final class GenerateCommand implements Callable<Integer> {
  private static final int USUAL_BATCH = 16;

  @Spec private CommandSpec spec;
  @Mixin private CommonOptions common;
  @Mixin private DecoderOptions decoder;
  @Mixin private SamplingOptions sampling;

  @Option(
      names = "--prompt",
      required = true,
      paramLabel = "TEXT",
      description = "A text to go on with; may be given several times.")
  private List<String> prompts;

  @Option(
      names = "--n",
      paramLabel = "N",
      defaultValue = "1",
      description = "Texts for each prompt (default: ${DEFAULT-VALUE}).")
  private int samples;

  @Option(
      names = "--max-tokens",
      paramLabel = "N",
      defaultValue = "128",
      description = "The largest number of new tokens (default: ${DEFAULT-VALUE}).")
  private int maxTokens;

  @Option(
      names = "--min-tokens",
      paramLabel = "N",
      defaultValue = "0",
      description = "Tokens before which no text ends by itself (default: ${DEFAULT-VALUE}).")
  private int minTokens;

  @Option(
      names = "--stop",
      paramLabel = "TEXT",
      description = "End before this text; may be given several times.")
  private List<String> stop = new ArrayList<>();

  @Option(
      names = "--batch",
      paramLabel = "N",
      defaultValue = "" + USUAL_BATCH,
      description =
          "Texts computed together; scores differ by rounding alone (default: ${DEFAULT-VALUE}).")
  private int batch;

  @Option(
      names = "--beams",
      paramLabel = "N",
      defaultValue = "0",
      description = "Look for the likeliest texts by N beams, and draw nothing.")
  private int beams;

  @Option(
      names = "--length-penalty",
      paramLabel = "X",
      defaultValue = "1",
      description =
          "With --beams: the power of its length that a text's logarithmic probability is divided"
              + " by (default: ${DEFAULT-VALUE}).")
  private double lengthPenalty;

  @Override
  public Integer call() {
    checkMeant();
    return decoder.use(
        common,
        (model, patches) -> {
          long start = System.nanoTime();
          List<Generated> made = beams > 0 ? search(model, patches) : draw(model, patches);
          double seconds = (System.nanoTime() - start) / 1e9;
          tell(made, seconds);
          return 0;
        });
  }

  /** Refuses options that would do nothing beside the others. */
  private void checkMeant() {
    if (beams < 0) {
      throw wrong("found --beams " + beams + ", expected 1 or more, or 0 to draw");
    }
    List<OptionSpec> idle = new ArrayList<>();
    if (beams == 0) {
      idle.add(spec.findOption("--length-penalty"));
    } else {
      idle.addAll(requireNonNull(spec.mixins().get("sampling")).options());
      idle.add(spec.findOption("--batch"));
      idle.add(spec.findOption("--stop"));
    }
    CommandLine.ParseResult given = spec.commandLine().getParseResult();
    for (OptionSpec option : idle) {
      if (given.hasMatchedOption(option)) {
        String name = option.longestName();
        throw wrong(
            beams == 0
                ? "found " + name + " without --beams, expected both; drawing has no use for it"
                : "found " + name + " with --beams, expected one of them; beams draw nothing");
      }
    }
    if (beams > 0 && samples > beams) {
      throw wrong(
          "found --n "
              + samples
              + " with --beams "
              + beams
              + ", expected no more texts than beams");
    }
  }

  private CommandLine.ParameterException wrong(String message) {
    return new CommandLine.ParameterException(spec.commandLine(), message);
  }

  private List<Generated> draw(LanguageModel model, Patches patches) {
    GenerateOptions options =
        new GenerateOptions(
            sampling.sampling(),
            samples,
            maxTokens,
            minTokens,
            stop,
            Optional.empty(),
            common.seed(),
            batch);
    boolean single = single();
    PrintWriter words = common.words();
    return Generator.of(model)
        .with(patches)
        .generate(
            prompts,
            options,
            (_, _, piece) -> {
              if (single) {
                words.print(piece);
                words.flush();
              }
              return true;
            });
  }

  private boolean single() {
    return beams == 0 && samples == 1 && prompts.size() == 1;
  }

  private List<Generated> search(LanguageModel model, Patches patches) {
    BeamOptions options =
        new BeamOptions(beams, lengthPenalty, maxTokens, minTokens, Optional.empty());
    List<Generated> made = new ArrayList<>();
    for (int i = 0; i < prompts.size(); i++) {
      List<Generated> found = BeamSearch.search(model, patches, prompts.get(i), options);
      made.addAll(found.subList(0, Math.min(found.size(), samples)));
    }
    return made;
  }

  private void tell(List<Generated> made, double seconds) {
    PrintWriter words = common.words();
    int each = made.size() / prompts.size();
    List<Map<String, Object>> texts = new ArrayList<>();
    int tokens = 0;
    for (int i = 0; i < made.size(); i++) {
      Generated one = made.get(i);
      String prompt = prompts.get(i / each);
      if (!single()) {
        words.printf("--- %d of prompt %d%n%s%n", i % each + 1, i / each + 1, one.text());
      }
      Map<String, Object> text = new LinkedHashMap<>();
      text.put("prompt", prompt);
      text.put("sample", one.sequence().sample());
      text.put("text", one.text());
      text.put("tokens", one.sequence().tokens().size());
      text.put("end", one.sequence().end().name().toLowerCase(Locale.ROOT));
      text.put("log_probability", one.sequence().logProbability());
      texts.add(text);
      tokens += one.sequence().logProbabilities().size();
    }
    if (single()) {
      words.println();
    }
    words.flush();
    Map<String, Object> result = new LinkedHashMap<>();
    decoder.describe(result);
    result.put("texts", texts);
    result.put("tokens", tokens);
    result.put("seconds", seconds);
    result.put("tokens_per_s", tokens / seconds);
    common.result(result);
  }
}
