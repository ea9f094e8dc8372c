package io.trimtab.jinja;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Templates that want all time or all memory there is. */
class HostileTemplatesTest {
  /** Time goes with steps and memory, so an eighth of these shows the bound in an eighth of it. */
  private static final Limits EIGHTH =
      new Limits(
          Limits.DEFAULT.steps() / 8,
          Limits.DEFAULT.memory() / 8,
          Limits.DEFAULT.valueSize(),
          Limits.DEFAULT.output(),
          Limits.DEFAULT.depth(),
          Limits.DEFAULT.source());

  static Stream<String> hostile() {
    String grow = "{% set ns = namespace(x=";
    String loop = "{% for i in range(100000) %}";
    String big = "{% set b = 'a' * 4000000 %}";
    List<String> all =
        new ArrayList<>(
            List.of(
                "{% for i in range(10 ** 9) %}{% endfor %}",
                loop + loop + "{% endfor %}{% endfor %}",
                loop + loop + "x{% endfor %}{% endfor %}",
                "{{ 'a' * 10 ** 9 }}",
                "{{ [0] * 10 ** 9 }}",
                "{{ (0,) * 10 ** 18 }}",
                "{{ 9 ** (9 ** 9) }}",
                "{{ 10 ** 100000 }}",
                "{{ 2 ** (10 ** 30) }}",
                grow + "2) %}" + loop + "{% set ns.x = ns.x * ns.x %}{% endfor %}",
                grow + "'ab') %}" + loop + "{% set ns.x = ns.x ~ ns.x %}{% endfor %}",
                grow + "[1]) %}" + loop + "{% set ns.x = ns.x + ns.x %}{% endfor %}",
                grow + "[1]) %}" + loop + "{% set ns.x = ns.x + [1] %}{% endfor %}",
                grow + "[1]) %}" + loop + "{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x }}",
                grow
                    + "1) %}{% set ns.x = [ns] %}"
                    + loop
                    + "{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x | tojson }}",
                grow
                    + "[1]) %}{% for i in range(60) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{"
                    + " ns.x }}",
                grow
                    + "[1]) %}{% for i in range(60) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{"
                    + " ns.x | tojson }}",
                "{% set a = namespace(x=[1]) %}{% set c = namespace(x=[1]) %}{% for i in range(60)"
                    + " %}{% set a.x = [a.x, a.x] %}{% set c.x = [c.x, c.x] %}{% endfor %}{{ a.x =="
                    + " c.x }}",
                grow
                    + "(1,)) %}{% for i in range(60) %}{% set ns.x = (ns.x, ns.x) %}{% endfor %}{{"
                    + " {ns.x: 1} }}",
                "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
                "{% macro m(n) %}{{ m(n) ~ m(n) }}{% endmacro %}{{ m(1) }}",
                "{% for x in [[]] recursive %}{{ loop([x]) }}{% endfor %}",
                "{{ 'x'.center(10 ** 9) }}",
                "{{ 'x'.ljust(10 ** 9) }}",
                "{{ '1'.zfill(10 ** 9) }}",
                "{{ '\\t'.expandtabs(10 ** 9) }}",
                "{{ '%999999999d' % 1 }}",
                "{{ '%*d' % (10 ** 9, 1) }}",
                "{{ '%.999999999f' % 1.5 }}",
                "{{ '%.999999999d' % 1 }}",
                "{{ '{:>999999999}'.format('x') }}",
                "{{ '{:.999999999f}'.format(1.5) }}",
                "{{ 'x' | indent(10 ** 9, true) }}",
                "{{ [1] | batch(10 ** 9, 'x') | list }}",
                "{{ [1] | slice(10 ** 9) | list }}",
                "{{ [1] | tojson(indent=10 ** 9) }}",
                "{{ 'x' | center(10 ** 9) }}",
                big + "{{ b.replace('a', b) }}",
                big + "{{ b.replace('', b) }}",
                big + "{{ b.join(b) }}",
                big + "{% for i in range(1000) %}{{ b }}{% endfor %}",
                big + loop + "{{ (b ~ 'b') in b }}{% endfor %}",
                big + loop + "{{ b.find('aaaaaaab') }}{% endfor %}",
                big + loop + "{{ b == b ~ '' }}{% endfor %}",
                big + loop + "{{ b.rfind('b' ~ b[:2000]) }}{% endfor %}",
                big + loop + "{{ b.split('aa') | length }}{% endfor %}",
                big + loop + "{{ b | length }}{{ b[i] }}{{ b[::-1] | first }}{% endfor %}",
                big + loop + "{{ b.strip('a') }}{% endfor %}",
                big + loop + "{{ b | striptags | wordcount }}{% endfor %}",
                "{% set l = range(100000) | list %}"
                    + loop
                    + "{{ l | sort | first }}{{ 100001 in l }}{% endfor %}",
                "{% set l = range(100000) | list %}"
                    + loop
                    + "{{ l | map('string') | join | length }}{% endfor %}",
                "{% set l = range(100000) | list %}"
                    + loop
                    + "{{ l.index(99999) }}{{ l.count(1) }}{% endfor %}",
                grow
                    + "[1]) %}{% for i in range(5000) %}{% set ns.x = ns.x | map('string') %}{%"
                    + " endfor %}{{ ns.x | list }}"));
    for (String open :
        List.of("(", "[", "{1:", "not ", "-", "f(", "x[", "1 if ", "a|f(", "x is x(")) {
      all.add("{{ " + open.repeat(50_000));
    }
    all.add("{{ " + "(".repeat(5000) + "1" + ")".repeat(5000) + " }}");
    all.add("{{ 1" + "+1".repeat(50_000) + " }}");
    all.add("{{ a" + ".a".repeat(50_000) + " }}");
    all.add("{{ ''" + "|upper".repeat(50_000) + " }}");
    all.add("{{ 1" + " if 1".repeat(50_000) + " }}");
    all.add("{% if 1 %}".repeat(20_000));
    all.add("{% for x in y %}".repeat(20_000));
    all.add("{% if 1 %}".repeat(2000) + "{% endif %}".repeat(2000));
    all.add("a".repeat(2 << 20));
    return all.stream();
  }

  @ParameterizedTest
  @MethodSource("hostile")
  void endsSoonWithATypedError(String template) {
    assertTimeoutPreemptively(
        Duration.ofSeconds(5),
        () ->
            assertThatThrownBy(() -> Template.parse(template, EIGHTH).render(Map.of()))
                .isInstanceOf(JinjaException.class)
                .isInstanceOfAny(
                    JinjaException.LimitExceeded.class,
                    JinjaException.Syntax.class,
                    JinjaException.UndefinedValue.class));
  }

  @Test
  void eachLimitCounts() {
    Limits small = new Limits(1000, 10_000, 100, 50, 30, 200);
    for (String template :
        List.of(
            "{% for i in range(2000) %}{% endfor %}",
            "{{ 'a' * 101 }}",
            "{{ 'a' * 51 }}",
            "{% for i in range(9) %}{{ ('a' * 90) | upper | length }}{% set x = [1] * 90 %}{%"
                + " endfor %}",
            "{{ " + "(".repeat(11) + "1" + ")".repeat(11) + " }}",
            "a".repeat(201))) {
      assertThatThrownBy(() -> Template.parse(template, small).render(Map.of()))
          .as(template)
          .isInstanceOf(JinjaException.LimitExceeded.class);
    }
    assertThat(Template.parse("{{ 'a' * 50 }}", small).render(Map.of())).hasSize(50);
  }

  @Test
  void deepInputIsRefused() {
    Object deep = List.of();
    for (int i = 0; i < 1000; i++) {
      deep = List.of(deep);
    }
    Map<String, Object> variables = Map.of("x", deep);
    assertThatThrownBy(() -> Template.parse("{{ x }}").render(variables))
        .isInstanceOf(JinjaException.LimitExceeded.class);
  }
}
