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
 * output.dense}), by a regular expression over the whole path, or all linear layers but the
 * outputs; some layers and numbers of blocks may be left out. A name that matches nothing is an
 * error.
 */
public final class Address {
  /** The name for every linear layer of a model except those that give its results. */
  public static final String ALL_LINEAR = "all-linear";

  private final List<String> suffixes;
  private final String regex;
  private final List<String> excluded;
  private final String excludedRegex;
  private final List<Integer> blocks;
  private final List<String> blockNames;

  private Address(
      List<String> suffixes,
      String regex,
      List<String> excluded,
      String excludedRegex,
      List<Integer> blocks,
      List<String> blockNames) {
    this.suffixes = List.copyOf(suffixes);
    this.regex = regex;
    this.excluded = List.copyOf(excluded);
    this.excludedRegex = excludedRegex;
    this.blocks = List.copyOf(blocks);
    this.blockNames = List.copyOf(blockNames);
  }

  /** Layers whose path is one of {@code names} or ends in a dot and one of them. */
  public static Address suffixes(List<String> names) {
    if (names.isEmpty() || names.stream().anyMatch(String::isBlank)) {
      throw new DeltaException(
          "found target layers " + names + ", expected at least one name such as query");
    }
    return new Address(names, "", List.of(), "", List.of(), List.of());
  }

  /** Layers whose whole path matches a regular expression. */
  public static Address regex(String regex) {
    compile(regex);
    return new Address(List.of(), regex, List.of(), "", List.of(), List.of());
  }

  /** Reads one text: {@code all-linear}, {@code [r]REGEX}, or names with commas between them. */
  public static Address parse(String text) {
    String trimmed = text.strip();
    if (trimmed.startsWith("[r]")) {
      return regex(trimmed.substring(3));
    }
    return suffixes(List.of(trimmed.split("\\s*,\\s*")));
  }

  /** The same without layers of these suffixes. */
  public Address excluding(List<String> names) {
    return new Address(suffixes, regex, names, "", blocks, blockNames);
  }

  /** The same without layers whose whole path matches a regular expression. */
  public Address excludingRegex(String paths) {
    compile(paths);
    return new Address(suffixes, regex, List.of(), paths, blocks, blockNames);
  }

  /**
   * The same in blocks of these numbers only: the first number in a layer's path. A layer that is
   * named by its whole path is hit wherever it is.
   */
  public Address inBlocks(List<Integer> numbers) {
    return inBlocks(numbers, List.of());
  }

  /**
   * The same in blocks of these numbers only, where the number is the first that comes after one of
   * {@code names}, each a regular expression such as {@code layer}; after any where there are none.
   */
  public Address inBlocks(List<Integer> numbers, List<String> names) {
    names.forEach(Address::compile);
    return new Address(suffixes, regex, excluded, excludedRegex, numbers, names);
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

  /** The regular expression of what is left out; empty where there is none. */
  public String excludedRegex() {
    return excludedRegex;
  }

  /** What the numbers of blocks come after; empty for anything. */
  public List<String> blockNames() {
    return blockNames;
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
      if (isExcluded(layer.path())) {
        continue;
      }
      boolean inBlocks = isInBlocks(layer.path());
      boolean hit = false;
      for (String suffix : suffixes) {
        boolean matches =
            suffix.equals(ALL_LINEAR)
                ? layer instanceof Linear && inBlocks && !outputs.contains(layer.path())
                : endsIn(layer.path(), suffix) && (inBlocks || layer.path().equals(suffix));
        if (matches) {
          missing.remove(suffix);
          hit = true;
        }
      }
      if (inBlocks && !regex.isEmpty() && pattern.matcher(layer.path()).matches()) {
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

  /**
   * What {@link #resolve} hits, where names that hit nothing are let pass: files of PEFT have some.
   */
  public List<Layer> resolveLeniently(Model model) {
    Resolution resolution = dryRun(model);
    return resolution.hits().isEmpty() ? resolve(model) : resolution.hits();
  }

  private boolean isExcluded(String path) {
    return excluded.stream().anyMatch(suffix -> endsIn(path, suffix))
        || (!excludedRegex.isEmpty() && compile(excludedRegex).matcher(path).matches());
  }

  private boolean isInBlocks(String path) {
    if (blocks.isEmpty()) {
      return true;
    }
    List<String> names = blockNames.isEmpty() ? List.of("[^.]*") : blockNames;
    for (String name : names) {
      Matcher number = compile("(?:^|.*?\\.)" + name + "\\.(?<block>\\d+)\\.").matcher(path);
      if (number.lookingAt()) {
        return blocks.contains(Integer.valueOf(number.group("block")));
      }
    }
    return false;
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

  private List<Object> state() {
    return List.of(suffixes, regex, excluded, excludedRegex, blocks, blockNames);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Address address && state().equals(address.state());
  }

  @Override
  public int hashCode() {
    return state().hashCode();
  }

  @Override
  public String toString() {
    return regex.isEmpty() ? String.join(",", suffixes) : "[r]" + regex;
  }
}
