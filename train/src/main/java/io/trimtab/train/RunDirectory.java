package io.trimtab.train;

import io.trimtab.hub.AtomicFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * A run on disk:
 *
 * <table>
 *   <caption>Files of a run</caption>
 *   <tr><td>{@code run.json}</td><td>what it is: {@link RunInfo}</td></tr>
 *   <tr><td>{@code metrics.jsonl}</td><td>what happened: {@link RunEvent}, one a line</td></tr>
 *   <tr><td>{@code delta/}</td><td>the tuned delta</td></tr>
 *   <tr><td>{@code checkpoint/}</td><td>what a resume needs</td></tr>
 *   <tr><td>{@code report.html}</td><td>the result for people</td></tr>
 * </table>
 *
 * <p>A process may be killed at any moment: {@code run.json} and {@code report.html} are whole or
 * absent, and a half-written last line of {@code metrics.jsonl} is dropped on resume.
 */
public final class RunDirectory {
  private static final String RUN = "run.json";
  private static final JsonMapper JSON =
      JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

  private final Path path;
  private final RunInfo info;
  private final MetricsLog metrics;

  private RunDirectory(Path path, RunInfo info) {
    this.path = path;
    this.info = info;
    this.metrics = new MetricsLog(path.resolve("metrics.jsonl"));
  }

  /**
   * Starts a run in a new or empty directory.
   *
   * @throws RunException if the directory holds anything, a run or not, or cannot be written
   */
  public static RunDirectory create(Path path, RunInfo info) {
    if (isRun(path)) {
      throw new RunException(
          "%s already holds a run; go on with it by --resume or choose another directory"
              .formatted(path));
    }
    try {
      if (Files.exists(path) && !Files.isDirectory(path)) {
        throw new RunException(
            "%s is a file; expected a new or empty directory for the run".formatted(path));
      }
      Files.createDirectories(path);
      try (Stream<Path> files = Files.list(path)) {
        // A process killed while it wrote run.json leaves only that file's temporary one.
        long others = files.filter(file -> !AtomicFiles.isLeftover(file)).count();
        if (others > 0) {
          throw new RunException(
              "%s is not empty and holds no run (%d files, no %s); choose a new or empty directory"
                  .formatted(path, others, RUN));
        }
      }
      AtomicFiles.write(path.resolve(RUN), JSON.writeValueAsString(info) + "\n");
    } catch (IOException e) {
      throw new RunException("%s cannot be written: %s".formatted(path, e), e);
    }
    // As read back, so that a new run and a resumed one know exactly the same.
    return open(path);
  }

  /**
   * Goes on with a run that was interrupted. A half-written last line of the metrics is dropped.
   *
   * @param path the run's directory
   * @param info what the run is asked to be now; all but {@code machine} must equal what it was,
   *     else its result would not be that of an uninterrupted run
   * @throws RunException if there is no run, it cannot be read, or it differs; the message names
   *     the first difference
   */
  public static RunDirectory resume(Path path, RunInfo info) {
    RunDirectory run = open(path);
    JsonNode before = tree(run.info);
    JsonNode now = tree(info);
    for (String part : List.of("what", "versions", "seeds", "hashes", "settings", "threads")) {
      String difference = difference(part, before.get(part), now.get(part));
      if (difference != null) {
        throw new RunException(
            "%s cannot be resumed: %s; use the same or start a new run in another directory"
                .formatted(path, difference));
      }
    }
    try {
      run.metrics.dropHalfLine();
    } catch (IOException e) {
      throw run.unreadable(e);
    }
    return run;
  }

  /**
   * Opens a run for reading.
   *
   * @throws RunException if there is none or its {@code run.json} cannot be read
   */
  public static RunDirectory open(Path path) {
    if (!isRun(path)) {
      throw new RunException(
          "%s holds no run (no %s); check the path or start a new run".formatted(path, RUN));
    }
    try {
      return new RunDirectory(path, JSON.readValue(path.resolve(RUN), RunInfo.class));
    } catch (JacksonException e) {
      throw new RunException(
          "%s is not a run's description: %s; start a new run in another directory"
              .formatted(path.resolve(RUN), e.getOriginalMessage()),
          e);
    }
  }

  /** Whether the directory holds a run. */
  public static boolean isRun(Path path) {
    return Files.isRegularFile(path.resolve(RUN));
  }

  /** Where the run is. */
  public Path path() {
    return path;
  }

  /** What the run is. */
  public RunInfo info() {
    return info;
  }

  /** Where the tuned delta goes; not made here. */
  public Path delta() {
    return path.resolve("delta");
  }

  /** Where checkpoints go; not made here. */
  public Path checkpoint() {
    return path.resolve("checkpoint");
  }

  /**
   * Adds a line to the metrics; it survives the process's end from here on.
   *
   * @throws RunException if it cannot be written
   */
  public void append(RunEvent event) {
    try {
      metrics.append(event);
    } catch (IOException e) {
      throw new RunException("%s: the metrics cannot be written: %s".formatted(path, e), e);
    }
  }

  /**
   * All that happened so far; a half-written last line is left out.
   *
   * @throws RunException if the file cannot be read or another line is malformed
   */
  public List<RunEvent> events() {
    try {
      return List.copyOf(metrics.read());
    } catch (IOException e) {
      throw unreadable(e);
    }
  }

  /**
   * Forgets all that happened after a step, because it is about to happen again.
   *
   * @param step the step of the checkpoint that the run goes on from
   * @throws RunException if the metrics cannot be read or written
   */
  public void rewindTo(long step) {
    try {
      metrics.rewindTo(step);
    } catch (IOException e) {
      throw unreadable(e);
    }
  }

  /**
   * Writes {@code report.html}, over an earlier one.
   *
   * @return the file
   * @throws RunException if it cannot be written
   */
  public Path writeReport(Report report) {
    Path file = path.resolve("report.html");
    try {
      AtomicFiles.write(file, ReportHtml.render(report));
    } catch (IOException e) {
      throw new RunException("%s cannot be written: %s".formatted(file, e), e);
    }
    return file;
  }

  private RunException unreadable(IOException e) {
    return new RunException("%s: the metrics cannot be read: %s".formatted(path, e), e);
  }

  /** Through text, so that 1 as an int and 1 as a long are the same. */
  private static JsonNode tree(RunInfo info) {
    return JSON.readTree(JSON.writeValueAsString(info));
  }

  private static @Nullable String difference(String place, JsonNode before, JsonNode now) {
    if (before.equals(now)) {
      return null;
    }
    if (before.isObject() && now.isObject()) {
      for (String key : now.propertyNames()) {
        if (!before.has(key)) {
          return "%s.%s was not set and is now %s".formatted(place, key, now.get(key));
        }
      }
      for (var entry : before.properties()) {
        String inner = place + "." + entry.getKey();
        if (!now.has(entry.getKey())) {
          return "%s was %s and is not set now".formatted(inner, entry.getValue());
        }
        String difference = difference(inner, entry.getValue(), now.get(entry.getKey()));
        if (difference != null) {
          return difference;
        }
      }
    }
    return "%s was %s and is now %s".formatted(place, before, now);
  }
}
