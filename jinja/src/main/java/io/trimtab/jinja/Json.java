package io.trimtab.jinja;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The filter {@code tojson} as transformers has it: Python's {@code json.dumps}. */
final class Json {
  private final StringBuilder out = new StringBuilder();
  private final Budget budget;
  private final boolean ascii;
  private final @Nullable String indent;
  private final String itemSeparator;
  private final String keySeparator;
  private final boolean sorted;

  private Json(Args.Bound bound, Budget budget) {
    this.budget = budget;
    this.ascii = bound.flag(1);
    if (!bound.given(2)) {
      this.indent = null;
    } else {
      String text = Values.asText(bound.get(2));
      this.indent = text != null ? text : Strings.repeat(" ", bound.integer(2, 0), budget);
    }
    if (bound.given(3)) {
      List<Object> pair = Values.items(bound.get(3), budget);
      if (pair.size() != 2
          || !(pair.get(0) instanceof String item)
          || !(pair.get(1) instanceof String key)) {
        throw new JinjaException.WrongValue("expected two texts as the separators of tojson");
      }
      this.itemSeparator = item;
      this.keySeparator = key;
    } else {
      this.itemSeparator = indent == null ? ", " : ",";
      this.keySeparator = ": ";
    }
    this.sorted = bound.flag(4);
  }

  static String of(Object value, Args args, Budget budget) {
    List<Object> all = new ArrayList<>(List.of(value));
    all.addAll(args.positional());
    Args.Bound bound =
        new Args(all, args.named())
            .bind("tojson", 1, "x", "ensure_ascii", "indent", "separators", "sort_keys");
    Json json = new Json(bound, budget);
    json.value(value, 0);
    budget.text(json.out.length());
    return json.out.toString();
  }

  private void value(Object value, int level) {
    budget.step();
    budget.fits(out.length());
    switch (value) {
      case None none -> out.append("null");
      case Boolean flag -> out.append(flag);
      case Double number -> out.append(real(number));
      case Number number -> out.append(Numbers.digits(number, budget));
      case String text -> string(text);
      case Markup markup -> string(markup.text());
      case List<?> list -> list(list, level);
      case Tuple tuple -> list(tuple.items(), level);
      case Dict dict -> dict(dict, level);
      default ->
          throw new JinjaException.WrongValue(
              "Object of type " + Values.type(value) + " is not JSON serializable");
    }
  }

  private static String real(double value) {
    return Double.isNaN(value)
        ? "NaN"
        : Double.isInfinite(value) ? (value > 0 ? "Infinity" : "-Infinity") : Repr.real(value);
  }

  private void list(List<?> items, int level) {
    if (items.isEmpty()) {
      out.append("[]");
      return;
    }
    budget.enter();
    out.append('[');
    for (int i = 0; i < items.size(); i++) {
      separate(i == 0, level + 1);
      value(items.get(i), level + 1);
    }
    newLine(level);
    out.append(']');
    budget.exit();
  }

  private void dict(Dict dict, int level) {
    if (dict.size() == 0) {
      out.append("{}");
      return;
    }
    budget.enter();
    out.append('{');
    Collection<Dict.Entry> all = dict.entries();
    if (sorted) {
      budget.items(dict.size());
      List<Dict.Entry> entries = new ArrayList<>(all);
      entries.sort((a, b) -> Values.sortOrder(a.key(), b.key(), budget));
      all = entries;
    }
    boolean first = true;
    for (Dict.Entry entry : all) {
      separate(first, level + 1);
      first = false;
      string(key(entry.key()));
      out.append(keySeparator);
      value(entry.value(), level + 1);
    }
    newLine(level);
    out.append('}');
    budget.exit();
  }

  private String key(Object key) {
    return switch (key) {
      case None none -> "null";
      case Boolean flag -> flag.toString();
      case Double number -> real(number);
      case Number number -> Numbers.digits(number, budget);
      case String text -> text;
      case Markup markup -> markup.text();
      default ->
          throw new JinjaException.WrongValue(
              "keys must be str, int, float, bool or None, not " + Values.type(key));
    };
  }

  private void separate(boolean first, int level) {
    if (!first) {
      out.append(itemSeparator);
    }
    newLine(level);
  }

  private void newLine(int level) {
    if (indent != null) {
      out.append('\n').append(Strings.repeat(indent, level, budget));
    }
  }

  private void string(String text) {
    budget.work(text.length());
    budget.fits((long) out.length() + text.length());
    out.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '"' -> out.append("\\\"");
        case '\\' -> out.append("\\\\");
        case '\n' -> out.append("\\n");
        case '\r' -> out.append("\\r");
        case '\t' -> out.append("\\t");
        case '\f' -> out.append("\\f");
        case '\b' -> out.append("\\b");
        default -> {
          if (c < 0x20 || (ascii && c > 126)) {
            Repr.hex(c, 4, out.append("\\u"));
            budget.fits(out.length());
          } else {
            out.append(c);
          }
        }
      }
    }
    out.append('"');
  }
}
