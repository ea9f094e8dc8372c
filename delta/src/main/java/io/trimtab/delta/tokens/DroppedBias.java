package io.trimtab.delta.tokens;

import io.trimtab.delta.Part;
import io.trimtab.model.Linear;
import io.trimtab.model.Patch;
import io.trimtab.model.Site;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Tensor;
import java.util.List;

/**
 * Zeros in the place of a tied head's bias. PEFT computes such a head as x Wᵀ once it sees trained
 * tokens, so that what was trained there was trained without the bias.
 */
record DroppedBias(Linear head) implements Part {
  @Override
  public Site<?> site() {
    return Site.tensor(head.biasName());
  }

  @Override
  public Patch patch() {
    return (Patch.Effective) (stored, pass) -> zerosLike(stored);
  }

  private static Tensor zerosLike(Tensor stored) {
    return Creation.zeros(stored.dtype(), stored.device(), stored.shape());
  }

  @Override
  public List<Parameter> parameters() {
    return List.of();
  }

  @Override
  public List<String> baseTensors() {
    return List.of(head.biasName());
  }

  @Override
  public Tensor merge(String name, Tensor stored) {
    return zerosLike(stored);
  }
}
