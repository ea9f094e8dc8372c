package io.trimtab.jinja;

import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Templates that want all time or all memory there is. */
class HostileTemplatesTest {
  /** Time and memory go with the limits, so an eighth of these shows the bounds in an eighth. */
  private static final Limits EIGHTH = Watched.part(8);

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
    Watched.Cost cost = bounded(template);
    assertThat(cost.error())
        .isInstanceOfAny(
            JinjaException.LimitExceeded.class,
            JinjaException.Syntax.class,
            JinjaException.UndefinedValue.class);
  }

  /** Each once took all time or all memory there is, beside the limits, or threw Java's errors. */
  static Stream<Arguments> mended() {
    String loop = "{% for i in range(100000) %}";
    String end = "{% endfor %}";
    String big = "{% set b = 'a' * 1000000 %}";
    String lists =
        "{% set ns = namespace(x=[1]) %}{% for i in range(60) %}{% set ns.x = [ns.x, ns.x] %}{%"
            + " endfor %}";
    String tuples =
        "{% set ns = namespace(x=(1,)) %}{% for i in range(60) %}{% set ns.x = (ns.x, ns.x) %}{%"
            + " endfor %}";
    String keep = "{% set ns = namespace(k=[]) %}" + loop + "{% set ns.k = [ns.k, ";
    Map<String, List<String>> all = new LinkedHashMap<>();
    all.put(
        "keys are hashed within bounds",
        List.of(
            lists + "{% set d = {'k': ns.x} %}{{ {d.items(): 1} }}",
            lists + "{% set d = {'k': ns.x} %}{{ d.values() in {} }}",
            lists + "{% set d = {'k': ns.x} %}{{ [d.keys(), d.items()] | unique | list }}",
            lists + "{{ {(1, ns.x): 1} }}",
            tuples + "{{ {ns.x: 1} }}",
            tuples + "{{ [ns.x] | unique | list }}",
            tuples + "{{ ns.x in {} }}",
            lists + "{% macro m() %}{% endmacro %}{{ {m: 1} }}",
            loop + "{{ {('b', 10 ** 4000, i): i} }}" + end,
            // Numbers and texts that once all had the hash 0, which tables cannot order.
            "{% set l = ["
                + IntStream.range(1, 3000)
                    .mapToObj(i -> i * ((1L << 32) + 1) + ",'\\x00'*" + i)
                    .collect(joining(","))
                + "] %}"
                + loop
                + "{{ l | unique | list | length }}"
                + end));
    all.put(
        "what is formatted is escaped within bounds",
        List.of(
            tuples + "{{ ('<%s>' | safe) % ns.x }}",
            tuples + "{{ ('<%s>' | safe) % (ns.x,) }}",
            tuples + "{{ ('<{}>' | safe).format(ns.x) }}",
            lists + "{{ ('<%s>' | safe) % {'a': ns.x} }}"));
    all.put(
        "texts are folded at a price",
        List.of(
            big + "{% set l = [b, b, b] * 30000 %}{{ l | sort | length }}",
            big + "{% set l = [b, b ~ 'a', b] * 30000 %}{{ l | unique | list | length }}",
            big + "{% set l = [b] * 100000 %}{{ l | max }}",
            big + "{% set l = [[b]] * 100000 %}{{ l | groupby(0) | length }}"));
    all.put(
        "looking through items has its price",
        List.of(
            "{% set l = range(100000) | list %}" + loop + "{% set x = l | join | first %}" + end,
            "{% set p = '.' * 1000000 %}" + loop + "{{ [] | map(attribute=p) | list }}" + end,
            "{% set p = ',' * 1000000 %}" + loop + "{{ [] | sort(attribute=p) }}" + end,
            big + loop + "{{ b is sameas (b) }}{{ b ~ 'a' is sameas b }}" + end,
            "{% set b = '1' * 1000000 %}" + loop + "{{ (b[:9999] | filesizeformat)[:0] }}" + end,
            big + loop + "{{ 'x' | truncate(2000000, end=b) }}" + end,
            tuples + "{{ 'x'.format_map({ns.x: 1}) }}",
            big + keep + "b.splitlines()] %}" + end,
            "{% set b = 'a\\n' * 1000000 %}" + keep + "b.splitlines()] %}" + end,
            "{% set b = 'a ' * 1000000 %}" + keep + "b.split()] %}" + end,
            "{% set b = 'a ' * 1000000 %}" + keep + "b.rsplit(none, 999999)] %}" + end,
            "{% set b = 'a ' * 1000000 %}" + loop + "{{ (b | striptags)[:0] }}" + end,
            "{% set b = '\\x01' * 1000000 %}" + loop + "{{ [b] | tojson | length }}" + end,
            "{% set b = '\\x01' * 1000000 %}" + loop + "{{ [b] | string | length }}" + end,
            "{% set b = 'é' * 1000000 %}" + loop + "{{ ('%a' % b) | length }}" + end));
    all.put(
        "stripping has its price",
        List.of(
            big + "{% set c = 'b' * 1000000 ~ 'a' %}{{ b.strip(c) }}",
            big + "{% set c = 'b' * 1000000 ~ 'a' %}{{ b | trim(c) }}"));
    all.put(
        "what is undefined holds little",
        List.of(
            big + keep + "{}[b ~ i]] %}" + end,
            big + keep + "''[b ~ i]] %}" + end,
            big + keep + "[][(b, i)]] %}" + end,
            big + keep + "({} | attr(b ~ i))] %}" + end,
            keep + "zz] %}" + end + loop + "{% set ns.k = [ns.k, zz] %}" + end));
    all.put(
        "formatting has its price",
        List.of(
            big + loop + "{{ '%.0s%.0s%.0s' % (b, b, b) }}" + end,
            big + loop + "{{ '{:.0}{:.0}'.format(b, b) }}" + end,
            big + loop + "{{ ('{:' ~ b ~ '}').format('x') }}" + end,
            loop + "{{ ('{' ~ '{' * 1000000).format('x') if i > 999 }}" + end,
            loop + "{{ '%.1000f'[:7] % 1e-300 }}" + end,
            loop + "{{ (10 ** 4200 + i) // (10 ** 2100 + 1) == 1 }}" + end,
            loop + "{{ 7 / (10 ** 4200 + i) }}" + end,
            loop + "{{ (10 ** 4200 + i) | string | length }}" + end,
            loop + "{{ ('9' * 4300) | int == 1 }}" + end,
            loop + "{{ '%d%x' % (10 ** 4200, 10 ** 4200) | length }}" + end));
    String many = IntStream.range(0, 1000).mapToObj(i -> "a" + i + "=1").collect(joining(","));
    all.put(
        "macros' parameters have their price",
        List.of(
            "{% macro m(" + many + ") %}{% endmacro %}" + loop + "{{ m() }}" + end,
            "{% macro m("
                + many.replace("=1", "")
                + ") %}{% endmacro %}"
                + loop
                + "{{ m() }}"
                + end,
            "{% with %}".repeat(90)
                + loop
                + loop
                + "{% if x is defined %}{% endif %}"
                + end
                + end
                + "{% endwith %}".repeat(90),
            loop + "{{ " + "n".repeat(100_000) + " }}" + end,
            "{% set a %}{{ 'é' * 4000000 }}".repeat(90) + "{% endset %}".repeat(90)));
    return all.entrySet().stream()
        .flatMap(entry -> entry.getValue().stream().map(it -> Arguments.of(entry.getKey(), it)));
  }

  @ParameterizedTest
  @MethodSource("mended")
  void mendedHoles(String what, String template) {
    assertThat(bounded(template)).as(what).isNotNull();
  }

  @Test
  void javasErrorsStayInside() {
    for (String template :
        List.of(
            "{% set ns = namespace() %}{% for x in [1] %}{% set ns.l = loop %}{% endfor %}[{{"
                + " ns.l.nextitem }}{{ ns.l.previtem }}{{ ns.l.index }}]",
            "{{ '𝟎' | int }}",
            "{{ '٣' | int }}",
            "{{ [1, 2, 3, 4] | map('float') | max }}",
            "{% set n = 'nan' | float %}{{ [1, n, 2] | max }}{{ [n, 1] | min }}{{ n < 1 }}")) {
      assertThat(bounded(template).error()).as(template).isNull();
    }
    String numbers =
        IntStream.range(0, 200)
            .mapToObj(i -> i % 3 == 0 ? "n" : String.valueOf(i * 37 % 101))
            .collect(joining(","));
    assertThat(bounded("{% set n = 'nan' | float %}{{ [" + numbers + "] | sort | list }}").error())
        .isInstanceOf(JinjaException.WrongValue.class);
  }

  /** Renders under an eighth of the limits, which must not take more than the whole may. */
  private static Watched.Cost bounded(String template) {
    Watched.Cost cost =
        assertTimeoutPreemptively(
            Duration.ofSeconds(30), () -> Watched.render(template, Map.of(), EIGHTH));
    assertThat(cost.nanos()).as("nanoseconds").isLessThan(2_000_000_000L);
    assertThat(cost.bytes()).as("bytes allocated").isLessThan(256L << 20);
    return cost;
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
