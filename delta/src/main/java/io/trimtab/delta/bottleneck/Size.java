package io.trimtab.delta.bottleneck;

import io.trimtab.delta.DeltaException;
import java.util.Map;
import java.util.TreeMap;

/** How many numbers the bottleneck has. */
public sealed interface Size {
  /** The same everywhere. */
  record Width(int width) implements Size {
    /** Refuses less than one. */
    public Width {
      if (width < 1) {
        throw new DeltaException(
            "found a bottleneck of " + width + " for an adapter, expected at least 1");
      }
    }
  }

  /**
   * The hidden size over a factor, rounded down, at least 1.
   *
   * @param factor where nothing else is said; below 1 for more numbers than the hidden size
   * @param byBlock for some blocks, by number
   */
  record Reduced(double factor, Map<Integer, Double> byBlock) implements Size {
    /** Copies the map and refuses factors that are not above 0. */
    public Reduced {
      byBlock = Map.copyOf(byBlock);
      check(factor);
      byBlock.values().forEach(Reduced::check);
    }

    private static void check(double factor) {
      if (!(factor > 0) || Double.isInfinite(factor)) {
        throw new DeltaException(
            "found a reduction factor of " + factor + " for an adapter, expected more than 0");
      }
    }
  }

  /** The hidden size over {@code factor}. */
  static Size reduced(double factor) {
    return new Reduced(factor, Map.of());
  }

  /** The width at a place. */
  default long of(long hidden, int block) {
    return switch (this) {
      case Width fixed -> fixed.width();
      case Reduced reduced ->
          Math.max(1, (long) (hidden / reduced.byBlock().getOrDefault(block, reduced.factor())));
    };
  }

  /** From a factor, or one a block with what else holds: {@code 1:8,6:32,default:16}. */
  static Size parseFactor(String text) {
    Map<Integer, Double> byBlock = new TreeMap<>();
    double factor = Double.NaN;
    try {
      if (!text.contains(":")) {
        return reduced(Double.parseDouble(text));
      }
      for (String part : text.split(",")) {
        int colon = part.indexOf(':');
        double value = Double.parseDouble(part.substring(colon + 1));
        String block = part.substring(0, Math.max(0, colon)).strip();
        if (block.equals("default")) {
          factor = value;
        } else {
          byBlock.put(Integer.valueOf(block), value);
        }
      }
    } catch (NumberFormatException e) {
      throw wrong(text, e);
    }
    if (Double.isNaN(factor)) {
      throw wrong(text, null);
    }
    return new Reduced(factor, byBlock);
  }

  private static DeltaException wrong(
      String text, @org.jspecify.annotations.Nullable Throwable cause) {
    String message =
        "found reduction_factor="
            + text
            + " for an adapter, expected a number, or one a block and a default such as"
            + " 1:8,default:16";
    return cause == null ? new DeltaException(message) : new DeltaException(message, cause);
  }

  /** What {@link #parseFactor} reads. */
  static String factorText(Reduced reduced) {
    StringBuilder text = new StringBuilder();
    new TreeMap<>(reduced.byBlock())
        .forEach((block, value) -> text.append(block).append(':').append(value).append(','));
    return text.isEmpty()
        ? String.valueOf(reduced.factor())
        : text.append("default:").append(reduced.factor()).toString();
  }
}
