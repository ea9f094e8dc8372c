package io.trimtab.delta.randlora;

import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.ChangedProduct;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.LinearAlgebra;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Tensor;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * W + s B (Λ A Γ) where the input is the smaller side. With as many scaled rows as it has numbers
 * the product is as large as that with W, so one of both saves most. With M = s Bᵀ (dYᵀ x) ⊙ A, n
 * matrices Mₙ [rank, in], the gradient of λₙ is Mₙ γₙ, that of γₙ is Mₙᵀ λₙ.
 *
 * @param small A [rank, 1, in]
 * @param large B [out, rank·n]
 * @param lambda [rank, n]
 * @param gamma [n, in]
 * @param scale s
 */
record RandLoraChange(
    Supplier<Tensor> small, Supplier<Tensor> large, Parameter lambda, Parameter gamma, double scale)
    implements ChangedProduct.Change {
  @Override
  public List<Tensor> trained() {
    return List.of(lambda.value(), gamma.value());
  }

  @Override
  public Tensor changed(Tensor weight, List<Tensor> trained) {
    DType type = weight.dtype();
    Tensor factors = Arithmetic.multiply(trained.get(0).to(type), scale);
    Tensor rows = Arithmetic.multiply(Indexing.unsqueeze(factors, 2), trained.get(1).to(type));
    Tensor scaled = Arithmetic.multiply(rows, small.get().to(type));
    return LinearAlgebra.addProduct(
        weight, large.get().to(type), scaled.reshape(-1, weight.size(1)));
  }

  @Override
  public List<@Nullable Tensor> gradients(
      Tensor input, Tensor gradient, List<Tensor> trained, List<Boolean> wanted) {
    DType type = input.dtype();
    Tensor l = trained.get(0);
    Tensor g = trained.get(1);
    Tensor ofWeight = LinearAlgebra.matmul(gradient.transpose(0, 1), input);
    Tensor ofRows = LinearAlgebra.matmul(large.get().to(type).transpose(0, 1), ofWeight);
    Tensor met =
        Arithmetic.multiply(
            ofRows.reshape(l.size(0), l.size(1), input.size(1)), small.get().to(type));
    Tensor matrices = met.transpose(0, 1); // Mₙ / s
    Tensor vectors = Indexing.unsqueeze(g.to(type), 2);
    Tensor ofLambda = LinearAlgebra.matmul(matrices, vectors).reshape(l.size(1), l.size(0));
    Tensor columns = Indexing.unsqueeze(l.to(type).transpose(0, 1), 1);
    Tensor ofGamma = LinearAlgebra.matmul(columns, matrices).reshape(g.shape());
    return List.of(
        Arithmetic.multiply(ofLambda.transpose(0, 1).contiguous(), scale).to(l.dtype()),
        Arithmetic.multiply(ofGamma, scale).to(g.dtype()));
  }

  @Override
  public boolean isCheap() {
    return false;
  }
}
