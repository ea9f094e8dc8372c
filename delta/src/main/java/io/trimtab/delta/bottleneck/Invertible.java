package io.trimtab.delta.bottleneck;

import io.trimtab.delta.DeltaException;

/**
 * An invertible adapter at the embeddings, whose inverse is before the words' scores (Pfeiffer et
 * al., "MAD-X", 2020, section 4.2.3).
 *
 * @param coupling how the two halves of a vector change each other
 * @param reduction the halves' size over that inside their networks
 * @param undone whether the inverse comes before the words' scores, as in the paper; AdapterHub
 *     does so in models with heads of its own, but not in those of transformers, such as {@code
 *     BertForMaskedLM}
 */
public record Invertible(Kind coupling, double reduction, boolean undone) {
  /** How the two halves of a vector change each other. */
  public enum Kind {
    /** By addition (Dinh et al., "NICE", 2014): y₁ = x₁ + F(x₂), y₂ = x₂ + G(y₁). */
    NICE,
    /**
     * By scale and addition (Kingma and Dhariwal, "Glow", 2018): y₁ = e(s₂) x₁ + t₂ with (s₂, t₂) =
     * S₂(x₂), y₂ = e(s₁) x₂ + t₁ with (s₁, t₁) = S₁(y₁), e(s) = exp(5 · 0.636 · atan(s / 5)).
     * AdapterHub cuts its networks' results along the tokens and fails.
     */
    GLOW
  }

  /** Checks the factor. */
  public Invertible {
    if (!(reduction > 0) || Double.isInfinite(reduction)) {
      throw new DeltaException(
          "found inv_adapter_reduction_factor=" + reduction + ", expected more than 0");
    }
  }

  /** The kind of that name. */
  static Kind kind(String text) {
    return switch (text) {
      case "nice" -> Kind.NICE;
      case "glow" -> Kind.GLOW;
      default ->
          throw new DeltaException.Unsupported(
              "found inv_adapter=" + text + ", expected nice, glow or none");
    };
  }
}
