package io.trimtab.delta.vera;

import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.ChangedProduct;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.LinearAlgebra;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Tensor;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * W + diag(b) B diag(d) A. Both gradients are sums over one matrix, P = B ⊙ dYᵀ (x Aᵀ) [out, rank]:
 * that of b is P d, that of d is Pᵀ b.
 *
 * @param down A [rank, in]
 * @param up B [out, rank]
 * @param inner d [rank]
 * @param outer b [out]
 */
record VeraChange(Supplier<Tensor> down, Supplier<Tensor> up, Parameter inner, Parameter outer)
    implements ChangedProduct.Change {
  @Override
  public List<Tensor> trained() {
    return List.of(inner.value(), outer.value());
  }

  @Override
  public Tensor changed(Tensor weight, List<Tensor> trained) {
    DType type = weight.dtype();
    Tensor columns = Arithmetic.multiply(up.get().to(type), trained.get(0).to(type));
    Tensor scaled = Arithmetic.multiply(columns, trained.get(1).to(type).reshape(-1, 1));
    return LinearAlgebra.addProduct(weight, scaled, down.get().to(type));
  }

  @Override
  public List<@Nullable Tensor> gradients(
      Tensor input, Tensor gradient, List<Tensor> trained, List<Boolean> wanted) {
    DType type = input.dtype();
    Tensor thin = LinearAlgebra.linear(input, down.get().to(type), null);
    Tensor met = LinearAlgebra.matmul(gradient.transpose(0, 1), thin);
    Tensor sums = Arithmetic.multiply(met, up.get().to(type));
    Tensor d = trained.get(0).to(type).reshape(-1, 1);
    Tensor b = trained.get(1).to(type).reshape(-1, 1);
    Tensor ofInner = LinearAlgebra.matmul(sums.transpose(0, 1), b).reshape(-1);
    Tensor ofOuter = LinearAlgebra.matmul(sums, d).reshape(-1);
    return List.of(ofInner.to(trained.get(0).dtype()), ofOuter.to(trained.get(1).dtype()));
  }

  @Override
  public boolean isCheap() {
    return false;
  }
}
