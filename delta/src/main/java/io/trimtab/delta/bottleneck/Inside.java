package io.trimtab.delta.bottleneck;

import io.trimtab.delta.DeltaException;

/**
 * What is in an adapter beside its two linear maps.
 *
 * @param nonLinearity between the maps
 * @param normBefore whether a trained layer norm comes first
 * @param normAfter whether a trained layer norm comes last
 * @param residualBeforeNormAfter whether that norm comes after the adapter's own addition
 * @param scaling what the result is multiplied by
 * @param gating whether each row has a trained {@linkplain io.trimtab.delta.Gate gate}
 * @param dropout of the scaled result, in training
 * @param stochasticDepth the probability that training leaves the adapter out for a row
 */
public record Inside(
    NonLinearity nonLinearity,
    boolean normBefore,
    boolean normAfter,
    boolean residualBeforeNormAfter,
    Scaling scaling,
    boolean gating,
    double dropout,
    double stochasticDepth) {
  /** Checks probabilities and what goes with what. */
  public Inside {
    checkProbability("dropout", dropout);
    checkProbability("stochastic_depth", stochasticDepth);
    if (residualBeforeNormAfter && !normAfter) {
      throw new DeltaException(
          "found adapter_residual_before_ln=true without ln_after=true, expected a norm for it to"
              + " come before; switch both on or this off");
    }
  }

  private static void checkProbability(String name, double value) {
    if (!(value >= 0 && value < 1)) {
      throw new DeltaException(
          "found " + name + "=" + value + " for an adapter, expected 0 or more and less than 1");
    }
  }

  /** The maps and a non-linearity, nothing else. */
  public static Inside plain(String nonLinearity) {
    return new Inside(
        new NonLinearity(nonLinearity), false, false, false, Scaling.ONE, false, 0, 0);
  }

  /** The same scaled. */
  public Inside scaled(Scaling factor) {
    return new Inside(
        nonLinearity,
        normBefore,
        normAfter,
        residualBeforeNormAfter,
        factor,
        gating,
        dropout,
        stochasticDepth);
  }

  /** The same with a gate. */
  public Inside gated() {
    return new Inside(
        nonLinearity,
        normBefore,
        normAfter,
        residualBeforeNormAfter,
        scaling,
        true,
        dropout,
        stochasticDepth);
  }
}
