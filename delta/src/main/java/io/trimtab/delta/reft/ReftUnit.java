package io.trimtab.delta.reft;

import io.trimtab.model.Activation;
import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.LinearAlgebra;
import io.trimtab.tensor.Neural;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One intervention: h + Rᵀ (f(W h + b) − R h), equation 2 of the paper, or without the subtraction.
 *
 * @param weight W [rank, hidden]
 * @param bias b [rank]
 * @param projection R [rank, hidden]
 * @param activation f, or null for none
 * @param subtracts whether R h is subtracted
 * @param dropout of the result in training
 * @param used whether any token is changed by it; else it is only kept
 */
record ReftUnit(
    Parameter weight,
    Parameter bias,
    Projection projection,
    @Nullable Activation activation,
    boolean subtracts,
    double dropout,
    boolean used) {

  /** What is added to tokens [n, hidden]. */
  Tensor change(Tensor tokens, @Nullable Rng training) {
    Tensor r = projection.matrix(tokens.dtype());
    Tensor inner =
        LinearAlgebra.linear(
            tokens, weight.value().to(tokens.dtype()), bias.value().to(tokens.dtype()));
    Tensor source = activation == null ? inner : activation.apply(inner);
    Tensor change =
        LinearAlgebra.matmul(
            subtracts ? Arithmetic.subtract(source, LinearAlgebra.linear(tokens, r, null)) : source,
            r);
    if (training == null || dropout == 0) {
      return change;
    }
    // The authors drop from the changed token, and not from the change.
    Tensor dropped = Neural.dropout(Arithmetic.add(tokens, change), dropout, training);
    return Arithmetic.subtract(dropped, tokens);
  }

  List<Parameter> parameters() {
    return used ? all() : List.of();
  }

  List<Parameter> constants() {
    List<Parameter> constants = new ArrayList<>(used ? List.of() : all());
    constants.addAll(projection.constants());
    return constants;
  }

  private List<Parameter> all() {
    List<Parameter> all = new ArrayList<>(List.of(weight, bias));
    all.addAll(projection.parameters());
    return all;
  }
}
