package io.trimtab.cli;

import io.trimtab.model.Held;
import io.trimtab.model.LanguageModel;
import io.trimtab.model.Patches;
import io.trimtab.model.generate.Throughput;
import io.trimtab.tensor.Engine;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.DoubleSupplier;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code trimtab bench}: how fast a decoder is here. */
@Command(
    name = "bench",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    description = {
      "Measure how fast a decoder takes in a text and goes on, token by token.",
      "Prints a Markdown table like llama-bench's: ppN is a text of N tokens at once, tgN are N"
          + " tokens one by one, in tokens a second."
    })
final class BenchCommand implements Callable<Integer> {
  private static final double MEGABYTE = 1e6;

  /** Tokens whose probabilities show that another program computes the same. */
  private static final List<Integer> WITNESSES = List.of(5, 28, 198, 253, 1000);

  @Spec private CommandSpec spec;
  @Mixin private CommonOptions common;
  @Mixin private DecoderOptions decoder;

  @Option(
      names = {"-p", "--prompt-tokens"},
      paramLabel = "N",
      split = ",",
      defaultValue = "512",
      description =
          "Tokens of a text taken in at once; several by commas, 0 for none (default: 512).")
  private List<Integer> prompts;

  @Option(
      names = {"-n", "--new-tokens"},
      paramLabel = "N",
      split = ",",
      defaultValue = "128",
      description = "Tokens taken in one by one; several by commas, 0 for none (default: 128).")
  private List<Integer> news;

  @Option(
      names = {"-d", "--depth"},
      paramLabel = "N",
      defaultValue = "1",
      description = "Tokens before those that are taken in one by one (default: ${DEFAULT-VALUE}).")
  private int depth;

  @Option(
      names = {"-r", "--repetitions"},
      paramLabel = "N",
      defaultValue = "5",
      description = "Times each is measured, after one that is not (default: ${DEFAULT-VALUE}).")
  private int repetitions;

  /** One line of the table. */
  @SuppressWarnings("ArrayRecordComponent") // never written, and never compared
  private record Test(String name, int tokens, double[] speeds) {
    double mean() {
      return Arrays.stream(speeds).average().orElseThrow();
    }

    double deviation() {
      double mean = mean();
      double squares = Arrays.stream(speeds).map(s -> (s - mean) * (s - mean)).sum();
      return speeds.length < 2 ? 0 : Math.sqrt(squares / (speeds.length - 1));
    }
  }

  @Override
  public Integer call() {
    List<Integer> counts = new ArrayList<>(prompts);
    counts.addAll(news);
    if (repetitions < 1 || depth < 1 || counts.stream().anyMatch(n -> n < 0)) {
      throw new CommandLine.ParameterException(
          spec.commandLine(),
          "found -p "
              + prompts
              + " -n "
              + news
              + " -d "
              + depth
              + " -r "
              + repetitions
              + ", expected no negative numbers of tokens, and a depth and repetitions of 1 or"
              + " more");
    }
    long start = System.nanoTime();
    return decoder.use(
        common,
        (model, patches) -> {
          double loaded = (System.nanoTime() - start) / 1e9;
          measure(model, patches, loaded);
          return 0;
        });
  }

  private void measure(LanguageModel model, Patches patches, double loaded) {
    Throughput throughput = Throughput.of(model.model(), patches);
    List<Test> tests = new ArrayList<>();
    for (int tokens : prompts) {
      if (tokens > 0) {
        tests.add(timed("pp" + tokens, tokens, () -> throughput.prefillSeconds(tokens)));
      }
    }
    for (int tokens : news) {
      if (tokens > 0) {
        String name = "tg" + tokens + (depth > 1 ? " @ d" + depth : "");
        tests.add(timed(name, tokens, () -> throughput.decodeSeconds(tokens, depth)));
      }
    }
    Collection<Held> held = model.model().held().values();
    long parameters = held.stream().mapToLong(Held::elements).sum();
    long bytes = held.stream().mapToLong(Held::bytes).sum();
    common.words().println("| model | params | size | dtype | threads | test | tokens/s |");
    common.words().println("|---|--:|--:|---|--:|---|--:|");
    for (Test test : tests) {
      common
          .words()
          .printf(
              Locale.ROOT,
              "| %s | %.2f M | %.1f MB | %s | %d | %s | %.2f ± %.2f |%n",
              decoder.name(),
              parameters / MEGABYTE,
              bytes / MEGABYTE,
              model.model().dtype().name().toLowerCase(Locale.ROOT),
              Engine.threads(),
              test.name(),
              test.mean(),
              test.deviation());
    }
    double resident = Engine.residentMemory() / MEGABYTE;
    common.words().printf(Locale.ROOT, "loaded in %.2f s; %.0f MB resident%n", loaded, resident);
    common.words().flush();
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("model", decoder.name());
    result.put("parameters", parameters);
    result.put("bytes_by_form", Held.bytesByForm(held));
    result.put("dtype", model.model().dtype().name().toLowerCase(Locale.ROOT));
    result.put("threads", Engine.threads());
    result.put("load_seconds", loaded);
    result.put("resident_mb", resident);
    result.put("tests", tests.stream().map(BenchCommand::object).toList());
    int vocabulary = model.model().stack().embeddings().words().rows();
    List<Integer> witnesses = WITNESSES.stream().filter(id -> id < vocabulary).toList();
    result.put("witnesses", witnesses);
    result.put(
        "log_probabilities",
        Arrays.stream(throughput.logProbabilities(64, 16, witnesses)).boxed().toList());
    common.result(result);
  }

  private Test timed(String name, int tokens, DoubleSupplier seconds) {
    double[] speeds = new double[repetitions];
    for (int i = -1; i < repetitions; i++) {
      double speed = tokens / seconds.getAsDouble();
      if (i >= 0) {
        speeds[i] = speed;
      }
    }
    return new Test(name, tokens, speeds);
  }

  private static Map<String, Object> object(Test test) {
    Map<String, Object> object = new LinkedHashMap<>();
    object.put("test", test.name());
    object.put("tokens", test.tokens());
    object.put("tokens_per_s", test.mean());
    object.put("deviation", test.deviation());
    object.put("tokens_per_s_each", Arrays.stream(test.speeds()).boxed().toList());
    return object;
  }
}
