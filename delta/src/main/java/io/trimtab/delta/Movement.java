package io.trimtab.delta;

import io.trimtab.model.Model;
import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Gradients;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Reduction;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * How far one part of a delta has moved: where it can be merged, the Frobenius norm of what that
 * changes in a tensor of the base; otherwise that of the part's own parameters.
 *
 * @param tensor the base tensor it changes or beside which it acts; else the place where it acts
 * @param change the norm of the change, or of the parameters
 * @param weight the norm of the base tensor before
 * @param merged whether {@code change} is of the base tensor
 */
public record Movement(String tensor, double change, double weight, boolean merged) {
  /**
   * The change in relation to the tensor, 0 for none; NaN where it is not of the tensor. Of a
   * tensor of zeros, infinity.
   */
  public double relative() {
    return merged ? (change == 0 ? 0 : change / weight) : Double.NaN;
  }

  /** The movement of every part of a delta, in its order; one entry for each tensor changed. */
  public static List<Movement> of(Delta delta) {
    Map<String, Tensor> stored = delta.base().tensors();
    List<Movement> all = new ArrayList<>();
    Gradients.none(
        () -> {
          delta.parts().forEach(part -> add(part, delta.base(), stored, all));
          return all;
        });
    return List.copyOf(all);
  }

  private static void add(Part part, Model base, Map<String, Tensor> stored, List<Movement> all) {
    if (part.baseTensors().isEmpty()) { // it acts where no tensor of the base is
      try (Scope _ = Scope.open()) {
        all.add(new Movement(part.site().path(), ofParameters(part), 0, false));
      }
    }
    for (String name : part.baseTensors()) {
      try (Scope _ = Scope.open()) {
        Tensor before = Objects.requireNonNull(stored.get(name), () -> name + " of " + base);
        Tensor plain = before.to(DType.F32);
        double weight = norm(plain);
        try {
          Tensor after = part.merge(name, plain).to(DType.F32);
          all.add(new Movement(name, norm(Arithmetic.subtract(after, plain)), weight, true));
        } catch (DeltaException.Unsupported e) { // it cannot be merged
          all.add(new Movement(name, ofParameters(part), weight, false));
          return;
        }
      }
    }
  }

  private static double ofParameters(Part part) {
    return Math.sqrt(
        part.parameters().stream()
            .map(Parameter::value)
            .mapToDouble(value -> norm(value.detach().to(DType.F32)))
            .map(norm -> norm * norm)
            .sum());
  }

  private static double norm(Tensor tensor) {
    return Reduction.norm(tensor).toFloats()[0];
  }
}
