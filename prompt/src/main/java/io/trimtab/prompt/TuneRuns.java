package io.trimtab.prompt;

import io.trimtab.delta.Delta;
import io.trimtab.delta.DeltaFiles;
import io.trimtab.model.Model;
import io.trimtab.tensor.Engine;
import io.trimtab.train.Example;
import io.trimtab.train.Machine;
import io.trimtab.train.Report;
import io.trimtab.train.RunDirectory;
import io.trimtab.train.RunException;
import io.trimtab.train.RunInfo;
import io.trimtab.train.TrainResult;
import io.trimtab.train.TrainSettings;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** What the directory of a tuning run records of it. */
final class TuneRuns {
  private TuneRuns() {}

  /** All that the result of tuning a classifier depends on. */
  static RunInfo info(
      Cloze cloze,
      Delta delta,
      TrainSettings settings,
      int shots,
      List<Example> train,
      List<Example> dev,
      List<Example> test) {
    Map<String, Object> task = new LinkedHashMap<>();
    task.put("template", cloze.template().source());
    task.put("verbalizer", cloze.verbalizer().words());
    task.put("max length", cloze.maxLength());
    task.put("truncate", cloze.side().name().toLowerCase(Locale.ROOT));
    Map<String, Object> data = new LinkedHashMap<>();
    data.put("examples a class", shots == 0 ? "all" : String.valueOf(shots));
    data.put("training examples", train.size());
    data.put("development examples", dev.size());
    data.put("test examples", test.size());
    return info(task, data, hashes(hash(train), hash(dev), hash(test)), delta, settings);
  }

  /** All that the result of tuning a language model depends on. */
  static RunInfo info(
      TextTask textTask,
      String chatTemplate,
      Delta delta,
      TrainSettings settings,
      TextData train,
      TextData dev,
      TextData test) {
    Map<String, Object> task = new LinkedHashMap<>(textTask.describe());
    Map<String, Object> data = new LinkedHashMap<>();
    data.put("training examples", train.examples().size());
    data.put("development examples", dev.examples().size());
    data.put("test examples", test.examples().size());
    Map<String, String> hashes = hashes(hash(train), hash(dev), hash(test));
    if (!chatTemplate.isEmpty()) {
      MessageDigest digest = sha256();
      add(digest, chatTemplate);
      hashes.put("chat template", hex(digest));
    }
    return info(task, data, hashes, delta, settings);
  }

  private static RunInfo info(
      Map<String, Object> task,
      Map<String, Object> data,
      Map<String, String> hashes,
      Delta delta,
      TrainSettings settings) {
    Model model = delta.base();
    Map<String, Object> chosen = new LinkedHashMap<>();
    chosen.put("base", model.name());
    chosen.put("dtype", model.dtype().toString());
    chosen.put("device", model.device().toString());
    chosen.putAll(task);
    chosen.put("delta", delta.spec().method().name());
    chosen.put("delta settings", new TreeMap<>(delta.spec().toConfig(model)));
    chosen.put("parameters", delta.count());
    chosen.putAll(data);
    chosen.putAll(settings.describe());
    Map<String, String> all = new LinkedHashMap<>();
    all.put("tuned tensors of the base", baseHash(delta));
    all.putAll(hashes);
    return new RunInfo(
        "tune",
        versions(),
        Map.of("seed", settings.seed()),
        all,
        chosen,
        Engine.threads(),
        Machine.describe());
  }

  private static Map<String, String> versions() {
    Map<String, String> versions = new LinkedHashMap<>();
    @Nullable String own = TuneRuns.class.getPackage().getImplementationVersion();
    versions.put("trimtab", own == null ? "development" : own);
    versions.put("java", Runtime.version().toString());
    versions.put("libtorch", Engine.description().getOrDefault("libtorch", "unknown"));
    return versions;
  }

  private static String baseHash(Delta delta) {
    MessageDigest base = sha256();
    for (String tensor : delta.baseTensors()) {
      add(base, tensor);
      add(base, delta.base().fingerprint(tensor));
    }
    return hex(base);
  }

  /** By what they belong to; the hash of no examples is left out. */
  private static Map<String, String> hashes(String train, String dev, String test) {
    Map<String, String> hashes = new LinkedHashMap<>();
    hashes.put("training examples", train);
    String none = hex(sha256());
    if (!dev.equals(none)) {
      hashes.put("development examples", dev);
    }
    if (!test.equals(none)) {
      hashes.put("test examples", test);
    }
    return hashes;
  }

  private static String hash(TextData data) {
    MessageDigest digest = sha256();
    data.examples().forEach(example -> add(digest, example.toString()));
    return hex(digest);
  }

  private static String hash(List<Example> examples) {
    MessageDigest digest = sha256();
    for (Example example : examples) {
      add(digest, example.label());
      add(digest, example.text());
    }
    return hex(digest);
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }

  private static void add(MessageDigest digest, String text) {
    digest.update(text.getBytes(StandardCharsets.UTF_8));
    digest.update((byte) 0); // else "ab", "c" and "a", "bc" were the same
  }

  private static String hex(MessageDigest digest) {
    return HexFormat.of().formatHex(digest.digest());
  }

  /** Writes {@code report.html} of a finished run of a classifier. */
  static void report(RunDirectory run, Tuned tuned, Cloze cloze, int examples) {
    TrainResult result = tuned.training().orElseThrow();
    run.writeReport(
        new Report(
            title(tuned.delta()),
            "Classifies texts by \"%s\" into %d labels; learned from %d examples."
                .formatted(cloze.template(), cloze.verbalizer().words().size(), examples),
            tuned.test().map(TestScores::untuned).orElse(null),
            tuned.test().map(TestScores::tuned).orElse(null),
            cost(run, result),
            Report.Curves.of(run.events()),
            run.info()));
  }

  /** Writes {@code report.html} of a finished run of a language model. */
  static void report(RunDirectory run, TunedText tuned, int examples, long learnt) {
    TrainResult result = tuned.training().orElseThrow();
    run.writeReport(
        new Report(
            title(tuned.delta()),
            "Task \"%s\": learned %d tokens of %d examples."
                .formatted(tuned.task().form().word(), learnt, examples),
            null,
            null,
            tuned.test().orElse(null),
            cost(run, result),
            Report.Curves.of(run.events()),
            run.info()));
  }

  private static String title(Delta delta) {
    return "%s tuned by %s".formatted(delta.base().name(), delta.spec().method().name());
  }

  private static Report.Cost cost(RunDirectory run, TrainResult result) {
    long bytes;
    try {
      bytes = Files.size(run.delta().resolve(DeltaFiles.TENSORS));
    } catch (IOException e) {
      throw new RunException("cannot read the tuned delta in " + run.delta() + ": " + e, e);
    }
    return new Report.Cost(result.seconds(), result.tokensPerSecond(), Engine.peakMemory(), bytes);
  }
}
