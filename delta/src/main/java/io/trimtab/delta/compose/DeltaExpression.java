package io.trimtab.delta.compose;

import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaMethods;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.model.Model;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * Deltas as users type them: {@code lora}, {@code lora:rank=8,targets=query,value}, several
 * together with {@code +}, and {@code sum(0.3*lora; 0.7*ia3)}, {@code fusion(houlsby; pfeiffer)},
 * {@code split(4*lora; 20*ia3)}, as deep as one likes. A name before {@code =} says what a part is
 * called: {@code topic=lora:rank=4 + style=prefix}. A value that holds blanks, {@code + ; ( )} or
 * quotes goes between single or double quotes.
 */
public final class DeltaExpression {
  private final String text;
  private int at;

  private DeltaExpression(String text) {
    this.text = text;
  }

  /** What is typed, before a model is known: a method with its options, or several composed. */
  private sealed interface Term {
    record Single(String method, Map<String, String> options) implements Term {}

    record Several(Composition.How how, List<Named> parts) implements Term {}
  }

  private record Named(String name, double share, Term term) {}

  /**
   * The settings that a text names, for a model.
   *
   * @throws DeltaException where it is not such a text; says at which character
   */
  public static DeltaSpec parse(String text, Model model) {
    return parse(text, Map.of(), model);
  }

  /** The same, where the text names a single method, with more options for it. */
  public static DeltaSpec parse(String text, Map<String, String> more, Model model) {
    DeltaExpression expression = new DeltaExpression(text);
    Term term = expression.union();
    if (expression.at < text.length()) {
      throw expression.wrong("the end, or + and another method");
    }
    if (term instanceof Term.Single single) {
      Map<String, String> options = new LinkedHashMap<>(single.options());
      options.putAll(more);
      return DeltaMethods.named(single.method()).fromOptions(options, model);
    }
    if (!more.isEmpty()) {
      throw new DeltaException(
          "found the options "
              + new TreeSet<>(more.keySet())
              + " beside several methods, expected them in the text, as in "
              + "lora:rank=8 + prefix:length=10");
    }
    return spec(term, model);
  }

  private static DeltaSpec spec(Term term, Model model) {
    return switch (term) {
      case Term.Single single ->
          DeltaMethods.named(single.method()).fromOptions(single.options(), model);
      case Term.Several several ->
          new Composition(
              several.how(),
              several.parts().stream()
                  .map(
                      part ->
                          new Composition.Child(
                              part.name(), spec(part.term(), model), part.share()))
                  .toList());
    };
  }

  private Term union() {
    List<Named> parts = new ArrayList<>(List.of(named(1)));
    while (accept('+')) {
      parts.add(named(parts.size() + 1));
    }
    return parts.size() == 1
        ? parts.getFirst().term()
        : new Term.Several(Composition.How.SEQUENCE, parts);
  }

  /** {@code [share *] [name =] term}. */
  private Named named(int number) {
    double share = share();
    int start = at;
    if (accept('(')) {
      at = start;
      return new Named("part-" + number, share, term());
    }
    String word = word();
    if (accept('=')) {
      return new Named(word, share, term());
    }
    at = start;
    Term term = term();
    String name = term instanceof Term.Single single ? single.method() : "part";
    return new Named(number == 1 ? name : name + "-" + number, share, term);
  }

  /** The same between ; in a sum, where a union needs no brackets. */
  private Named part(int number) {
    Named first = named(number);
    List<Named> parts = new ArrayList<>(List.of(first));
    while (accept('+')) {
      parts.add(named(parts.size() + 1));
    }
    return parts.size() == 1
        ? first
        : new Named(
            "part-" + number,
            first.share(),
            new Term.Several(
                Composition.How.SEQUENCE,
                parts.stream().map(part -> new Named(part.name(), 1, part.term())).toList()));
  }

  private double share() {
    int start = at;
    blanks();
    int first = at;
    while (at < text.length() && "0123456789.eE-".indexOf(text.charAt(at)) >= 0) {
      at++;
    }
    String number = text.substring(first, at);
    if (!number.isEmpty() && accept('*')) {
      try {
        return Double.parseDouble(number);
      } catch (NumberFormatException e) {
        at = first;
        throw wrong("a number before *");
      }
    }
    at = start;
    return 1;
  }

  private Term term() {
    if (accept('(')) {
      Term inner = union();
      expect(')');
      return inner;
    }
    String word = word();
    if (accept('(')) {
      Composition.How how =
          switch (word) {
            case "sum" -> Composition.How.SUM;
            case "mixture" -> Composition.How.MIXTURE;
            case "fusion" -> Composition.How.FUSION;
            case "split" -> Composition.How.SPLIT;
            default -> throw wrong("sum, mixture, fusion or split before (, not " + word);
          };
      List<Named> parts = new ArrayList<>();
      do {
        parts.add(part(parts.size() + 1));
      } while (accept(';'));
      expect(')');
      return new Term.Several(how, parts);
    }
    return new Term.Single(word, accept(':') ? options() : Map.of());
  }

  /** {@code key=value, key=value}; a comma may stand inside a value: what is no key goes on. */
  private Map<String, String> options() {
    Map<String, String> options = new LinkedHashMap<>();
    String key = "";
    do {
      String piece = piece();
      int equals = piece.indexOf('=');
      if (equals > 0 && isKey(piece.substring(0, equals).strip(), key)) {
        key = piece.substring(0, equals).strip();
        options.put(key, piece.substring(equals + 1).strip());
      } else if (key.isEmpty()) {
        throw wrong("key=value after the colon, found \"" + piece + "\"");
      } else {
        options.merge(key, piece.strip(), (a, b) -> a + "," + b);
      }
    } while (accept(','));
    return options;
  }

  /** Whether a word before = names an option; an address has some words of its own. */
  private static boolean isKey(String word, String before) {
    return word.matches("[\\w-]+")
        && !(before.equals("targets") && Set.of("layers", "exclude").contains(word));
  }

  /** Up to the next comma or the end of the term; what is between quotes or brackets is kept. */
  private String piece() {
    StringBuilder out = new StringBuilder();
    int depth = 0;
    while (at < text.length()) {
      char c = text.charAt(at);
      if (c == '\'' || c == '"') {
        int end = text.indexOf(c, at + 1);
        if (end < 0) {
          throw wrong("a closing " + c);
        }
        out.append(text, at + 1, end);
        at = end + 1;
        continue;
      }
      if (depth == 0 && (c == ',' || c == ';' || c == ')' || (c == '+' && isUnion()))) {
        break;
      }
      depth += "([{".indexOf(c) >= 0 ? 1 : ")]}".indexOf(c) >= 0 ? -1 : 0;
      out.append(c);
      at++;
    }
    return out.toString();
  }

  /** A plus with a blank before it joins methods; one without is part of a value. */
  private boolean isUnion() {
    return Character.isWhitespace(text.charAt(at - 1));
  }

  private String word() {
    blanks();
    int start = at;
    while (at < text.length()
        && (Character.isLetterOrDigit(text.charAt(at)) || "_-.".indexOf(text.charAt(at)) >= 0)) {
      at++;
    }
    if (start == at) {
      throw wrong("the name of a delta method, one of " + names());
    }
    return text.substring(start, at);
  }

  private static String names() {
    return DeltaMethods.all().stream()
        .map(io.trimtab.delta.DeltaMethod::name)
        .collect(Collectors.joining(", "));
  }

  private void blanks() {
    while (at < text.length() && Character.isWhitespace(text.charAt(at))) {
      at++;
    }
  }

  private boolean accept(char c) {
    int start = at;
    blanks();
    if (at < text.length() && text.charAt(at) == c) {
      at++;
      return true;
    }
    at = start;
    return false;
  }

  private void expect(char c) {
    if (!accept(c)) {
      throw wrong("\"" + c + "\"");
    }
  }

  private DeltaSyntaxException wrong(String expected) {
    return new DeltaSyntaxException(
        "found \""
            + text.substring(Math.min(at, text.length()))
            + "\" at character "
            + (at + 1)
            + " of \""
            + text
            + "\", expected "
            + expected);
  }
}
