package io.trimtab.delta.bottleneck;

import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.LinearAlgebra;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A linear map of an adapter: from [tokens, in] to [tokens, out]. */
sealed interface Projection permits Projection.Dense, Projection.LowRank, PhmProjection {
  /** Applies it, in the type of {@code x}. */
  Tensor forward(Tensor x);

  /** What is trained. */
  List<Parameter> parameters();

  /** What is stored and not trained. */
  default List<Parameter> constants() {
    return List.of();
  }

  /**
   * x Wᵀ + b.
   *
   * @param weight W, [out, in]
   * @param bias [out]
   */
  record Dense(Parameter weight, Parameter bias) implements Projection {
    @Override
    public Tensor forward(Tensor x) {
      DType type = x.dtype();
      return LinearAlgebra.linear(x, weight.value().to(type), bias.value().to(type));
    }

    @Override
    public List<Parameter> parameters() {
      return List.of(weight, bias);
    }
  }

  /**
   * x s t + b.
   *
   * @param left s, [in, rank]
   * @param right t, [rank, out]
   * @param bias [out]
   */
  record LowRank(Parameter left, Parameter right, Parameter bias) implements Projection {
    @Override
    public Tensor forward(Tensor x) {
      DType type = x.dtype();
      return LinearAlgebra.addProduct(
          bias.value().to(type),
          LinearAlgebra.matmul(x, left.value().to(type)),
          right.value().to(type));
    }

    @Override
    public List<Parameter> parameters() {
      return List.of(left, right, bias);
    }
  }

  /** Adds a bias where there is one. */
  static Tensor plus(Tensor x, @Nullable Parameter bias) {
    return bias == null ? x : Arithmetic.add(x, bias.value().to(x.dtype()));
  }

  /** A list without what is null. */
  static List<Parameter> present(@Nullable Parameter... parameters) {
    List<Parameter> present = new ArrayList<>();
    for (Parameter parameter : parameters) {
      if (parameter != null) {
        present.add(parameter);
      }
    }
    return present;
  }
}
