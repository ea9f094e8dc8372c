package io.trimtab.delta.fourierft;

import io.trimtab.delta.Part;
import io.trimtab.model.Linear;
import io.trimtab.model.Pass;
import io.trimtab.model.Patch;
import io.trimtab.model.Site;
import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.ChangedProduct;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.FewFrequencies;
import io.trimtab.tensor.Fourier;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.util.List;

/**
 * A weight changed by a few frequencies. The parameter is fourierft_spectrum [n]. The change is
 * built once a pass, O(in · out · log), which is less than a second product over all tokens.
 */
final class FourierFtLinear implements Part {
  private final Linear layer;
  private final Parameter spectrum;
  private final long[] places;
  private final FewFrequencies frequencies;
  private final double scaling;

  private FourierFtLinear(Linear layer, Parameter spectrum, long[] places, double scaling) {
    this.layer = layer;
    this.spectrum = spectrum;
    this.places = places;
    this.frequencies = new FewFrequencies(places, layer.weight().out(), layer.weight().in());
    this.scaling = scaling;
  }

  /**
   * Entries at the given places.
   *
   * @param places indices into the weight, row after row; shared between layers, never changed
   */
  static FourierFtLinear create(
      Linear layer, long[] places, double scaling, boolean gaussian, Rng rng) {
    Device device = layer.weight().device();
    try (Scope _ = Scope.open()) {
      Tensor start =
          gaussian
              ? rng.normal(1, DType.F32, device, places.length)
              : Creation.zeros(DType.F32, device, places.length);
      Parameter spectrum = Parameter.of(layer.path() + ".fourierft_spectrum", start);
      return new FourierFtLinear(layer, spectrum, places, scaling);
    }
  }

  @Override
  public Site<?> site() {
    return Site.tensor(layer.weightName());
  }

  @Override
  public Patch patch() {
    return new AtWeight();
  }

  private final class AtWeight implements Patch.Effective, Patch.Changing {
    @Override
    public Tensor apply(Tensor stored, Pass pass) {
      return changed(stored);
    }

    @Override
    public ChangedProduct.Change change(Pass pass) {
      return new FourierFtChange(spectrum, frequencies, scaling);
    }
  }

  private Tensor changed(Tensor stored) {
    DType type = stored.dtype() == DType.F64 ? DType.F64 : DType.F32;
    Tensor zeros = Creation.zeros(type, stored.device(), stored.elements());
    Tensor at = Creation.longs(places, places.length).to(stored.device());
    Tensor sparse = Indexing.addRows(zeros, at, spectrum.value().to(type));
    Tensor change = Fourier.inverseOfMatrix(sparse.reshape(stored.shape()));
    return Arithmetic.addScaled(stored.to(type), change, scaling).to(stored.dtype());
  }

  @Override
  public List<Parameter> parameters() {
    return List.of(spectrum);
  }

  @Override
  public List<String> baseTensors() {
    return List.of(layer.weightName());
  }

  @Override
  public Tensor merge(String name, Tensor stored) {
    return changed(stored);
  }
}
