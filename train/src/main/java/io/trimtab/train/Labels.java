package io.trimtab.train;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/** The distinct labels of a task in a fixed order; a label's index is the class it stands for. */
public final class Labels {
  /** So many known labels an error lists before it only counts the others. */
  private static final int LISTED = 20;

  private final List<String> names;
  private final Map<String, Integer> indices;

  private Labels(List<String> names) {
    this.names = List.copyOf(names);
    Map<String, Integer> positions = new HashMap<>();
    for (int i = 0; i < names.size(); i++) {
      if (positions.put(names.get(i), i) != null) {
        throw new DataException(
            "the label \"%s\" is there twice; expected distinct labels".formatted(names.get(i)));
      }
    }
    this.indices = Map.copyOf(positions);
  }

  /**
   * Labels in the given order.
   *
   * @throws DataException if one is there twice
   */
  public static Labels of(List<String> names) {
    return new Labels(names);
  }

  /** The distinct labels of the examples, in the order of their characters. */
  public static Labels sorted(List<Example> examples) {
    TreeSet<String> distinct = new TreeSet<>();
    examples.forEach(example -> distinct.add(example.label()));
    return new Labels(List.copyOf(distinct));
  }

  /** The labels, in order. */
  public List<String> names() {
    return names;
  }

  /** The number of labels. */
  public int size() {
    return names.size();
  }

  /** The label of an index, from 0. */
  public String name(int index) {
    return names.get(index);
  }

  /** Whether the label is one of these. */
  public boolean contains(String label) {
    return indices.containsKey(label);
  }

  /**
   * The index of a label, from 0.
   *
   * @throws DataException if the label is unknown; the message lists the known ones
   */
  public int index(String label) {
    Integer index = indices.get(label);
    if (index == null) {
      throw unknown("", label);
    }
    return index;
  }

  /**
   * The indices of the examples' labels.
   *
   * @param source what errors call the data, for instance the file's name
   * @param examples the examples
   * @return as many indices as there are examples
   * @throws DataException if a label is unknown; the message names its line and the known labels
   */
  public int[] encode(String source, List<Example> examples) {
    int[] encoded = new int[examples.size()];
    for (int i = 0; i < encoded.length; i++) {
      Example example = examples.get(i);
      Integer index = indices.get(example.label());
      if (index == null) {
        String place =
            example.line() > 0
                ? "%s line %d: ".formatted(source, example.line())
                : "%s example %d: ".formatted(source, i + 1);
        throw unknown(place, example.label());
      }
      encoded[i] = index;
    }
    return encoded;
  }

  private DataException unknown(String place, String label) {
    List<String> shown = new ArrayList<>(names.subList(0, Math.min(LISTED, names.size())));
    String more = names.size() > LISTED ? " and %d more".formatted(names.size() - LISTED) : "";
    return new DataException(
        "%sthe label \"%s\" is unknown%s; known labels are %s%s"
            .formatted(
                place,
                label,
                Nearest.of(label, names).map(n -> "; did you mean \"" + n + "\"?").orElse(""),
                Table.quoted(shown),
                more));
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Labels labels && names.equals(labels.names);
  }

  @Override
  public int hashCode() {
    return names.hashCode();
  }

  @Override
  public String toString() {
    return names.toString();
  }
}
