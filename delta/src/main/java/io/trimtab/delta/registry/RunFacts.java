package io.trimtab.delta.registry;

import io.trimtab.hub.HubException;
import io.trimtab.hub.ModelConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What a training run says of the delta that came out of it: {@code run.json}, by hash and in part,
 * and the last figures of {@code metrics.jsonl}.
 *
 * @param directory where the run was
 * @param sha256 the hash of its {@code run.json}
 * @param hashes of the model's, data's and template's bytes, by what they belong to
 * @param seeds by what they seed
 * @param metrics the last numbers of each event: {@code train.loss}, {@code dev.accuracy}
 */
public record RunFacts(
    String directory,
    String sha256,
    SortedMap<String, String> hashes,
    SortedMap<String, Long> seeds,
    SortedMap<String, Double> metrics) {
  private static final String RUN = "run.json";
  private static final String METRICS = "metrics.jsonl";

  /** Keeps copies. */
  public RunFacts {
    hashes = Collections.unmodifiableSortedMap(new TreeMap<>(hashes));
    seeds = Collections.unmodifiableSortedMap(new TreeMap<>(seeds));
    metrics = Collections.unmodifiableSortedMap(new TreeMap<>(metrics));
  }

  /** The run that a delta's directory lies in; empty where it lies in none. */
  public static Optional<RunFacts> around(Path delta) {
    Path run = delta.toAbsolutePath().normalize().getParent();
    if (run == null || !Files.isRegularFile(run.resolve(RUN))) {
      return Optional.empty();
    }
    ModelConfig info = ModelConfig.read(run.resolve(RUN));
    SortedMap<String, String> hashes = new TreeMap<>();
    SortedMap<String, Long> seeds = new TreeMap<>();
    if (info.has("hashes")) {
      ModelConfig section = info.section("hashes");
      section.fields().forEach(name -> hashes.put(name, section.text(name)));
    }
    if (info.has("seeds")) {
      ModelConfig section = info.section("seeds");
      section.fields().forEach(name -> seeds.put(name, (long) section.decimal(name)));
    }
    return Optional.of(
        new RunFacts(
            run.toString(),
            DeltaManifest.sha256(run.resolve(RUN)),
            hashes,
            seeds,
            last(run.resolve(METRICS))));
  }

  /** The last numbers of each event, without how far the run had come. */
  private static SortedMap<String, Double> last(Path file) {
    SortedMap<String, Double> last = new TreeMap<>();
    for (String line : lines(file)) {
      ModelConfig event;
      try {
        event = ModelConfig.parse(line, file);
      } catch (HubException.Malformed e) {
        continue; // a process that was killed leaves half a line behind
      }
      for (String field : event.fields()) {
        if (event.isNumber(field) && (field.equals("loss") || field.equals("accuracy"))) {
          last.put(event.text("event", "run") + "." + field, event.decimal(field));
        }
      }
    }
    return last;
  }

  private static List<String> lines(Path file) {
    try {
      return Files.isRegularFile(file) ? Files.readAllLines(file) : List.of();
    } catch (IOException e) {
      throw new RegistryException("cannot read " + file + ": " + e, e);
    }
  }
}
