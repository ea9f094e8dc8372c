package io.trimtab.delta.reft;

import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Householder;
import io.trimtab.tensor.LinearAlgebra;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/** R [rank, hidden], onto the subspace in which an intervention works. */
sealed interface Projection {
  /** R in the given type of numbers. */
  Tensor matrix(DType dtype);

  /** What is trained. */
  List<Parameter> parameters();

  /** What is stored beside it. */
  List<Parameter> constants();

  /** A matrix trained without a constraint. */
  record Free(Parameter weight) implements Projection {
    /** Started as a dense layer is: uniform within ± 1 / √hidden. */
    static Free create(
        String path, int rank, long hidden, Rng rng, BiFunction<String, Tensor, Parameter> maker) {
      double bound = 1 / Math.sqrt((double) hidden);
      Tensor start = rng.uniform(-bound, bound, DType.F32, Device.CPU, rank, hidden);
      return new Free(maker.apply(path + ".weight", start));
    }

    @Override
    public Tensor matrix(DType dtype) {
      return weight.value().to(dtype);
    }

    @Override
    public List<Parameter> parameters() {
      return List.of(weight);
    }

    @Override
    public List<Parameter> constants() {
      return List.of();
    }
  }

  /**
   * A matrix with orthonormal rows, (base · Q · signs)ᵀ with Q the product of reflections that the
   * entries of {@code free} beyond its diagonal say. PyTorch parametrizes so, and keeps the signs
   * on the diagonal of {@code free}; here they are apart, since weight decay shrinks that diagonal
   * and PyTorch, which cuts it to whole numbers, then has zeros for signs.
   *
   * @param free [rank, hidden]
   * @param signs [rank]: 1 or -1, or 0 in files of PyTorch where training has done the above
   * @param base orthonormal, [hidden, hidden]; null for the identity
   */
  record Orthonormal(Parameter free, Parameter signs, @Nullable Parameter base)
      implements Projection {
    /**
     * Started in directions spread evenly over the sphere: a reflection along e + u takes e to -u.
     */
    static Orthonormal create(
        String path,
        int rank,
        long hidden,
        boolean based,
        Rng rng,
        BiFunction<String, Tensor, Parameter> maker) {
      String at = path + ".parametrizations.weight.";
      double deviation = 1 / Math.sqrt((double) hidden);
      Tensor start = rng.normal(deviation, DType.F32, Device.CPU, rank, hidden);
      Tensor signs = Creation.full(-1, DType.F32, Device.CPU, rank);
      return new Orthonormal(
          maker.apply(at + "original", start),
          Parameter.constant(path + ".signs", signs),
          based ? Parameter.constant(at + "0.base", identity(hidden)) : null);
    }

    private static Tensor identity(long size) {
      Tensor numbers = Creation.range(size, Device.CPU);
      return Arithmetic.equal(numbers.reshape(size, 1), numbers.reshape(1, size)).to(DType.F32);
    }

    @Override
    public Tensor matrix(DType dtype) {
      // Half precision has no such product, and too few digits for rows to stay orthonormal.
      DType exact = dtype == DType.F64 ? DType.F64 : DType.F32;
      Tensor columns = Householder.columns(free.value().to(exact).transpose(0, 1));
      Tensor signed = Arithmetic.multiply(columns, signs.value().to(exact));
      Tensor turned = base == null ? signed : LinearAlgebra.matmul(base.value().to(exact), signed);
      return turned.transpose(0, 1).to(dtype);
    }

    @Override
    public List<Parameter> parameters() {
      return List.of(free);
    }

    @Override
    public List<Parameter> constants() {
      List<Parameter> constants = new ArrayList<>(List.of(signs));
      if (base != null) {
        constants.add(base);
      }
      return List.copyOf(constants);
    }
  }
}
