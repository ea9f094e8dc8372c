package io.trimtab.delta.intrinsic;

import io.trimtab.delta.Part;
import io.trimtab.model.Linear;
import io.trimtab.model.Patch;
import io.trimtab.model.Site;
import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Tensor;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A weight moved by the vector that all share: W + λᵢ P θ, with intrinsic.theta [d - weights] and
 * intrinsic.lambda [weights], or W + P θ with intrinsic.theta [d].
 *
 * @param lambda the factors, or null where there are none
 * @param index which of them is this weight's
 */
record IntrinsicWeight(
    Linear layer, Fastfood map, Parameter theta, @Nullable Parameter lambda, int index)
    implements Part {
  @Override
  public Site<?> site() {
    return Site.tensor(layer.weightName());
  }

  @Override
  public Patch patch() {
    return (Patch.Effective) (stored, pass) -> moved(stored);
  }

  private Tensor moved(Tensor stored) {
    DType type = stored.dtype() == DType.F64 ? DType.F64 : DType.F32;
    Tensor vector = theta.value().to(type);
    // The map is linear: d numbers are rescaled, not D.
    Tensor scaled =
        lambda == null
            ? vector
            : Arithmetic.multiply(vector, Indexing.slice(lambda.value().to(type), 0, index, 1));
    Tensor change = map.apply(scaled).reshape(stored.shape());
    return Arithmetic.add(stored.to(type), change).to(stored.dtype());
  }

  @Override
  public List<Parameter> parameters() {
    return lambda == null ? List.of(theta) : List.of(theta, lambda);
  }

  @Override
  public List<Parameter> constants() {
    return map.factors();
  }

  @Override
  public List<String> baseTensors() {
    return List.of(layer.weightName());
  }

  @Override
  public Tensor merge(String name, Tensor stored) {
    return moved(stored);
  }
}
