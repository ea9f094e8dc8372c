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

  /** All that the run's result depends on. */
  static RunInfo info(
      Cloze cloze,
      Delta delta,
      TrainSettings settings,
      int shots,
      List<Example> train,
      List<Example> dev,
      List<Example> test) {
    Model model = delta.base();
    Map<String, Object> chosen = new LinkedHashMap<>();
    chosen.put("base", model.name());
    chosen.put("dtype", model.dtype().toString());
    chosen.put("device", model.device().toString());
    chosen.put("template", cloze.template().source());
    chosen.put("verbalizer", cloze.verbalizer().words());
    chosen.put("max length", cloze.maxLength());
    chosen.put("truncate", cloze.side().name().toLowerCase(Locale.ROOT));
    chosen.put("delta", delta.spec().method().name());
    chosen.put("delta settings", new TreeMap<>(delta.spec().toConfig(model)));
    chosen.put("parameters", delta.count());
    chosen.put("examples a class", shots == 0 ? "all" : String.valueOf(shots));
    chosen.put("training examples", train.size());
    chosen.put("development examples", dev.size());
    chosen.put("test examples", test.size());
    chosen.putAll(settings.describe());
    return new RunInfo(
        "tune",
        versions(),
        Map.of("seed", settings.seed()),
        hashes(delta, train, dev, test),
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

  private static Map<String, String> hashes(
      Delta delta, List<Example> train, List<Example> dev, List<Example> test) {
    Map<String, String> hashes = new LinkedHashMap<>();
    MessageDigest base = sha256();
    for (String tensor : delta.baseTensors()) {
      add(base, tensor);
      add(base, delta.base().fingerprint(tensor));
    }
    hashes.put("tuned tensors of the base", hex(base));
    hashes.put("training examples", hash(train));
    if (!dev.isEmpty()) {
      hashes.put("development examples", hash(dev));
    }
    if (!test.isEmpty()) {
      hashes.put("test examples", hash(test));
    }
    return hashes;
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

  /** Writes {@code report.html} of a finished run. */
  static void report(RunDirectory run, Tuned tuned, Cloze cloze, int examples) {
    TrainResult result = tuned.training().orElseThrow();
    long bytes;
    try {
      bytes = Files.size(run.delta().resolve(DeltaFiles.TENSORS));
    } catch (IOException e) {
      throw new RunException("cannot read the tuned delta in " + run.delta() + ": " + e, e);
    }
    run.writeReport(
        new Report(
            "%s tuned by %s".formatted(tuned.delta().base().name(), tuned.method()),
            "Classifies texts by \"%s\" into %d labels; learned from %d examples."
                .formatted(cloze.template(), cloze.verbalizer().words().size(), examples),
            tuned.test().map(TestScores::untuned).orElse(null),
            tuned.test().map(TestScores::tuned).orElse(null),
            new Report.Cost(result.seconds(), result.tokensPerSecond(), Engine.peakMemory(), bytes),
            Report.Curves.of(run.events()),
            run.info()));
  }
}
