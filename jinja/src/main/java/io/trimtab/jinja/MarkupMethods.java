package io.trimtab.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The methods of marked texts, as markupsafe 3 has them. */
final class MarkupMethods {
  /** Methods that give a marked text, or several. */
  private static final Set<String> MARKING =
      Set.of(
          "join",
          "split",
          "rsplit",
          "splitlines",
          "partition",
          "rpartition",
          "capitalize",
          "title",
          "lower",
          "upper",
          "casefold",
          "swapcase",
          "replace",
          "ljust",
          "rjust",
          "center",
          "strip",
          "lstrip",
          "rstrip",
          "expandtabs",
          "zfill",
          "removeprefix",
          "removesuffix",
          "format",
          "format_map");

  /** Methods whose second argument becomes part of the text. */
  private static final Set<String> ESCAPING = Set.of("replace", "ljust", "rjust", "center");

  private MarkupMethods() {}

  static @Nullable Object method(Markup markup, String name, Budget budget) {
    if (name.equals("format") || name.equals("format_map")) {
      return TextMethods.format(markup.text(), name, true, budget);
    }
    Object method = TextMethods.method(markup.text(), name, budget);
    if (!(method instanceof Callable callable) || !MARKING.contains(name)) {
      return method;
    }
    return Callable.of(
        name,
        args -> {
          Args given = name.equals("join") ? joined(args, budget) : escaped(args, name, budget);
          return marked(callable.call(given), budget);
        });
  }

  /** The texts of a result, marked. */
  static Object marked(Object result, Budget budget) {
    return switch (result) {
      case String text -> new Markup(text);
      case List<?> parts -> all(parts, budget);
      case Tuple parts -> new Tuple(all(parts.items(), budget));
      default -> result;
    };
  }

  private static List<Object> all(List<?> parts, Budget budget) {
    budget.items(2L * parts.size());
    List<Object> out = new ArrayList<>(parts.size());
    parts.forEach(part -> out.add(new Markup((String) part)));
    return out;
  }

  /** Unlike a plain text, a marked one joins values of any type. */
  private static Args joined(Args args, Budget budget) {
    List<Object> items = new ArrayList<>();
    for (Object item : Values.items(args.bind("join", 1, "iterable").get(0), budget)) {
      budget.items(1);
      items.add(Markup.escape(item, budget));
    }
    return new Args(List.of(items), Map.of());
  }

  private static Args escaped(Args args, String method, Budget budget) {
    if (!ESCAPING.contains(method)) {
      return args;
    }
    if (!args.named().isEmpty()) {
      throw new JinjaException.WrongValue(
          "expected arguments of a marked text's "
              + method
              + " by their places, found one by name");
    }
    if (args.positional().size() < 2) {
      return args;
    }
    List<Object> given = new ArrayList<>(args.positional());
    given.set(1, Markup.escape(given.get(1), budget));
    return new Args(given, Map.of());
  }
}
