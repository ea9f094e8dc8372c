package io.trimtab.hub.gguf;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Llama 3's way to stretch rotary embeddings: long waves are stretched by a factor, short ones not
 * at all, and those between by something between. llama.cpp stores what comes of it for each wave,
 * Hugging Face the four numbers that it comes from.
 *
 * @param factor by which long waves are stretched
 * @param low waves longer than {@code context / low} are long
 * @param high waves shorter than {@code context / high} are short
 * @param context the number of positions before stretching
 */
record Llama3Rope(double factor, double low, double high, long context) {
  private static final double TOLERANCE = 1e-4;

  /** The rule that gives these factors; empty where none does. */
  static Optional<Llama3Rope> of(List<Double> factors, double base, long turned) {
    if (factors.size() != turned / 2) {
      return Optional.empty();
    }
    double factor = factors.stream().mapToDouble(Double::doubleValue).max().orElse(1);
    // Published models have these; the division between the two and the context is not unique.
    List<Llama3Rope> candidates = new ArrayList<>();
    for (long context = 8192; context >= 1; context /= 2) {
      candidates.add(new Llama3Rope(factor, 1, 4, context));
    }
    for (long context = 16384; context <= 1 << 20; context *= 2) {
      candidates.add(new Llama3Rope(factor, 1, 4, context));
    }
    return candidates.stream().filter(each -> each.gives(factors, base, turned)).findFirst();
  }

  private boolean gives(List<Double> factors, double base, long turned) {
    List<Double> own = factors(base, turned);
    for (int i = 0; i < own.size(); i++) {
      if (Math.abs(own.get(i) - factors.get(i)) > TOLERANCE * own.get(i)) {
        return false;
      }
    }
    return true;
  }

  /** The factor of each of the {@code turned / 2} waves. */
  List<Double> factors(double base, long turned) {
    List<Double> out = new ArrayList<>();
    for (int i = 0; i < turned; i += 2) {
      double wave = 2 * Math.PI * Math.pow(base, (double) i / turned);
      if (wave < context / high) {
        out.add(1.0);
      } else if (wave > context / low) {
        out.add(factor);
      } else {
        double smooth = (context / wave - low) / (high - low);
        out.add(1 / ((1 - smooth) / factor + smooth));
      }
    }
    return out;
  }

  void putInto(Map<String, @Nullable Object> parameters) {
    parameters.put("rope_type", "llama3");
    parameters.put("factor", factor);
    parameters.put("low_freq_factor", low);
    parameters.put("high_freq_factor", high);
    parameters.put("original_max_position_embeddings", Math.toIntExact(context));
  }
}
