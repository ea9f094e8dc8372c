package io.trimtab.delta.shira;

import io.trimtab.delta.Part;
import io.trimtab.model.Linear;
import io.trimtab.model.Patch;
import io.trimtab.model.Site;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.Matrices;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.util.List;

/**
 * Some entries of a weight, trained. The parameter is shira_weight [k], what is added to them; the
 * constant shira_indices, I32 [2, k], holds their rows and columns, in the order of the weight.
 */
final class ShiraLinear implements Part {
  private final Linear layer;
  private final Parameter values;
  private final Parameter places;

  private ShiraLinear(Linear layer, Parameter values, Parameter places) {
    this.layer = layer;
    this.values = values;
    this.places = places;
  }

  /** Zeros, so that training starts from the base, at the given indices into the weight. */
  static ShiraLinear create(Linear layer, long[] indices) {
    Device device = layer.weight().device();
    long in = layer.weight().in();
    int count = indices.length;
    long[] pairs = new long[2 * count];
    for (int i = 0; i < count; i++) {
      pairs[i] = indices[i] / in;
      pairs[count + i] = indices[i] % in;
    }
    String path = layer.path();
    try (Scope _ = Scope.open()) {
      Tensor zeros = Creation.zeros(DType.F32, device, count);
      Tensor at = Creation.longs(pairs, 2, count).to(device).to(DType.I32);
      return new ShiraLinear(
          layer,
          Parameter.of(path + ".shira_weight", zeros),
          Parameter.constant(path + ".shira_indices", at));
    }
  }

  @Override
  public Site<?> site() {
    return Site.tensor(layer.weightName());
  }

  @Override
  public Patch patch() {
    return (Patch.Effective) (stored, pass) -> changed(stored);
  }

  private Tensor changed(Tensor stored) {
    Tensor at = places.value().to(DType.I64);
    return Matrices.addEntries(
        stored, Indexing.at(at, 0, 0), Indexing.at(at, 0, 1), values.value().to(stored.dtype()));
  }

  @Override
  public List<Parameter> parameters() {
    return List.of(values);
  }

  @Override
  public List<Parameter> constants() {
    return List.of(places);
  }

  @Override
  public List<String> baseTensors() {
    return List.of(layer.weightName());
  }

  @Override
  public Tensor merge(String name, Tensor stored) {
    return changed(stored.to(DType.F32)).to(stored.dtype());
  }
}
