package io.trimtab.delta;

import io.trimtab.model.Patch;
import io.trimtab.model.Site;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Tensor;
import java.util.List;

/** A stored tensor trained as a whole: a parameter that starts as its copy and takes its place. */
public final class ReplacedTensor implements Part {
  private final String baseTensor;
  private final Parameter parameter;

  private ReplacedTensor(String baseTensor, Parameter parameter) {
    this.baseTensor = baseTensor;
    this.parameter = parameter;
  }

  /** A trainable F32 copy of {@code stored}, called {@code key} in files. */
  public static ReplacedTensor copyOf(String baseTensor, String key, Tensor stored) {
    return new ReplacedTensor(baseTensor, Parameter.of(key, stored.to(DType.F32)));
  }

  @Override
  public Site<?> site() {
    return Site.tensor(baseTensor);
  }

  @Override
  public boolean buildsOnOthers() {
    return false;
  }

  @Override
  public Patch patch() {
    return (Patch.Effective) (stored, pass) -> parameter.value().to(stored.dtype());
  }

  @Override
  public List<Parameter> parameters() {
    return List.of(parameter);
  }

  @Override
  public List<String> baseTensors() {
    return List.of(baseTensor);
  }

  @Override
  public Tensor merge(String name, Tensor stored) {
    return parameter.value().detach().to(stored.dtype());
  }
}
