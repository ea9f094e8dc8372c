package io.trimtab.jinja;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/** Whatever the template, there is a text or a typed error, soon. */
class TemplateFuzzTest {
  private static final Limits SMALL = new Limits(20_000, 1 << 20, 20_000, 20_000, 60, 4096);

  private static final Map<String, Object> VARIABLES =
      Map.of(
          "s",
          "Hello 😀 World",
          "n",
          3,
          "f",
          -2.5,
          "l",
          List.of(3, 1, "x", List.of(), Map.of("a", 1)),
          "d",
          Map.of("a", 1, "b", List.of(1, 2), "c", "z"));

  private static final String[] PIECES = {
    "{{ ",
    " }}",
    "{% ",
    " %}",
    "{%- ",
    " -%}",
    "{# ",
    " #}",
    "if ",
    "elif ",
    "else",
    "endif",
    "for x in ",
    "for k, v in ",
    "endfor",
    "set x = ",
    "set ns.x = ",
    "set x",
    "endset",
    "macro m(a, b=1)",
    "endmacro",
    "m(",
    "call m()",
    "endcall",
    "caller()",
    "filter upper",
    "endfilter",
    "with x = 1",
    "endwith",
    "break",
    "continue",
    "generation",
    "endgeneration",
    "raw",
    "endraw",
    "s",
    "n",
    "f",
    "l",
    "d",
    "x",
    "zz",
    "loop",
    "loop.index",
    "namespace(x=1)",
    "range(",
    "dict(",
    ".",
    "[",
    "]",
    "(",
    ")",
    "{",
    "}",
    ",",
    ":",
    "|",
    " ~ ",
    " + ",
    " - ",
    " * ",
    " / ",
    " // ",
    " % ",
    " ** ",
    " == ",
    " < ",
    " in ",
    " not ",
    " and ",
    " or ",
    " is ",
    "1",
    "0",
    "2.5",
    "1e9",
    "'a'",
    "\"%s %d\"",
    "'{:>5}'",
    "none",
    "true",
    "upper",
    "join",
    "list",
    "map('upper')",
    "selectattr('a')",
    "sort",
    "tojson(indent=2)",
    "length",
    "items()",
    "split('a')",
    "strip()",
    "replace('a', 'b')",
    "format(1, 'a')",
    "defined",
    "string",
    "[::-1]",
    "[1:2]",
    "first",
    "\n",
    " "
  };

  @Provide
  Arbitrary<String> pieces() {
    return Arbitraries.of(PIECES).list().ofMaxSize(60).map(parts -> String.join("", parts));
  }

  @Provide
  Arbitrary<String> expressions() {
    return Arbitraries.of(PIECES)
        .filter(piece -> !piece.contains("{") && !piece.contains("}"))
        .list()
        .ofMinSize(1)
        .ofMaxSize(9)
        .map(parts -> "{{ " + String.join("", parts) + " }}");
  }

  @Property(tries = 3000)
  void piecesOfTheLanguage(@ForAll("pieces") String template) {
    check(template);
  }

  @Property(tries = 3000)
  void expressionsOfThePieces(@ForAll("expressions") String template) {
    check(template);
  }

  @Property(tries = 1000)
  void anyText(@ForAll String template) {
    check(template);
  }

  @Property(tries = 1000)
  void anyFormat(@ForAll String format) {
    String literal = Repr.repr(format, new Budget(Limits.DEFAULT));
    check("{{ " + literal + ".format(1, 'a', n) }}");
    check("{{ " + literal + " % (1, 'a', 2.5) }}");
    check("{{ s.split(" + literal + ") }}{{ " + literal + " | int }}{{ " + literal + " | float }}");
  }

  private static void check(String template) {
    Watched.Cost cost = Watched.render(template, VARIABLES, SMALL);
    assertThat(cost.nanos()).isLessThan(2_000_000_000L);
    assertThat(cost.bytes()).isLessThan(256L << 20);
  }
}
