package io.trimtab.delta;

import io.trimtab.model.Embedding;
import io.trimtab.model.Head;
import io.trimtab.model.Layer;
import io.trimtab.model.Linear;
import io.trimtab.model.Model;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * Names layers of a model by their paths: by suffixes that start at a dot ({@code query}, {@code
 * output.dense}), by a regular expression over the whole path, or all linear layers but the outputs;
 * some layers and numbers of blocks may be left out. A name that matches nothing is an error.
 */
public final class Address {
  /** The name for every linear layer of a model except those that give its results. */
  public static final String ALL_LINEAR = "all-linear";

  private static final Pattern NUMBER = Pattern.compile("\\.(\\d+)\\.");

  private final List<String> suffixes;
  private final String regex;
  private final List<String> excluded;
  private final List<Integer> blocks;

  private Address(
      List<String> suffixes, String regex, List<String> excluded, List<Integer> blocks) {
    this.suffixes = List.copyOf(suffixes);
    this.regex = regex;
    this.excluded = List.copyOf(excluded);
    this.blocks = List.copyOf(blocks);
  }

  /** Layers whose path is one of {@code names} or ends in a dot and one of them. */
  public static Address suffixes(List<String> names) {
    if (names.isEmpty() || names.stream().anyMatch(String::isBlank)) {
      throw new DeltaException(
          "found target layers " + names + ", expected at least one name such as query");
    }
    return new Address(names, "", List.of(), List.of());
  }

  /** Layers whose whole path matches a regular expression. */
  public static Address regex(String regex) {
    compile(regex);
    return new Address(List.of(), regex, List.of(), List.of());
  }

  /**
   * Reads one text: {@code all-linear}, {@code [r]REGEX}, or names with commas between them.
   */
  public static Address parse(String text) {
    String trimmed = text.strip();
    if (trimmed.startsWith("[r]")) {
      return regex(trimmed.substring(3));
    }
    return suffixes(List.of(trimmed.split("\\s*,\\s*")));
  }

  /** The same without layers of these suffixes. */
  public Address excluding(List<String> names) {
    return new Address(suffixes, regex, names, blocks);
  }

  /** The same in blocks of these numbers only: the first number in a layer's path. */
  public Address inBlocks(List<Integer> numbers) {
    return new Address(suffixes, regex, excluded, numbers);
  }

  /** The suffixes; empty where this is a regular expression. */
  public List<String> suffixes() {
    return suffixes;
  }

  /** The regular expression; empty where there is none. */
  public String regex() {
    return regex;
  }

  /** The suffixes left out. */
  public List<String> excluded() {
    return excluded;
  }

  /** The numbers of the blocks it is confined to; empty for all. */
  public List<Integer> blocks() {
    return blocks;
  }

  /**
   * What an address hits: the report of a dry run.
   *
   * @param hits the layers, in the order of computation
   * @param misses the names that match no layer
   */
  public record Resolution(List<Layer> hits, List<String> misses) {
    /** The paths of the layers hit. */
    public List<String> paths() {
      return hits.stream().map(Layer::path).toList();
    }
  }

  /** Finds what this address hits among linear layers and embeddings; never fails. */
  public Resolution dryRun(Model model) {
    List<Layer> layers =
        model
            .root()
            .walk()
            .filter(layer -> layer instanceof Linear || layer instanceof Embedding)
            .toList();
    Set<String> outputs = outputs(model);
    List<Layer> hits = new ArrayList<>();
    Set<String> missing = new LinkedHashSet<>(suffixes);
    if (!regex.isEmpty()) {
      missing.add(regex);
    }
    Pattern pattern = compile(regex);
    for (Layer layer : layers) {
      if (!inScope(layer.path())) {
        continue;
      }
      boolean hit = false;
      for (String suffix : suffixes) {
        boolean matches =
            suffix.equals(ALL_LINEAR)
                ? layer instanceof Linear && !outputs.contains(layer.path())
                : endsIn(layer.path(), suffix);
        if (matches) {
          missing.remove(suffix);
          hit = true;
        }
      }
      if (!regex.isEmpty() && pattern.matcher(layer.path()).matches()) {
        missing.remove(regex);
        hit = true;
      }
      if (hit) {
        hits.add(layer);
      }
    }
    return new Resolution(List.copyOf(hits), List.copyOf(missing));
  }

  /**
   * The layers this address hits.
   *
   * @throws DeltaException.NoMatch where it, or one of its names, hits nothing; names near misses
   */
  public List<Layer> resolve(Model model) {
    Resolution resolution = dryRun(model);
    if (!resolution.misses().isEmpty() || resolution.hits().isEmpty()) {
      String missing =
          resolution.misses().isEmpty() ? toString() : String.join(", ", resolution.misses());
      throw new DeltaException.NoMatch(
          "found no layer of "
              + model.name()
              + " that matches "
              + missing
              + ", expected the path of a layer, a suffix of it after a dot, or [r] and a regular"
              + " expression over all of it; near it: "
              + String.join(", ", nearest(model, missing)));
    }
    return resolution.hits();
  }

  /** What {@link #resolve} hits, where names that hit nothing are let pass: files of PEFT have some. */
  public List<Layer> resolveLeniently(Model model) {
    Resolution resolution = dryRun(model);
    return resolution.hits().isEmpty() ? resolve(model) : resolution.hits();
  }

  private boolean inScope(String path) {
    if (excluded.stream().anyMatch(suffix -> endsIn(path, suffix))) {
      return false;
    }
    if (blocks.isEmpty()) {
      return true;
    }
    Matcher number = NUMBER.matcher(path);
    return number.find() && blocks.contains(Integer.valueOf(number.group(1)));
  }

  /** Whether a path is a name or ends in a dot and that name. */
  public static boolean endsIn(String path, String suffix) {
    return path.equals(suffix) || path.endsWith("." + suffix);
  }

  private static Set<String> outputs(Model model) {
    Set<String> outputs = new LinkedHashSet<>();
    model
        .root()
        .walk()
        .filter(layer -> layer instanceof Head && !(layer instanceof Head.Pooler))
        .forEach(head -> outputs.add(head.children().getLast().path()));
    return outputs;
  }

  private static Pattern compile(String regex) {
    try {
      return Pattern.compile(regex);
    } catch (PatternSyntaxException e) {
      throw new DeltaException(
          "found \""
              + regex
              + "\" as a regular expression ("
              + e.getDescription()
              + " at "
              + e.getIndex()
              + "), expected Java's syntax",
          e);
    }
  }

  private static List<String> nearest(Model model, String wanted) {
    String last = wanted.substring(wanted.lastIndexOf('.') + 1);
    Predicate<Layer> named = layer -> layer instanceof Linear || layer instanceof Embedding;
    return model
        .root()
        .walk()
        .filter(named)
        .map(layer -> layer.path().replaceAll("\\.\\d+\\.", ".*."))
        .distinct()
        .sorted(
            Comparator.comparingInt(
                path -> distance(path.substring(path.lastIndexOf('.') + 1), last)))
        .limit(4)
        .toList();
  }

  /** Levenshtein's distance. */
  private static int distance(String a, String b) {
    int[] row = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      row[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int above = row[j];
        int replaced = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        row[j] = Math.min(replaced, Math.min(above, row[j - 1]) + 1);
        diagonal = above;
      }
    }
    return row[b.length()];
  }

  @Override
  public String toString() {
    return regex.isEmpty() ? String.join(",", suffixes) : "[r]" + regex;
  }
}
