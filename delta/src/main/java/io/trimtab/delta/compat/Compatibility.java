package io.trimtab.delta.compat;

import java.util.List;
import java.util.Optional;

/**
 * What one program does with an adapter.
 *
 * @param program its name
 * @param asOf the version that this holds for
 * @param findings why it does not load the adapter as it is; empty where it does
 */
public record Compatibility(String program, String asOf, List<Finding> findings) {
  private static final List<AdapterReader> READERS =
      List.of(
          new PeftReader(),
          new VllmReader(),
          new LoraxReader(),
          new LlamaCppReader(),
          new OnnxRuntimeReader());

  /** Copies the list. */
  public Compatibility {
    findings = List.copyOf(findings);
  }

  /** What comes of loading it. */
  public enum Status {
    /** It works as it is. */
    LOADS,
    /** It works after something else was done. */
    AFTER_A_STEP,
    /** It loads and computes something else. */
    WRONG,
    /** It does not load. */
    REFUSED
  }

  /** What all known programs do with an adapter. */
  public static List<Compatibility> of(AdapterFacts facts) {
    return READERS.stream().map(reader -> of(reader, facts)).toList();
  }

  static Compatibility of(AdapterReader reader, AdapterFacts facts) {
    return new Compatibility(
        reader.name(),
        reader.asOf(),
        reader.rules().stream().map(rule -> rule.check(facts)).flatMap(Optional::stream).toList());
  }

  /** What comes of loading it: the worst of the findings. */
  public Status status() {
    if (has(Finding.Effect.REFUSED)) {
      return Status.REFUSED;
    }
    if (has(Finding.Effect.WRONG)) {
      return Status.WRONG;
    }
    return has(Finding.Effect.STEP) ? Status.AFTER_A_STEP : Status.LOADS;
  }

  private boolean has(Finding.Effect effect) {
    return findings.stream().anyMatch(finding -> finding.effect() == effect);
  }
}
