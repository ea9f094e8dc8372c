package io.trimtab.train;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * K examples of every class, drawn at random but repeatably: the same examples in the same order
 * with the same seed give the same draw on every machine. Draws with one seed are nested: those of
 * a smaller K are among those of a greater one.
 *
 * @param picked K examples a class, all classes mixed
 * @param rest the other examples, in their given order
 */
public record FewShot(List<Example> picked, List<Example> rest) {
  /** Keeps unmodifiable copies. */
  public FewShot {
    picked = List.copyOf(picked);
    rest = List.copyOf(rest);
  }

  /**
   * Draws from each class without replacement.
   *
   * @param examples labelled texts
   * @param k how many of each class, at least 1
   * @param seed any number
   * @throws SettingException if {@code k} is less than 1
   * @throws DataException if there are no examples or a class has fewer than {@code k}
   */
  public static FewShot sample(List<Example> examples, int k, long seed) {
    if (k < 1) {
      throw new SettingException("%d examples a class asked for, expected at least 1".formatted(k));
    }
    if (examples.isEmpty()) {
      throw new DataException("there are no examples to draw from; expected some of each class");
    }
    SortedMap<String, List<Integer>> classes = new TreeMap<>();
    for (int i = 0; i < examples.size(); i++) {
      classes.computeIfAbsent(examples.get(i).label(), label -> new ArrayList<>()).add(i);
    }
    SplitMix64 random = new SplitMix64(seed);
    List<Integer> drawn = new ArrayList<>();
    classes.forEach(
        (label, indices) -> {
          if (indices.size() < k) {
            throw new DataException(
                "the class \"%s\" has %d examples, %d were asked for; ask for fewer or add some"
                    .formatted(label, indices.size(), k));
          }
          // The whole class is shuffled, whatever k is: this is what makes draws nested.
          random.shuffle(indices);
          drawn.addAll(indices.subList(0, k));
        });
    random.shuffle(drawn);
    Set<Integer> taken = new HashSet<>(drawn);
    List<Example> rest = new ArrayList<>();
    for (int i = 0; i < examples.size(); i++) {
      if (!taken.contains(i)) {
        rest.add(examples.get(i));
      }
    }
    return new FewShot(drawn.stream().map(examples::get).toList(), rest);
  }
}
