package io.trimtab.delta.boft;

import io.trimtab.delta.Part;
import io.trimtab.delta.oft.Rotations;
import io.trimtab.model.Linear;
import io.trimtab.model.Pass;
import io.trimtab.model.Patch;
import io.trimtab.model.Site;
import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The rotation of what a linear layer is given: x Mₘ … M₁ with Mᵢ = Pᵢ diag(blocks) Pᵢᵀ. The
 * parameter is boft_R [m, blocks, b, b], of which only the skew-symmetric part counts.
 */
final class BoftRotation implements Part {
  private final Linear layer;
  private final Parameter free;
  private final double dropout;

  private BoftRotation(Linear layer, Parameter free, double dropout) {
    this.layer = layer;
    this.free = free;
    this.dropout = dropout;
  }

  /** Zeros, which rotate nothing, so that training starts from the base. */
  static BoftRotation create(Linear layer, int size, int factors, double dropout) {
    long in = layer.weight().in();
    Device device = layer.weight().device();
    try (Scope _ = Scope.open()) {
      Tensor zeros = Creation.zeros(DType.F32, device, factors, in / size, size, size);
      return new BoftRotation(layer, Parameter.of(layer.path() + ".boft_R", zeros), dropout);
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
    List<Tensor> factors = factors(Rotations.precise(input.dtype()), pass.training());
    Tensor turned = input;
    for (int i = factors.size() - 1; i >= 0; i--) {
      turned = butterfly(turned, factors.get(i).to(input.dtype()), i);
    }
    return turned;
  }

  /** The blocks of each factor, [blocks, b, b]. */
  private List<Tensor> factors(DType type, Optional<Rng> training) {
    Tensor numbers = free.value().to(type);
    long count = numbers.size(0);
    long size = numbers.size(-1);
    Tensor all = numbers.reshape(-1, size, size);
    Tensor skew = Arithmetic.multiply(Arithmetic.subtract(all, all.transpose(1, 2)), 0.5);
    Tensor rotations = Rotations.cayley(skew).reshape(count, -1, size, size);
    List<Tensor> factors = new ArrayList<>();
    for (long i = 0; i < count; i++) {
      factors.add(Indexing.at(rotations, 0, i));
    }
    training.filter(rng -> dropout > 0).ifPresent(rng -> drop(factors, rng));
    return factors;
  }

  /** As in PEFT, one factor a step, chosen at random, loses some of its blocks. */
  private void drop(List<Tensor> factors, Rng rng) {
    double place = rng.uniform(0, factors.size(), DType.F64, Device.CPU).item();
    int chosen = Math.min((int) place, factors.size() - 1);
    factors.set(chosen, Rotations.drop(factors.get(chosen), dropout, rng));
  }

  /** Rows [n, in] times P diag(blocks) Pᵀ of a factor. */
  private static Tensor butterfly(Tensor rows, Tensor blocks, int factor) {
    if (factor == 0) {
      return Rotations.turn(rows, blocks);
    }
    // Of every 2ᶠ⁺¹ half blocks side by side P takes the even ones first, then the odd ones.
    long half = blocks.size(-1) / 2;
    long pairs = 1L << factor;
    long in = rows.size(-1);
    Tensor apart = rows.reshape(-1, in / (2 * pairs * half), 2, pairs, half);
    Tensor mixed = apart.transpose(2, 3).reshape(-1, in);
    Tensor turned = Rotations.turn(mixed, blocks);
    Tensor together = turned.reshape(-1, in / (2 * pairs * half), pairs, 2, half);
    return together.transpose(2, 3).reshape(-1, in);
  }

  @Override
  public List<Parameter> parameters() {
    return List.of(free);
  }

  @Override
  public List<String> baseTensors() {
    return List.of(layer.weightName());
  }

  @Override
  public Tensor merge(String name, Tensor stored) {
    DType type = Rotations.precise(stored.dtype());
    Tensor turned = stored.to(type);
    // x R Wᵀ = x (W Rᵀ)ᵀ, and Rᵀ has the factors' transposes in the other order.
    List<Tensor> factors = factors(type, Optional.empty());
    for (int i = 0; i < factors.size(); i++) {
      turned = butterfly(turned, factors.get(i).transpose(1, 2), i);
    }
    return turned.to(stored.dtype());
  }
}
