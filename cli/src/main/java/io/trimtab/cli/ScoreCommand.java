package io.trimtab.cli;

import io.trimtab.model.generate.Scorer;
import io.trimtab.train.Table;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code trimtab score}: how likely a model finds continuations. */
@Command(
    name = "score",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    description = "Show the logarithmic probabilities of continuations given their prompts.")
final class ScoreCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @Mixin private CommonOptions common;
  @Mixin private DecoderOptions decoder;

  @Option(names = "--prompt", paramLabel = "TEXT", description = "The prompt.")
  private @Nullable String prompt;

  @Option(
      names = "--continuation",
      paramLabel = "TEXT",
      description = "What may come after it, with its blank; may be given several times.")
  private List<String> continuations = new ArrayList<>();

  @Option(
      names = "--in",
      paramLabel = "FILE",
      description = "A table with the columns prompt and continuation, instead of these.")
  private @Nullable Path in;

  @Override
  public Integer call() {
    Path from = in;
    String given = prompt;
    boolean whole = given != null && !continuations.isEmpty();
    boolean part = given != null || !continuations.isEmpty();
    if (from == null ? !whole : part) {
      throw new CommandLine.ParameterException(
          spec.commandLine(), "expected either --prompt with --continuation, or --in");
    }
    List<String> prompts = new ArrayList<>();
    List<String> texts = new ArrayList<>(continuations);
    if (from == null) {
      continuations.forEach(_ -> prompts.add(String.valueOf(given)));
    } else {
      Table table = Table.read(from);
      prompts.addAll(table.column("prompt"));
      texts.addAll(table.column("continuation"));
    }
    return decoder.use(
        common,
        (model, patches) -> {
          List<Scorer.Pair> pairs = new ArrayList<>();
          for (int i = 0; i < texts.size(); i++) {
            pairs.add(Scorer.Pair.of(model, prompts.get(i), texts.get(i)));
          }
          tell(Scorer.of(model.model()).with(patches).score(pairs), prompts, texts);
          return 0;
        });
  }

  private void tell(List<Scorer.Score> scores, List<String> prompts, List<String> texts) {
    PrintWriter words = common.words();
    List<Map<String, Object>> all = new ArrayList<>();
    for (int i = 0; i < scores.size(); i++) {
      Scorer.Score score = scores.get(i);
      words.printf(Locale.ROOT, "%10.4f  %s%n", score.logProbability(), texts.get(i));
      Map<String, Object> one = new LinkedHashMap<>();
      one.put("prompt", prompts.get(i));
      one.put("continuation", texts.get(i));
      one.put("log_probability", score.logProbability());
      one.put("token_log_probabilities", score.logProbabilities());
      one.put("greedy", score.greedy());
      all.add(one);
    }
    words.flush();
    Map<String, Object> result = new LinkedHashMap<>();
    decoder.describe(result);
    result.put("scores", all);
    common.result(result);
  }
}
