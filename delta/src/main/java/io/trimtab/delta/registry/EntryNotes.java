package io.trimtab.delta.registry;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What is known of a delta beyond its files. Immutable: each {@code with} method gives a changed
 * copy.
 *
 * @param parents what it was made of, for one merged, converted or composed of others
 * @param run the training run that it comes from, or null where none is known
 * @param metrics figures by name, such as {@code test.accuracy}
 * @param licence as hubs write it, such as {@code apache-2.0}; empty where none is known
 * @param text what people should know, in plain words
 */
public record EntryNotes(
    List<Parent> parents,
    @Nullable RunFacts run,
    SortedMap<String, Double> metrics,
    String licence,
    String text) {
  /** Nothing known. */
  public static final EntryNotes NONE = new EntryNotes(List.of(), null, new TreeMap<>(), "", "");

  /**
   * A delta that another was made of.
   *
   * @param delta its id in the registry, or where it was
   * @param how what was done: merged, converted, composed
   * @param weight with which weight it went in
   */
  public record Parent(String delta, String how, double weight) {}

  /**
   * Keeps copies.
   *
   * @throws RegistryException for a metric that is no number
   */
  public EntryNotes {
    parents = List.copyOf(parents);
    metrics = Collections.unmodifiableSortedMap(new TreeMap<>(metrics));
    metrics.forEach(
        (name, value) -> {
          if (!Double.isFinite(value)) {
            throw new RegistryException(
                "found " + value + " for the metric " + name + ", expected a finite number");
          }
        });
  }

  /** The same made of one more. */
  public EntryNotes withParent(Parent parent) {
    List<Parent> more = new ArrayList<>(parents);
    more.add(parent);
    return new EntryNotes(more, run, metrics, licence, text);
  }

  /** The same from a run; its figures come first, so that those given by hand stay. */
  public EntryNotes withRun(RunFacts facts) {
    SortedMap<String, Double> more = new TreeMap<>(facts.metrics());
    more.putAll(metrics);
    return new EntryNotes(parents, facts, more, licence, text);
  }

  /** The same with more figures; one of the same name is replaced. */
  public EntryNotes withMetrics(Map<String, Double> figures) {
    SortedMap<String, Double> more = new TreeMap<>(metrics);
    more.putAll(figures);
    return new EntryNotes(parents, run, more, licence, text);
  }

  /** The same under another licence. */
  public EntryNotes withLicence(String name) {
    return new EntryNotes(parents, run, metrics, name, text);
  }

  /** The same with another text. */
  public EntryNotes withText(String words) {
    return new EntryNotes(parents, run, metrics, licence, words);
  }

  /** These, with what others add or say anew. */
  public EntryNotes and(EntryNotes newer) {
    SortedMap<String, Double> figures = new TreeMap<>(metrics);
    figures.putAll(newer.metrics);
    return new EntryNotes(
        newer.parents.isEmpty() ? parents : newer.parents,
        newer.run == null ? run : newer.run,
        figures,
        newer.licence.isEmpty() ? licence : newer.licence,
        newer.text.isEmpty() ? text : newer.text);
  }
}
