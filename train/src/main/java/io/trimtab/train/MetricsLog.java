package io.trimtab.train;

import io.trimtab.hub.AtomicFiles;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.core.JacksonException;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.json.JsonMapper;

/**
 * The file {@code metrics.jsonl}: one JSON object a line, appended as things happen. A line counts
 * once its line break is written; what stands after the last one is the trace of a killed process.
 */
final class MetricsLog {
  private static final JsonMapper JSON = JsonMapper.shared();
  private static final TypeReference<LinkedHashMap<String, Object>> OBJECT =
      new TypeReference<>() {};

  private final Path file;

  MetricsLog(Path file) {
    this.file = file;
  }

  /** Adds a line and hands it to the operating system, where a killed process cannot lose it. */
  void append(RunEvent event) throws IOException {
    ByteBuffer line = AtomicFiles.encode(line(event));
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
      while (line.hasRemaining()) {
        channel.write(line);
      }
    }
  }

  /** All whole lines; none if there is no file. */
  List<RunEvent> read() throws IOException {
    List<RunEvent> events = new ArrayList<>();
    if (!Files.exists(file)) {
      return events;
    }
    String text = new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
    int number = 1;
    for (int start = 0, end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      events.add(parse(text.substring(start, end), number++));
      start = end + 1;
    }
    return events;
  }

  /** Cuts off what stands after the last line break. */
  void dropHalfLine() throws IOException {
    if (!Files.exists(file)) {
      return;
    }
    try (RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "rw")) {
      long end = bytes.length();
      while (end > 0) {
        bytes.seek(end - 1);
        if (bytes.read() == '\n') {
          break;
        }
        end--;
      }
      bytes.setLength(end);
    }
  }

  /** Keeps the lines up to a step. */
  void rewindTo(long step) throws IOException {
    List<RunEvent> events = read();
    StringBuilder kept = new StringBuilder();
    boolean dropped = false;
    for (RunEvent event : events) {
      if (event.step() <= step) {
        kept.append(line(event));
      } else {
        dropped = true;
      }
    }
    if (dropped) {
      AtomicFiles.write(file, kept.toString());
    }
  }

  private static String line(RunEvent event) {
    Map<String, Object> object = new LinkedHashMap<>();
    object.put("step", event.step());
    object.put("event", event.event());
    object.putAll(event.values());
    return JSON.writeValueAsString(object) + "\n";
  }

  private RunEvent parse(String line, int number) {
    Map<String, Object> object;
    try {
      object = JSON.readValue(line, OBJECT);
    } catch (JacksonException e) {
      throw new RunException(place(number) + " is not JSON: " + e.getOriginalMessage(), e);
    }
    // The text "null" is JSON too, and no object.
    if (object != null
        && object.remove("step") instanceof Number step
        && object.remove("event") instanceof String event) {
      return new RunEvent(step.longValue(), event, object);
    }
    throw new RunException(
        place(number)
            + " has no \"step\" and \"event\"; expected {\"step\":1,\"event\":\"train\",…}");
  }

  private String place(int number) {
    return "%s line %d".formatted(file, number);
  }
}
