package io.trimtab.jinja;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class TemplateTest {
  @Test
  void errorsTellTheirPlace() {
    assertThatThrownBy(() -> Template.parse("a\nb {{ 1 + }}"))
        .isInstanceOfSatisfying(
            JinjaException.Syntax.class,
            e -> {
              assertThat(e.line()).isEqualTo(2);
              assertThat(e.column()).isEqualTo(10);
            });
    Template template = Template.parse("line\n{% if true %}\n  {{ x.y.z }}\n{% endif %}");
    assertThatThrownBy(() -> template.render(Map.of("x", Map.of())))
        .isInstanceOfSatisfying(
            JinjaException.UndefinedValue.class, e -> assertThat(e.line()).isEqualTo(3))
        .hasMessageContaining("'dict object' has no attribute 'y'");
  }

  @Test
  void aRaisedErrorKeepsTheTemplatesWords() {
    JinjaFunction raise =
        (arguments, named) -> {
          throw new JinjaException.Raised(String.valueOf(arguments.getFirst()));
        };
    assertThatThrownBy(
            () -> Template.parse("\n{{ raise('no tools here') }}").render(Map.of("raise", raise)))
        .isInstanceOfSatisfying(
            JinjaException.Raised.class,
            e -> {
              assertThat(e.reason()).isEqualTo("no tools here");
              assertThat(e.line()).isEqualTo(2);
            });
  }

  @Test
  void generationsAreWhereTheirTextIs() {
    Rendering rendering =
        Template.parse("{% for x in l %}<{% generation %}{{ x }}!{% endgeneration %}>{% endfor %}")
            .rendering(Map.of("l", List.of("a", "bc")));
    assertThat(rendering.text()).isEqualTo("<a!><bc!>");
    assertThat(
            rendering.generations().stream()
                .map(it -> rendering.text().substring(it.start(), it.end())))
        .containsExactly("a!", "bc!");
  }

  @Test
  void functionsGetPlainValues() {
    List<Object> seen = new ArrayList<>();
    JinjaFunction function =
        (arguments, named) -> {
          seen.addAll(arguments);
          seen.add(named);
          return List.of(1, "x");
        };
    assertThat(
            Template.parse("{{ f(1, 'a', [2.5], {'k': none}, z=true) }}")
                .render(Map.of("f", function)))
        .isEqualTo("[1, 'x']");
    Map<String, Object> inner = new LinkedHashMap<>();
    inner.put("k", null);
    assertThat(seen).containsExactly(1L, "a", List.of(2.5), inner, Map.of("z", true));
  }

  @Test
  void variablesAreNotChanged() {
    List<Object> list = new ArrayList<>(List.of(1));
    Template template = Template.parse("{% set l = l + [2] %}{{ l }}");
    assertThat(template.render(Map.of("l", list))).isEqualTo("[1, 2]");
    assertThat(template.render(Map.of("l", list))).isEqualTo("[1, 2]");
    assertThat(list).containsExactly(1);
  }

  @Test
  void onlyPlainValuesGetIn() {
    Map<String, Object> variables = Map.of("x", java.util.Locale.ROOT);
    assertThatThrownBy(() -> Template.parse("{{ x }}").render(variables))
        .isInstanceOf(JinjaException.WrongValue.class)
        .hasMessageContaining("java.util.Locale");
  }
}
