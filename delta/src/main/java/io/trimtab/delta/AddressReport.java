package io.trimtab.delta;

import io.trimtab.delta.Address.Hit;
import io.trimtab.delta.Address.Outputs;
import io.trimtab.model.Held;
import io.trimtab.model.Layer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The report of a dry run as text. */
final class AddressReport {
  private static final Pattern NUMBER = Pattern.compile("(?<=^|\\.)\\d{1,9}(?=\\.|$)");

  private AddressReport() {}

  /** Lines such as {@code bert.encoder.layer.{0-11}.attention.self.query [768, 768] 12 x}. */
  static String of(Address.Resolution resolution) {
    Map<String, TreeSet<Integer>> folded = new LinkedHashMap<>();
    Map<String, Integer> times = new LinkedHashMap<>();
    long weights = 0;
    for (Hit hit : resolution.found()) {
      Matcher matcher = NUMBER.matcher(hit.path());
      boolean numbered = matcher.find();
      String line = (numbered ? matcher.replaceFirst("{}") : hit.path()) + "  " + looks(hit);
      TreeSet<Integer> numbers = folded.computeIfAbsent(line, _ -> new TreeSet<>());
      if (numbered) {
        numbers.add(Integer.valueOf(matcher.group()));
      }
      times.merge(line, 1, Integer::sum);
      weights += weights(hit);
    }
    StringBuilder out = new StringBuilder();
    out.append(
        String.format(
            Locale.ROOT,
            "%s hits %,d %s of %s with %,d numbers%n",
            resolution.address(),
            resolution.found().size(),
            resolution.found().size() == 1 ? "place" : "places",
            resolution.model(),
            weights));
    folded.forEach(
        (line, numbers) ->
            out.append("  ")
                .append(
                    line.replace(
                        "{}",
                        numbers.size() == 1 ? "" + numbers.first() : "{" + ranges(numbers) + "}"))
                .append(times.getOrDefault(line, 1) > 1 ? "  " + times.get(line) + " ×" : "")
                .append(System.lineSeparator()));
    if (!resolution.missed().isEmpty()) {
      out.append("misses").append(System.lineSeparator());
      for (Address.Miss miss : resolution.missed()) {
        out.append("  ").append(miss.part()).append(": ").append(miss.hint());
        out.append(System.lineSeparator());
      }
    }
    return out.toString();
  }

  private static String looks(Hit hit) {
    Layer layer = hit.layer();
    if (layer == null || layer.held().isEmpty()) {
      return "module";
    }
    List<Long> shape = layer.held().firstEntry().getValue().shape();
    Outputs outputs = hit.outputs();
    String rows = outputs == null ? "" : " rows " + outputs.start() + "-" + (outputs.end() - 1);
    return layer.getClass().getSimpleName() + " " + shape + rows;
  }

  private static long weights(Hit hit) {
    Layer layer = hit.layer();
    if (layer == null) {
      return 0;
    }
    long all = layer.held().values().stream().mapToLong(Held::elements).sum();
    Outputs outputs = hit.outputs();
    return outputs == null
        ? all
        : all / layer.held().firstEntry().getValue().shape().getFirst() * outputs.count();
  }

  /** Numbers as {@code 0,2,5-7}. */
  static String ranges(SortedSet<Integer> numbers) {
    List<String> ranges = new ArrayList<>();
    LinkedHashSet<Integer> left = new LinkedHashSet<>(numbers);
    while (!left.isEmpty()) {
      int from = left.getFirst();
      int to = from;
      while (left.remove(to)) {
        to++;
      }
      ranges.add(to - 1 == from ? String.valueOf(from) : from + "-" + (to - 1));
    }
    return String.join(",", ranges);
  }
}
