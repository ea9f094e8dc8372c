package io.trimtab.delta.fourierft;

import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.ChangedProduct;
import io.trimtab.tensor.FewFrequencies;
import io.trimtab.tensor.LinearAlgebra;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Tensor;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * W + α Re(F⁻¹(S)). The gradient of S is that of the weight, dYᵀ x, transformed and read at the few
 * places.
 *
 * @param spectrum the entries of S [n]
 * @param scaling α
 */
record FourierFtChange(Parameter spectrum, FewFrequencies frequencies, double scaling)
    implements ChangedProduct.Change {
  @Override
  public List<Tensor> trained() {
    return List.of(spectrum.value());
  }

  @Override
  public Tensor changed(Tensor weight, List<Tensor> trained) {
    Tensor change = frequencies.inverse(trained.getFirst().to(weight.dtype()));
    return Arithmetic.addScaled(weight, change, scaling);
  }

  @Override
  public List<@Nullable Tensor> gradients(
      Tensor input, Tensor gradient, List<Tensor> trained, List<Boolean> wanted) {
    Tensor ofWeight = LinearAlgebra.matmul(gradient.transpose(0, 1), input);
    Tensor entries = Arithmetic.multiply(frequencies.gradient(ofWeight), scaling);
    return List.of(entries.to(trained.getFirst().dtype()));
  }

  @Override
  public boolean isCheap() {
    return false;
  }
}
