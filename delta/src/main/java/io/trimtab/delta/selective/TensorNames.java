package io.trimtab.delta.selective;

import io.trimtab.delta.DeltaException;
import io.trimtab.delta.PathNames;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Chooses tensors by the modules they are in: a tensor is chosen where its own name or the path of
 * a module around it is named.
 */
final class TensorNames {
  private TensorNames() {}

  /**
   * Those of the tensors that are chosen, in their order.
   *
   * @param what what is chosen from, for the error
   * @throws DeltaException.NoMatch for a name or expression that chooses nothing
   */
  static Set<String> choose(PathNames names, Collection<String> tensors, String what) {
    Set<String> chosen = new LinkedHashSet<>();
    Set<String> missing = new LinkedHashSet<>(names.texts());
    for (String tensor : tensors) {
      for (String path : pathsOf(tensor)) {
        List<String> matching = names.matching(path);
        if (!matching.isEmpty()) {
          missing.removeAll(matching);
          chosen.add(tensor);
        }
      }
    }
    if (chosen.isEmpty() || !missing.isEmpty()) {
      String sought = missing.isEmpty() ? names.toString() : String.join(", ", missing);
      throw new DeltaException.NoMatch(
          "found no "
              + what
              + " in a module \""
              + sought
              + "\", expected the path of a module, a suffix of it after a dot, or [r] and a"
              + " regular expression; near it: "
              + String.join(", ", near(tensors, sought)));
    }
    return chosen;
  }

  /** The tensor's name and the paths of all modules around it, innermost first. */
  private static List<String> pathsOf(String tensor) {
    List<String> paths = new ArrayList<>();
    for (int end = tensor.length(); end > 0; end = tensor.lastIndexOf('.', end - 1)) {
      paths.add(tensor.substring(0, end));
    }
    return paths;
  }

  /** Modules that share most letters with what was sought, numbers of blocks aside. */
  private static List<String> near(Collection<String> tensors, String sought) {
    return tensors.stream()
        .filter(tensor -> tensor.contains("."))
        .map(tensor -> tensor.substring(0, tensor.lastIndexOf('.')).replaceAll("\\.\\d+", ".*"))
        .distinct()
        .sorted(Comparator.comparingLong(path -> -common(path, sought)))
        .limit(4)
        .toList();
  }

  private static long common(String path, String sought) {
    String last = path.substring(path.lastIndexOf('.') + 1);
    return last.chars().distinct().filter(letter -> sought.indexOf(letter) >= 0).count();
  }
}
