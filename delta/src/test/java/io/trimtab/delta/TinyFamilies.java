package io.trimtab.delta;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.trimtab.model.Model;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** The recorded tiny models of every family, opened once each. */
final class TinyFamilies implements AutoCloseable {
  private static final Pattern BRACES = Pattern.compile("\\{([^{}]*)}");

  private final Map<String, Model> opened = new HashMap<>();

  /** The model of that name; skips the test where the fixtures are missing. */
  Model get(String name) {
    Path directory =
        Path.of(System.getProperty("trimtab.fixtures", "missing")).resolve("hf").resolve(name);
    assumeTrue(
        Files.isRegularFile(directory.resolve("config.json")),
        "skipped: no recorded model at " + directory + "; set -Dtrimtab.fixtures");
    return opened.computeIfAbsent(name, _ -> TinyModels.open(directory));
  }

  /** Every text that braces stand for: {@code a.{0-2}.{x,y}} is six of them. */
  static List<String> expand(String text) {
    Matcher matcher = BRACES.matcher(text);
    if (!matcher.find()) {
      return List.of(text);
    }
    List<String> all = new ArrayList<>();
    Stream.of(matcher.group(1).split(","))
        .flatMap(TinyFamilies::numbers)
        .forEach(
            one ->
                all.addAll(
                    expand(
                        text.substring(0, matcher.start()) + one + text.substring(matcher.end()))));
    return all;
  }

  private static Stream<String> numbers(String piece) {
    if (!piece.matches("\\d+-\\d+")) {
      return Stream.of(piece);
    }
    int dash = piece.indexOf('-');
    return IntStream.rangeClosed(
            Integer.parseInt(piece.substring(0, dash)), Integer.parseInt(piece.substring(dash + 1)))
        .mapToObj(String::valueOf);
  }

  @Override
  public void close() {
    opened.values().forEach(Model::close);
  }
}
