package io.trimtab.jinja;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** The filters that make texts. */
final class TextFilters {
  private TextFilters() {}

  static void register(Map<String, Filters.Body> all) {
    all.put(
        "string",
        (input, args, evaluator) -> input instanceof Markup ? input : string(input, evaluator));
    for (String name : List.of("upper", "lower", "capitalize")) {
      all.put(name, text(name, text -> TextMethods.cased(text, name)));
    }
    all.put("title", text("title", TextFilters::title));
    all.put(
        "trim",
        (input, args, evaluator) -> {
          Args.Bound bound = args.bind("trim", 0, "chars");
          String chars = bound.given(0) ? bound.text(0) : null;
          return TextMethods.strip(string(input, evaluator), chars, true, true, evaluator.budget());
        });
    all.put(
        "replace",
        (input, args, evaluator) -> {
          Args.Bound bound = args.bind("replace", 2, "old", "new", "count");
          return Strings.replace(
              string(input, evaluator),
              string(bound.get(0), evaluator),
              string(bound.get(1), evaluator),
              bound.given(2) ? bound.integer(2, -1) : -1,
              evaluator.budget());
        });
    all.put(
        "center",
        (input, args, evaluator) ->
            TextMethods.justify(
                string(input, evaluator),
                args.bind("center", 0, "width").integer(0, 80),
                " ",
                "center",
                evaluator.budget()));
    all.put("indent", TextFilters::indent);
    all.put("truncate", TextFilters::truncate);
    all.put("format", TextFilters::format);
    all.put("tojson", (input, args, evaluator) -> Json.of(input, args, evaluator.budget()));
    for (String name : List.of("escape", "e")) {
      all.put(name, (input, args, evaluator) -> Markup.escape(input, evaluator.budget()));
    }
    all.put(
        "forceescape",
        (input, args, evaluator) -> Markup.escape(string(input, evaluator), evaluator.budget()));
    all.put("safe", (input, args, evaluator) -> new Markup(string(input, evaluator)));
    all.put("striptags", text("striptags", TextFilters::stripTags));
    all.put("wordcount", text("wordcount", TextFilters::words));
    all.put("urlencode", TextFilters::urlEncode);
    all.put("xmlattr", TextFilters::xmlAttributes);
  }

  static String string(Object value, Evaluator evaluator) {
    return Repr.string(value, evaluator.budget());
  }

  /** A filter without arguments on any value's text. */
  private static Filters.Body text(String name, Function<String, Object> body) {
    return (input, args, evaluator) -> {
      args.bind(name, 0);
      String text = string(input, evaluator);
      TextMethods.countLetters(text.length(), evaluator.budget());
      Object result = body.apply(text);
      return input instanceof Markup && result instanceof String made ? new Markup(made) : result;
    };
  }

  /** Jinja's own title case: a word begins behind blanks, hyphens and opening brackets alone. */
  private static String title(String text) {
    StringBuilder out = new StringBuilder(text.length());
    int start = 0;
    boolean separators = false;
    for (int i = 0; i <= text.length(); i++) {
      boolean separator =
          i < text.length()
              && ("-({[<".indexOf(text.charAt(i)) >= 0 || Strings.isSpace(text.charAt(i)));
      if (i == text.length() || (i > start && separator != separators)) {
        if (i > start) {
          int first = start + Character.charCount(text.codePointAt(start));
          out.append(TextMethods.cased(text.substring(start, first), "upper"));
          out.append(TextMethods.cased(text.substring(first, i), "lower"));
        }
        start = i;
      }
      separators = separator;
    }
    return out.toString();
  }

  private static Object indent(Object input, Args args, Evaluator evaluator) {
    Args.Bound bound = args.bind("indent", 0, "width", "first", "blank");
    Budget budget = evaluator.budget();
    String text = Values.asText(input);
    if (text == null) {
      throw Values.unsupported("+", input, "\n");
    }
    String given = bound.has(0) ? Values.asText(bound.get(0)) : null;
    String indent = given != null ? given : Strings.repeat(" ", bound.integer(0, 4), budget);
    budget.text(text.length());
    List<Object> lines = Strings.splitLines(text + "\n", false, budget);
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < lines.size(); i++) {
      String line = (String) lines.get(i);
      boolean indented = i == 0 ? bound.flag(1) : bound.flag(2) || !line.isEmpty();
      budget.fits((long) out.length() + indent.length() + line.length());
      out.append(i == 0 ? "" : "\n").append(indented ? indent : "").append(line);
    }
    budget.text(out.length());
    return out.toString();
  }

  private static Object truncate(Object input, Args args, Evaluator evaluator) {
    Args.Bound bound = args.bind("truncate", 0, "length", "killwords", "end", "leeway");
    String text = Values.asText(input);
    if (text == null) {
      throw new JinjaException.WrongValue(
          "expected a text to truncate, found a " + Values.type(input));
    }
    evaluator.budget().text(text.length());
    int length = bound.integer(0, 255);
    String end = bound.has(2) ? bound.text(2) : "...";
    evaluator.budget().work(end.length());
    int leeway = bound.given(3) ? bound.integer(3, 5) : 5;
    int endLength = end.codePointCount(0, end.length());
    if (length < endLength || leeway < 0) {
      throw new JinjaException.WrongValue(
          "expected a length of at least " + endLength + " and no negative leeway for truncate");
    }
    if (text.codePointCount(0, text.length()) <= (long) length + leeway) {
      return text;
    }
    String cut = text.substring(0, text.offsetByCodePoints(0, length - endLength));
    int blank = bound.flag(1) ? -1 : cut.lastIndexOf(' ');
    evaluator.budget().text(cut.length() + end.length());
    return (blank < 0 ? cut : cut.substring(0, blank)) + end;
  }

  private static Object format(Object input, Args args, Evaluator evaluator) {
    if (!args.positional().isEmpty() && !args.named().isEmpty()) {
      throw new JinjaException.WrongValue(
          "can't handle positional and keyword arguments at the same time");
    }
    Object values = new Tuple(args.positional());
    if (!args.named().isEmpty()) {
      Dict dict = new Dict();
      args.named().forEach((name, value) -> dict.put(name, value, evaluator.budget()));
      values = dict;
    }
    // Jinja's filter takes the plain text of a marked one.
    return PercentFormat.format(string(input, evaluator), values, false, evaluator.budget());
  }

  private static String stripTags(String text) {
    StringBuilder out = new StringBuilder(text.length());
    int at = 0;
    while (at < text.length()) {
      boolean comment = text.startsWith("<!--", at);
      int end = text.charAt(at) != '<' ? -1 : text.indexOf(comment ? "-->" : ">", at);
      if (end >= 0) {
        at = end + (comment ? 3 : 1);
      } else if (text.charAt(at) == '<') {
        break; // Nothing behind here is closed any more.
      } else {
        out.append(text.charAt(at++));
      }
    }
    out.append(text, at, text.length());
    return withoutRuns(out)
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&#34;", "\"")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&amp;", "&");
  }

  /** With one blank for all whitespace between two words, and none at the ends. */
  private static String withoutRuns(CharSequence text) {
    StringBuilder out = new StringBuilder(text.length());
    boolean space = false;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (Strings.isSpace(c)) {
        space = !out.isEmpty();
      } else {
        out.append(space ? " " : "").append(c);
        space = false;
      }
    }
    return out.toString();
  }

  private static Long words(String text) {
    long words = 0;
    boolean inside = false;
    for (int i = 0; i < text.length(); i++) {
      boolean part =
          Character.isLetterOrDigit(text.charAt(i))
              || text.charAt(i) == '_'
              || Character.isSurrogate(text.charAt(i));
      words += part && !inside ? 1 : 0;
      inside = part;
    }
    return words;
  }

  private static Object urlEncode(Object input, Args args, Evaluator evaluator) {
    args.bind("urlencode", 0);
    if (Values.asText(input) != null || !Values.isIterable(input)) {
      return quoted(string(input, evaluator), false, evaluator);
    }
    List<String> parts = new ArrayList<>();
    List<Object> pairs =
        input instanceof Dict dict
            ? dict.view("items", evaluator.budget()).items()
            : Values.items(input, evaluator.budget());
    for (Object pair : pairs) {
      List<Object> two = Values.items(pair, evaluator.budget());
      if (two.size() != 2) {
        throw new JinjaException.WrongValue(
            "expected pairs to encode, found " + two.size() + " items");
      }
      parts.add(
          quoted(string(two.get(0), evaluator), true, evaluator)
              + "="
              + quoted(string(two.get(1), evaluator), true, evaluator));
    }
    return TextMethods.join("&", new ArrayList<Object>(parts), evaluator.budget());
  }

  private static String quoted(String text, boolean query, Evaluator evaluator) {
    evaluator.budget().text(9L * text.length());
    String encoded =
        URLEncoder.encode(text, StandardCharsets.UTF_8).replace("*", "%2A").replace("%7E", "~");
    return query ? encoded : encoded.replace("+", "%20").replace("%2F", "/");
  }

  private static Object xmlAttributes(Object input, Args args, Evaluator evaluator) {
    Args.Bound bound = args.bind("xmlattr", 0, "autospace");
    if (!(input instanceof Dict dict)) {
      throw new JinjaException.WrongValue(
          "expected a mapping for xmlattr, found a " + Values.type(input));
    }
    List<Object> parts = new ArrayList<>();
    for (Dict.Entry entry : dict.entries()) {
      if (entry.value() == None.NONE || entry.value() instanceof Undefined) {
        continue;
      }
      String key = string(entry.key(), evaluator);
      evaluator.budget().work(8L * key.length());
      if (key.chars().anyMatch(c -> " \t\n\r\f\u000b/>=".indexOf(c) >= 0)) {
        throw new JinjaException.WrongValue(
            "invalid character in attribute name: " + Repr.shown(key));
      }
      parts.add(
          Markup.escape(key, evaluator.budget()).text()
              + "=\""
              + Markup.escape(entry.value(), evaluator.budget()).text()
              + "\"");
    }
    boolean space = !bound.has(0) || bound.flag(0);
    String joined = TextMethods.join(" ", parts, evaluator.budget());
    return space && !joined.isEmpty() ? " " + joined : joined;
  }
}
