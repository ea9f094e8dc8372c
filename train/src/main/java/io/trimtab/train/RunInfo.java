package io.trimtab.train;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What a run is: all that its result depends on, so that it can be repeated, and the machine that
 * it ran on. Written to {@code run.json}.
 *
 * @param what the kind of run, such as "tune"
 * @param versions of Trimtab, Java and the libraries that compute
 * @param seeds by what they seed
 * @param hashes of the model's, data's and template's bytes, by what they belong to
 * @param settings everything the user chose, also by default; texts, numbers, booleans, lists, maps
 * @param threads how many compute
 * @param machine what is known of the machine; not compared on resume
 */
public record RunInfo(
    String what,
    Map<String, String> versions,
    Map<String, Long> seeds,
    Map<String, String> hashes,
    Map<String, Object> settings,
    int threads,
    Map<String, Object> machine) {
  /** Keeps unmodifiable copies in the given order. */
  public RunInfo {
    versions = copy(versions);
    seeds = copy(seeds);
    hashes = copy(hashes);
    settings = copy(settings);
    machine = copy(machine);
  }

  // Map.copyOf would forget the order, in which people read the file.
  private static <V> Map<String, V> copy(Map<String, V> map) {
    return Collections.unmodifiableMap(new LinkedHashMap<>(map));
  }
}
