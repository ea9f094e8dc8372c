package io.trimtab.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import tools.jackson.databind.json.JsonMapper;

/** What a command did: its exit code and all that it wrote. */
record Run(int code, String out, String err) {
  /** Runs a command in this process. */
  static Run of(String... args) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    int code =
        Main.commandLine()
            .setOut(new PrintWriter(out, true))
            .setErr(new PrintWriter(err, true))
            .execute(args);
    return new Run(code, out.toString(), err.toString());
  }

  /** Runs a command with more arguments behind. */
  static Run of(List<String> args, String... more) {
    return of(Stream.concat(args.stream(), Arrays.stream(more)).toArray(String[]::new));
  }

  Run succeeded() {
    assertThat(code).as(err).isZero();
    return this;
  }

  /** The result: one object on one line, with nothing else on standard output. */
  Map<?, ?> json() {
    assertThat(out.lines()).as(out).hasSize(1);
    return JsonMapper.shared().readValue(out, Map.class);
  }

  /** A field of an object, or of an object in an object. */
  static Object get(Object object, String... path) {
    Object at = object;
    for (String name : path) {
      at = Objects.requireNonNull(((Map<?, ?>) at).get(name), name);
    }
    return at;
  }

  /** A field that is a list. */
  static List<?> list(Object object, String name) {
    return (List<?>) get(object, name);
  }

  /** A field that is a number. */
  static double number(Object object, String... path) {
    return ((Number) get(object, path)).doubleValue();
  }
}
