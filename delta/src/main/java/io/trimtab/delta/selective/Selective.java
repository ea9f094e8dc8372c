package io.trimtab.delta.selective;

import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaMethod;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.Part;
import io.trimtab.delta.ReplacedTensor;
import io.trimtab.model.Model;
import io.trimtab.tensor.Rng;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Settings of selective tuning.
 *
 * @param which the tensors that are trained
 */
public record Selective(Which which) implements DeltaSpec {
  /** A choice of stored tensors. */
  public enum Which {
    /** All of them: full fine-tuning. */
    ALL,
    /** Those whose name ends in {@code bias}: BitFit. */
    BIASES
  }

  /** Full fine-tuning. */
  public static Selective all() {
    return new Selective(Which.ALL);
  }

  /** BitFit. */
  public static Selective biases() {
    return new Selective(Which.BIASES);
  }

  @Override
  public DeltaMethod method() {
    return which == Which.ALL ? new FullMethod() : new BitFitMethod();
  }

  @Override
  public List<Part> parts(Model model, Rng rng) {
    List<Part> parts = new ArrayList<>();
    model
        .tensors()
        .forEach(
            (name, stored) -> {
              if (which == Which.ALL || name.endsWith("bias")) {
                parts.add(ReplacedTensor.copyOf(name, name, stored));
              }
            });
    if (parts.isEmpty()) {
      throw new DeltaException.NoMatch(
          "found no bias in " + model.name() + ", expected some; choose another method");
    }
    return parts;
  }

  @Override
  public Map<String, Object> toConfig(Model model) {
    return new LinkedHashMap<>();
  }
}
