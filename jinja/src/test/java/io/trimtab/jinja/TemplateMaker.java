package io.trimtab.jinja;

import java.util.List;
import java.util.Random;

/**
 * Makes templates at random that mean something: sentences of the language over values that are
 * long, deep, shared or strange, in loops that repeat and keep what they make.
 */
final class TemplateMaker {
  private static final String[] FILTERS =
      ("abs attr batch capitalize center count d default dictsort e escape filesizeformat first"
              + " float forceescape format groupby indent int items join last length list lower map"
              + " max min reject rejectattr replace reverse round safe select selectattr slice sort"
              + " string striptags sum title tojson trim truncate unique upper urlencode wordcount"
              + " xmlattr nosuchfilter pprint")
          .split(" ");
  private static final String[] TESTS =
      ("boolean callable defined divisibleby eq escaped even false filter float ge gt in integer"
              + " iterable le lower lt mapping ne none number odd sameas sequence string test true"
              + " undefined upper nosuchtest")
          .split(" ");
  private static final String[] METHODS =
      ("capitalize casefold center count endswith expandtabs find format format_map index isalnum"
           + " isalpha isascii isdecimal isdigit isidentifier islower isnumeric isspace istitle"
           + " isupper join ljust lower lstrip partition removeprefix removesuffix replace rfind"
           + " rindex rjust rpartition rsplit rstrip split splitlines startswith strip swapcase"
           + " title upper zfill keys values items get copy fromkeys index count append pop update"
           + " real imag bit_length is_integer next reset current cycle changed nextitem previtem"
           + " depth grouper list __class__ _x")
          .split(" ");
  private static final String[] FORMATS = {
    "%s",
    "%r",
    "%a",
    "%d",
    "%5.3f",
    "%.900f",
    "%x",
    "%c",
    "%(k)s",
    "%*d",
    "%%",
    "%-9s|",
    "{}",
    "{0}",
    "{k}",
    "{:>9}",
    "{:,}",
    "{:.900f}",
    "{!r}",
    "{!a:5}",
    "{0[0]}",
    "{0.x}",
    "{:{}}",
    "{:x}",
    "{:z.1f}",
    "{:e}",
    "{:%}",
    "{{",
    "}"
  };
  private static final String[] ATOMS = {
    "b",
    "b",
    "u",
    "c",
    "w",
    "l",
    "t",
    "d",
    "k",
    "dag",
    "tup",
    "pairs",
    "gen",
    "m",
    "mu",
    "ns",
    "zz",
    "n",
    "big",
    "f",
    "nan",
    "inf",
    "none",
    "true",
    "range(9)",
    "range(1000)",
    "loop",
    "loop.index",
    "x",
    "i",
    "ns.k",
    "(d.items())",
    "(d.keys())",
    "(d.values())",
    "0",
    "1",
    "-1",
    "7",
    "2.5",
    "''",
    "'a'",
    "'<&'",
    "'\\x01'",
    "'😀'",
    "'é'",
    "'𝟎'",
    "'0'",
    "'a.b.0'",
    "','",
    "[]",
    "{}",
    "()",
    "10**9",
    "joiner()",
    "cycler(1, 2)",
    "dict",
    "1e308",
    "-0.0",
    "9 ** 400",
    "'x' * 50",
    "caller"
  };
  private static final String[] OPERATORS = {
    " + ",
    " - ",
    " * ",
    " / ",
    " // ",
    " % ",
    " ** ",
    " ~ ",
    " == ",
    " != ",
    " < ",
    " >= ",
    " in ",
    " not in ",
    " and ",
    " or "
  };

  private final Random random;
  private final int size;

  /**
   * @param size of the longest texts that the templates begin with
   */
  TemplateMaker(long seed, int size) {
    this.random = new Random(seed);
    this.size = size;
  }

  String template() {
    StringBuilder out = new StringBuilder(values());
    int statements = 1 + random.nextInt(3);
    for (int i = 0; i < statements; i++) {
      out.append(statement(2));
    }
    return out.toString();
  }

  /** The names of {@link #ATOMS}; each is dear to some operation. */
  private String values() {
    int n = random.nextInt(4) == 0 ? size : 1 + random.nextInt(60);
    return ("{%% set b = 'ab' * %d %%}{%% set u = 'aß<😀' * %d %%}{%% set c = '\\x01' * %d %%}{%%"
            + " set w = 'a ' * %d %%}{%% set l = range(%d) | list %%}{%% set t = (1, 'a', b)"
            + " %%}{%% set d = {'k': 1, 'a': b, 1: 2, (1, 2): none} %%}{%% set k = {'k': l}"
            + " %%}{%% set ns = namespace(x=[1], k=[], t=(1,)) %%}{%% for i in range(%d) %%}{%%"
            + " set ns.x = [ns.x, ns.x] %%}{%% set ns.t = (ns.t, ns.t) %%}{%% endfor %%}{%% set"
            + " dag = ns.x %%}{%% set tup = ns.t %%}{%% set pairs = [[1, 2], ['a', b]] %%}{%%"
            + " set n = %d %%}{%% set big = 10 ** %d %%}{%% set f = 0.1 %%}{%% set nan = 'nan'"
            + " | float %%}{%% set inf = 'inf' | float %%}{%% set mu = '<b>' | safe %%}{%%"
            + " macro m(a, b=1) %%}{{ a }}{{ varargs | length }}{%% endmacro %%}{%% set gen = l"
            + " | map('string') %%}")
        .formatted(
            n, n / 2, n, n, Math.min(n, 100_000), random.nextInt(45), n, random.nextInt(4200));
  }

  private String statement(int depth) {
    return switch (random.nextInt(depth > 0 ? 13 : 4)) {
      case 0 -> "{{ " + expression(3) + " }}";
      case 1 -> "{% set x = " + expression(3) + " %}";
      case 2 -> "{% set ns.k = " + expression(2) + " %}";
      case 3 -> "{% set ns.k = [ns.k, " + expression(2) + "] %}";
      case 4 -> "{% if " + expression(2) + " %}" + statement(depth - 1) + "{% endif %}";
      case 5 -> "{% set x %}" + statement(depth - 1) + "{% endset %}";
      case 6 -> "{% filter " + filter(1) + " %}" + statement(depth - 1) + "{% endfilter %}";
      case 7 ->
          "{% macro q(a, x="
              + expression(1)
              + ") %}"
              + statement(depth - 1)
              + "{% endmacro %}{% for i in range(1000) %}{{ q("
              + expression(1)
              + ") }}{% endfor %}";
      case 8 -> "{% call m(" + expression(1) + ") %}" + statement(depth - 1) + "{% endcall %}";
      case 9 ->
          "{% for x in "
              + expression(2)
              + (random.nextBoolean() ? " recursive %}" : " %}")
              + statement(depth - 1)
              + "{% endfor %}";
      case 10 -> "{% with x = " + expression(2) + " %}" + statement(depth - 1) + "{% endwith %}";
      default -> "{% for i in range(100000) %}" + statement(depth - 1) + "{% endfor %}";
    };
  }

  private String expression(int depth) {
    if (depth == 0 || random.nextInt(6) == 0) {
      return any(ATOMS);
    }
    return switch (random.nextInt(12)) {
      case 0, 1 -> "(" + expression(depth - 1) + any(OPERATORS) + expression(depth - 1) + ")";
      case 2, 3, 4 -> "(" + expression(depth - 1) + " | " + filter(depth - 1) + ")";
      case 5 ->
          "("
              + expression(depth - 1)
              + " is "
              + any(TESTS)
              + (random.nextBoolean() ? "(" + expression(depth - 1) + ")" : "")
              + ")";
      case 6, 7 -> expression(depth - 1) + "." + any(METHODS) + "(" + arguments(depth - 1) + ")";
      case 8 ->
          expression(depth - 1)
              + "["
              + expression(depth - 1)
              + (random.nextBoolean() ? ":" + expression(depth - 1) : "")
              + "]";
      case 9 -> "[" + expression(depth - 1) + ", " + expression(depth - 1) + "]";
      case 10 ->
          random.nextBoolean()
              ? "{" + expression(depth - 1) + ": " + expression(depth - 1) + "}"
              : "(" + expression(depth - 1) + ", " + expression(depth - 1) + ")";
      default -> {
        StringBuilder format = new StringBuilder("('");
        int parts = 1 + random.nextInt(4);
        for (int i = 0; i < parts; i++) {
          format.append(any(FORMATS));
        }
        format.append(
            random.nextInt(4) == 0 ? "<' | safe)" : "' * " + (1 + random.nextInt(9)) + ")");
        yield random.nextBoolean()
            ? "(" + format + " % " + expression(depth - 1) + ")"
            : format + ".format(" + arguments(depth - 1) + ")";
      }
    };
  }

  private String filter(int depth) {
    String name = any(FILTERS);
    if (List.of("map", "select", "reject").contains(name) && random.nextInt(4) > 0) {
      return name
          + "('"
          + any(random.nextBoolean() || !name.equals("map") ? TESTS : FILTERS)
          + "')";
    }
    if (random.nextInt(5) == 0) {
      return name + "(attribute=" + expression(depth) + ")";
    }
    return random.nextBoolean() ? name : name + "(" + arguments(depth) + ")";
  }

  private String arguments(int depth) {
    StringBuilder out = new StringBuilder();
    int count = random.nextInt(3);
    for (int i = 0; i < count; i++) {
      out.append(i == 0 ? "" : ", ").append(expression(depth));
    }
    return random.nextInt(6) == 0
        ? out + (count == 0 ? "k=" : ", k=") + expression(depth)
        : out.toString();
  }

  /** A template of others' with pieces of it taken away, doubled, exchanged or made strange. */
  String mutant(String template) {
    StringBuilder out = new StringBuilder(template);
    int changes = 1 + random.nextInt(6);
    for (int i = 0; i < changes; i++) {
      int at = random.nextInt(out.length() + 1);
      int end = Math.min(out.length(), at + random.nextInt(40));
      switch (random.nextInt(6)) {
        case 0 -> out.delete(at, end);
        case 1 -> out.insert(at, out.substring(at, end).repeat(1 + random.nextInt(3)));
        case 2 -> out.insert(random.nextInt(out.length() + 1), out.substring(at, end));
        case 3 -> out.insert(at, statement(1));
        case 4 -> {
          int print = out.indexOf("{{", at);
          out.insert(Math.max(0, print), "{% for i in range(100000) %}");
          int close = out.indexOf("}}", Math.max(0, print));
          out.insert(close < 0 ? out.length() : close + 2, "{% endfor %}");
        }
        default -> {
          int name = out.indexOf("message", at);
          if (name >= 0) {
            out.replace(name, name + 7, expression(2));
          }
        }
      }
    }
    return out.toString();
  }

  private String any(String[] of) {
    return of[random.nextInt(of.length)];
  }
}
