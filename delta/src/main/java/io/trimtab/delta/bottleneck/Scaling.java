package io.trimtab.delta.bottleneck;

import io.trimtab.delta.DeltaException;

/** What an adapter's result is multiplied by (He et al., 2022, section 4.5). */
public sealed interface Scaling {
  /** A number that stays as it is. */
  record Fixed(double factor) implements Scaling {
    /** Refuses what is no number. */
    public Fixed {
      if (!Double.isFinite(factor)) {
        throw new DeltaException(
            "found a scaling of " + factor + " for an adapter, expected a finite number");
      }
    }

    @Override
    public String toString() {
      return String.valueOf(factor);
    }
  }

  /** One trained number an adapter, from 1 on. */
  record Learned() implements Scaling {
    @Override
    public String toString() {
      return "learned";
    }
  }

  /** One trained number for each number of the result, from 1 on (Steitz and Roth, 2024). */
  record PerChannel() implements Scaling {
    @Override
    public String toString() {
      return "channel";
    }
  }

  /** None. */
  Scaling ONE = new Fixed(1);

  /** From {@code learned}, {@code channel} or a number. */
  static Scaling parse(String text) {
    return switch (text) {
      case "learned" -> new Learned();
      case "channel" -> new PerChannel();
      default -> {
        try {
          yield new Fixed(Double.parseDouble(text));
        } catch (NumberFormatException e) {
          throw new DeltaException(
              "found scaling=" + text + " for an adapter, expected a number, learned or channel",
              e);
        }
      }
    };
  }
}
