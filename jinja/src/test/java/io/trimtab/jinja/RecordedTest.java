package io.trimtab.jinja;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.InputStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Small templates, against what jinja2 in transformers' setting rendered ({@code record/}). */
class RecordedTest {
  private static final String FILE = "expressions.json";
  private static final int TEXTS = 849;
  private static final int ERRORS = 207;

  @TestFactory
  Stream<DynamicTest> rendersAsRecorded() throws Exception {
    JsonNode file;
    try (InputStream in = Objects.requireNonNull(RecordedTest.class.getResourceAsStream(FILE))) {
      file = JsonMapper.shared().readTree(in);
    }
    Map<String, Object> variables = new LinkedHashMap<>();
    file.get("variables")
        .properties()
        .forEach(it -> variables.put(it.getKey(), plain(it.getValue())));
    JinjaFunction raise =
        (arguments, named) -> {
          if (arguments.isEmpty()) {
            throw new JinjaException.WrongValue("expected a message");
          }
          throw new JinjaException.Raised(String.valueOf(arguments.getFirst()));
        };
    JinjaFunction year = (arguments, named) -> "2026";
    variables.put("raise_exception", raise);
    variables.put("strftime_now", year);
    List<DynamicTest> tests = new ArrayList<>();
    for (JsonNode node : file.get("cases")) {
      String template = node.get("template").asString();
      tests.add(
          DynamicTest.dynamicTest(
              tests.size() + ": " + template.replaceAll("\\s", " "),
              () -> {
                if (node.has("error")) {
                  String error = node.get("error").asString();
                  assertThatThrownBy(() -> Template.parse(template).render(variables))
                      .as(error)
                      .isInstanceOf(kind(error))
                      .message()
                      .doesNotContain("\n  at ");
                } else {
                  assertThat(Template.parse(template).render(variables))
                      .isEqualTo(node.get("text").asString());
                }
              }));
    }
    // The change log tells these numbers.
    assertThat(file.get("cases").size()).isEqualTo(TEXTS + ERRORS);
    assertThat(file.get("cases").valueStream().filter(it -> it.has("error"))).hasSize(ERRORS);
    return tests.stream();
  }

  /** The room's error that stands for an exception of Python's, of Jinja's or of its sandbox. */
  private static Class<? extends JinjaException> kind(String error) {
    if (error.startsWith("OverflowError: Range too big")) {
      // The one limit that Jinja's sandbox has too.
      return JinjaException.LimitExceeded.class;
    }
    return switch (error.substring(0, error.indexOf(':'))) {
      case "TemplateSyntaxError", "TemplateAssertionError", "SyntaxError" ->
          JinjaException.Syntax.class;
      case "UndefinedError" -> JinjaException.UndefinedValue.class;
      case "SecurityError" -> JinjaException.Forbidden.class;
      case "TemplateError" -> JinjaException.Raised.class;
      default -> JinjaException.WrongValue.class;
    };
  }

  private static Object plain(JsonNode node) {
    if (node.isObject()) {
      Map<String, Object> map = new LinkedHashMap<>();
      node.properties().forEach(it -> map.put(it.getKey(), plain(it.getValue())));
      return map;
    }
    if (node.isArray()) {
      List<Object> list = new ArrayList<>();
      node.forEach(it -> list.add(plain(it)));
      return list;
    }
    if (node.isNumber()) {
      return node.numberValue();
    }
    return node.isBoolean() ? node.booleanValue() : node.isNull() ? None.NONE : node.asString();
  }
}
