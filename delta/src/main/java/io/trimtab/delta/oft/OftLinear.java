package io.trimtab.delta.oft;

import io.trimtab.delta.Part;
import io.trimtab.model.Linear;
import io.trimtab.model.Pass;
import io.trimtab.model.Patch;
import io.trimtab.model.Site;
import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Gradients;
import io.trimtab.tensor.Matrices;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Reduction;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.util.List;
import java.util.Optional;

/**
 * A rotation of what a linear layer is given: x R with R = diag(R₁, …, Rₙ). The parameter, [n, b (b
 * - 1) / 2] or [1, ..] where the blocks are shared, holds what is above the diagonals.
 */
final class OftLinear implements Part {
  private final Linear layer;
  private final Parameter upper;
  private final int size;
  private final Oft spec;

  private OftLinear(Linear layer, Parameter upper, int size, Oft spec) {
    this.layer = layer;
    this.upper = upper;
    this.size = size;
    this.spec = spec;
  }

  /** Zeros, which rotate nothing, so that training starts from the base. */
  static OftLinear create(Linear layer, Oft spec) {
    long in = layer.weight().in();
    int size = spec.sizeAt(layer.path(), in);
    Device device = layer.weight().device();
    try (Scope _ = Scope.open()) {
      long rows = spec.shared() ? 1 : in / size;
      Tensor zeros = Creation.zeros(DType.F32, device, rows, size * (size - 1L) / 2);
      return new OftLinear(layer, Parameter.of(layer.path() + ".oft_R.weight", zeros), size, spec);
    }
  }

  @Override
  public Site<?> site() {
    return Site.input(layer.path());
  }

  @Override
  public Patch patch() {
    return (Patch.Input) this::apply;
  }

  private Tensor apply(Tensor input, Pass pass) {
    Tensor blocks = blocks(Rotations.precise(input.dtype()), pass.training());
    return Rotations.turn(input, blocks.to(input.dtype()));
  }

  private Tensor blocks(DType type, Optional<Rng> training) {
    Tensor numbers = Arithmetic.multiply(upper.value(), shrinking()).to(type);
    Tensor skew = Matrices.skewSymmetric(numbers, size);
    Tensor blocks =
        spec.terms() == 0 ? Rotations.cayley(skew) : Rotations.neumann(skew, spec.terms());
    return training.map(rng -> Rotations.drop(blocks, spec.dropout(), rng)).orElse(blocks);
  }

  /**
   * What brings each block back within COFT's bound, [blocks, 1]; one where it is. Gradients pass
   * as if it were a constant: the method is projected gradient descent.
   */
  private Tensor shrinking() {
    Tensor numbers = upper.value().detach();
    long blocks = numbers.size(0);
    Tensor ones = Creation.full(1, DType.F32, numbers.device(), blocks, 1);
    if (spec.radius() == 0) {
      return ones;
    }
    double bound = spec.radius() / Math.sqrt((double) blocks);
    // Each number stands in the skew-symmetric matrix twice.
    Tensor squares = Reduction.sum(Arithmetic.power(numbers, 2), 1).reshape(blocks, 1);
    Tensor norms = Arithmetic.squareRoot(Arithmetic.multiply(squares, 2));
    Tensor limit = Creation.full(bound, DType.F32, numbers.device(), blocks, 1);
    return Arithmetic.where(Arithmetic.less(limit, norms), Arithmetic.divide(limit, norms), ones);
  }

  /** Brings the parameter itself back within COFT's bound. */
  void pullBack() {
    Gradients.none(
        () -> {
          try (Scope _ = Scope.open()) {
            upper.assign(Arithmetic.multiply(upper.value(), shrinking()));
            return upper;
          }
        });
  }

  @Override
  public List<Parameter> parameters() {
    return List.of(upper);
  }

  @Override
  public List<String> baseTensors() {
    return List.of(layer.weightName());
  }

  @Override
  public Tensor merge(String name, Tensor stored) {
    DType type = Rotations.precise(stored.dtype());
    // x R Wᵀ = x (W Rᵀ)ᵀ
    Tensor back = blocks(type, Optional.empty()).transpose(1, 2);
    return Rotations.turn(stored.to(type), back).to(stored.dtype());
  }
}
