package io.trimtab.delta;

import static org.assertj.core.api.Assertions.assertThat;

import io.trimtab.model.Layout;
import io.trimtab.model.Linear;
import io.trimtab.model.Pass;
import io.trimtab.model.Patch;
import io.trimtab.model.weights.Weight;
import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Gradients;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import org.assertj.core.data.Offset;

/** Linear layers without a model, and what a part on one does to its weight, number by number. */
public final class Dense {
  private Dense() {}

  /** What a change of a weight is said to be. */
  @FunctionalInterface
  public interface Expected {
    /** ΔW at a row (an output) and a column (an input). */
    double at(int out, int in);
  }

  /** A layer of random numbers, to be closed with the scope that is open. */
  public static Linear layer(String path, int out, int in) {
    Tensor weight = Rng.seeded(7).normal(0.5, DType.F32, Device.CPU, out, in);
    return new Linear(path, new Weight.Dense(weight), null);
  }

  /** A layer of a size that would fill the memory if its numbers were its own. */
  public static Linear hollow(String path, int out, int in) {
    Tensor one = Creation.zeros(DType.F32, Device.CPU, 1, 1);
    return new Linear(path, new Weight.Dense(Indexing.expand(one, out, in)), null);
  }

  /** Moves every parameter of a part. */
  public static void move(Part part, long seed) {
    Rng rng = Rng.seeded(seed);
    for (Parameter parameter : part.parameters()) {
      try (Scope _ = Scope.open()) {
        Tensor noise = rng.normal(0.5, DType.F32, Device.CPU, parameter.value().shape());
        parameter.assign(Arithmetic.add(parameter.value().detach(), noise));
      }
    }
  }

  /** A parameter's numbers, by the end of its name. */
  public static double[] numbers(Part part, String end) {
    return part.parameters().stream()
        .filter(parameter -> parameter.name().endsWith("." + end))
        .findFirst()
        .orElseThrow()
        .value()
        .detach()
        .toDoubles();
  }

  /** Checks the part's patch and its merge against ΔW. */
  public static void check(Part part, Linear layer, Expected expected) {
    int in = (int) layer.weight().in();
    int out = (int) layer.weight().out();
    Gradients.none(
        () -> {
          try (Scope _ = Scope.open()) {
            Tensor zeros = Creation.zeros(DType.F32, Device.CPU, in, out);
            Pass pass = Pass.plain(Layout.ofLengths(in));
            Tensor seen = ((Patch.Output) part.patch()).apply(unit(in), zeros, pass);
            Tensor stored = layer.weight().dense();
            Tensor merged = Arithmetic.subtract(part.merge(layer.weightName(), stored), stored);
            double[] patched = seen.transpose(0, 1).contiguous().toDoubles();
            double[] built = merged.toDoubles();
            for (int o = 0; o < out; o++) {
              for (int i = 0; i < in; i++) {
                Offset<Double> near = Offset.offset(1e-4 * (1 + Math.abs(expected.at(o, i))));
                assertThat(patched[o * in + i]).isCloseTo(expected.at(o, i), near);
                assertThat(built[o * in + i]).isCloseTo(expected.at(o, i), near);
              }
            }
            return null;
          }
        });
  }

  private static Tensor unit(int size) {
    float[] values = new float[size * size];
    for (int i = 0; i < size; i++) {
      values[i * size + i] = 1;
    }
    return Creation.floats(values, size, size);
  }

  /** How many numbers parts train. */
  public static long count(Iterable<? extends Part> parts) {
    long count = 0;
    for (Part part : parts) {
      for (Parameter parameter : part.parameters()) {
        count += parameter.value().elements();
      }
    }
    return count;
  }
}
