package io.trimtab.delta.bottleneck;

import io.trimtab.delta.DeltaException;
import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Reduction;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Tensor;
import java.util.Arrays;
import java.util.stream.Collectors;

/** What the weights of dense maps start as; biases start at zero. */
public enum Start {
  /** Normal with deviation 0.02, both ways: AdapterHub's. */
  BERT("bert"),
  /** As LoRA starts: down uniform within ± 1 / √in, up zero, so that nothing changes at first. */
  MAM("mam_adapter"),
  /** Normal with deviation 0.01, without what is further than two of it: Houlsby et al. */
  HOULSBY("houlsby"),
  /** Normal with deviation 0.01: OpenDelta's. */
  OPENDELTA("opendelta"),
  /** Down normal with deviation 0.02, up zero, so that nothing changes at first. */
  ZERO("zero");

  private final String text;

  Start(String text) {
    this.text = text;
  }

  /** What options and files call it: AdapterHub's {@code init_weights}, and two more. */
  public String text() {
    return text;
  }

  /** The start of that name. */
  public static Start named(String text) {
    return Arrays.stream(values())
        .filter(start -> start.text.equals(text))
        .findFirst()
        .orElseThrow(
            () ->
                new DeltaException.Unsupported(
                    "found init_weights="
                        + text
                        + " for an adapter, expected "
                        + Arrays.stream(values())
                            .map(Start::text)
                            .collect(Collectors.joining(", "))));
  }

  /** Whether the way up starts at zero, whatever it is made of. */
  boolean isZeroUp() {
    return this == MAM || this == ZERO;
  }

  /** The weight [out, in] of a dense map. */
  Tensor dense(boolean up, long out, long in, Device device, Rng rng) {
    if (up && isZeroUp()) {
      return Creation.zeros(DType.F32, device, out, in);
    }
    return switch (this) {
      case BERT, ZERO -> rng.normal(0.02, DType.F32, device, out, in);
      case OPENDELTA -> rng.normal(0.01, DType.F32, device, out, in);
      case HOULSBY -> truncated(0.01, device, rng, out, in);
      case MAM -> {
        double bound = 1 / Math.sqrt((double) in);
        yield rng.uniform(-bound, bound, DType.F32, device, out, in);
      }
    };
  }

  /** What is too far out is drawn again: one in 22, so a handful of rounds. */
  private static Tensor truncated(double deviation, Device device, Rng rng, long... shape) {
    Tensor drawn = rng.normal(deviation, DType.F32, device, shape);
    Tensor limit = Creation.scalar(2 * deviation, DType.F32, device);
    while (Reduction.max(Arithmetic.absolute(drawn)).item() > limit.item()) {
      Tensor again = rng.normal(deviation, DType.F32, device, shape);
      drawn = Arithmetic.where(Arithmetic.less(limit, Arithmetic.absolute(drawn)), again, drawn);
    }
    return drawn;
  }
}
