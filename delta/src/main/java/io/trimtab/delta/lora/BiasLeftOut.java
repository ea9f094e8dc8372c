package io.trimtab.delta.lora;

import io.trimtab.delta.Part;
import io.trimtab.model.Linear;
import io.trimtab.model.Patch;
import io.trimtab.model.Site;
import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Tensor;
import java.util.List;

/**
 * A head without its bias: what PEFT computes where trained tokens reach a tied head, and so what
 * its files were tuned with.
 */
record BiasLeftOut(Linear head) implements Part {
  @Override
  public Site<?> site() {
    return Site.tensor(head.biasName());
  }

  @Override
  public Patch patch() {
    return (Patch.Effective) (stored, pass) -> Arithmetic.multiply(stored, 0);
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
    return Arithmetic.multiply(stored, 0);
  }
}
