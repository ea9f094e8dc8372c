package io.trimtab.jinja;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Renders templates that were made at random, and says which take too long; what takes too much
 * memory ends this program, which is to be run in a small heap.
 */
final class RoomProof {
  /** The longest that the processor may be at work on one rendering. */
  static final Duration LONGEST = Duration.ofSeconds(2);

  /** Templates of others, and what their variables may be. */
  record Given(List<String> templates, Map<String, Object> variables) {}

  private RoomProof() {}

  /** {@code args}: the first seed, how many, and what part of the default limits. */
  public static void main(String[] args) throws IOException {
    long first = Long.parseLong(args[0]);
    Given given = given();
    Limits limits = Watched.part(Integer.parseInt(args[2]));
    List<String> failures = new ArrayList<>();
    for (long seed = first; seed < first + Integer.parseInt(args[1]); seed++) {
      String failure = failure(template(seed, 1_000_000, given), given.variables(), limits);
      if (failure != null) {
        failures.add("seed " + seed + ": " + failure);
      }
    }
    failures.forEach(System.out::println);
    System.exit(failures.isEmpty() ? 0 : 1);
  }

  /** A template made anew, or one of others' changed. */
  static String template(long seed, int size, Given given) {
    TemplateMaker maker = new TemplateMaker(seed, size);
    return seed % 3 == 0 && !given.templates().isEmpty()
        ? maker.mutant(given.templates().get((int) (seed / 3 % given.templates().size())))
        : maker.template();
  }

  /** What is wrong about a rendering, or null. */
  static @Nullable String failure(String template, Map<String, Object> variables, Limits limits) {
    try {
      Watched.Cost cost = Watched.render(template, variables, limits);
      return cost.nanos() <= LONGEST.toNanos()
          ? null
          : cost.nanos() / 1_000_000 + " ms: " + template;
    } catch (RuntimeException e) {
      return e + " at " + e.getStackTrace()[0] + ": " + template;
    }
  }

  /** The templates and a conversation of every {@code cases.json} below the fixtures. */
  static Given given() throws IOException {
    List<String> templates = new ArrayList<>();
    Map<String, Object> variables = new LinkedHashMap<>();
    Path fixtures = Path.of(System.getProperty("trimtab.fixtures", "missing"));
    if (Files.isDirectory(fixtures)) {
      try (Stream<Path> folders = Files.list(fixtures)) {
        for (Path folder : folders.sorted().toList()) {
          Path file = folder.resolve("cases.json");
          JsonNode root = Files.isRegularFile(file) ? JsonMapper.shared().readTree(file) : null;
          if (root != null && root.has("templates") && root.has("conversations")) {
            root.get("templates").forEach(it -> templates.add(it.asString()));
            variables.put("messages", plain(root.get("conversations").iterator().next()));
            variables.put("tools", plain(root.get("tools")));
          }
        }
      }
    }
    variables.put("bos_token", "<s>");
    variables.put("eos_token", "</s>");
    variables.put("add_generation_prompt", true);
    return new Given(templates, variables);
  }

  private static Object plain(JsonNode node) {
    return Objects.requireNonNull(JsonMapper.shared().convertValue(node, Object.class));
  }
}
