package io.trimtab.cli;

import io.trimtab.prompt.TestScores;
import io.trimtab.prompt.Tuned;
import io.trimtab.prompt.TunedText;
import io.trimtab.tensor.Engine;
import io.trimtab.train.ClassificationReport;
import io.trimtab.train.TrainResult;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/** Shows how tuning went, to people and to programs. */
final class TuneResult {
  private TuneResult() {}

  static void show(Tuned tuned, CommonOptions common, Path out) {
    Map<String, Object> result = new LinkedHashMap<>();
    tuned.test().ifPresent(scores -> scores(scores, common.words(), result));
    Made made = new Made(tuned.method(), tuned.delta().count(), tuned.deltaBytes());
    cost(tuned.training().orElseThrow(), made, common, out, result);
  }

  static void show(TunedText tuned, CommonOptions common, Path out) {
    Map<String, Object> result = new LinkedHashMap<>();
    tuned
        .test()
        .ifPresent(
            scores -> {
              TextScores untuned = new TextScores(scores.untuned(), scores.untunedAnswers());
              TextScores after = new TextScores(scores.tuned(), scores.tunedAnswers());
              common.words().println();
              common.words().println(untuned.line("untuned"));
              common.words().println(after.line("tuned"));
              result.put("untuned", untuned.toMap());
              result.put("test", after.toMap());
            });
    Made made = new Made(tuned.method(), tuned.delta().count(), tuned.deltaBytes());
    cost(tuned.training().orElseThrow(), made, common, out, result);
  }

  /** What was tuned. */
  private record Made(String method, long parameters, long bytes) {}

  private static void cost(
      TrainResult training, Made made, CommonOptions common, Path out, Map<String, Object> result) {
    PrintWriter words = common.words();
    words.printf(
        Locale.ROOT,
        "%nsteps %d, loss %.4f; %.1f s of training, %.0f tokens/s, peak memory %.0f MB%n",
        training.steps(),
        training.losses().isEmpty() ? Double.NaN : training.losses().getLast(),
        training.seconds(),
        training.tokensPerSecond(),
        Engine.peakMemory() / 1e6);
    words.printf(
        Locale.ROOT,
        "delta %s: %,d parameters, %.0f KB in %s%nreport %s%n",
        made.method(),
        made.parameters(),
        made.bytes() / 1e3,
        out.resolve("delta"),
        out.resolve("report.html"));
    words.flush();
    result.put("steps", training.steps());
    result.put("losses", training.losses());
    result.put("tokens_per_s", training.tokensPerSecond());
    result.put("peak_memory_mb", Engine.peakMemory() / 1e6);
    result.put("delta_bytes", made.bytes());
    result.put("delta_parameters", made.parameters());
    result.put("seconds", training.seconds());
    result.put("out", out.toString());
    common.result(result);
  }

  private static void scores(TestScores scores, PrintWriter words, Map<String, Object> result) {
    words.println();
    words.println(scores.tuned().table());
    words.printf(
        Locale.ROOT,
        "%n%-9s accuracy %5.1f %%   macro F1 %5.1f %%%n%-9s accuracy %5.1f %%   macro F1 %5.1f"
            + " %%%n",
        "untuned",
        100 * scores.untuned().accuracy(),
        100 * scores.untuned().macroF1(),
        "tuned",
        100 * scores.tuned().accuracy(),
        100 * scores.tuned().macroF1());
    result.put("untuned", brief(scores.untuned()));
    result.put("test", scores.tuned().toMap());
  }

  private static Map<String, Object> brief(ClassificationReport report) {
    Map<String, Object> brief = new LinkedHashMap<>();
    brief.put("accuracy", report.accuracy());
    brief.put("macro_f1", report.macroF1());
    return brief;
  }
}
