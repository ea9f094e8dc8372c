package io.trimtab.delta.c3a;

import io.trimtab.delta.Part;
import io.trimtab.model.Linear;
import io.trimtab.model.Pass;
import io.trimtab.model.Patch;
import io.trimtab.model.Site;
import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Fourier;
import io.trimtab.tensor.Matrices;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.util.List;

/**
 * Circulant blocks beside a linear layer. The parameter is c3a_kernel [out / b, in / b, b], and the
 * product is made of Fourier transforms (section 3.2), so that no block is ever built.
 */
final class C3aLinear implements Part {
  private final Linear layer;
  private final Parameter kernels;

  private C3aLinear(Linear layer, Parameter kernels) {
    this.layer = layer;
    this.kernels = kernels;
  }

  static C3aLinear create(Linear layer, int size, C3a.Start start, Rng rng) {
    long in = layer.weight().in();
    long out = layer.weight().out();
    Device device = layer.weight().device();
    long[] shape = {out / size, in / size, size};
    double xavier = Math.sqrt(6.0 / (in + out));
    double kaiming = 1 / Math.sqrt((double) in);
    try (Scope _ = Scope.open()) {
      Tensor values =
          switch (start) {
            case ZERO -> Creation.zeros(DType.F32, device, shape);
            case XAVIER_UNIFORM -> rng.uniform(-xavier, xavier, DType.F32, device, shape);
            case KAIMING_UNIFORM -> rng.uniform(-kaiming, kaiming, DType.F32, device, shape);
            case GAUSSIAN -> rng.normal(1, DType.F32, device, shape);
          };
      return new C3aLinear(layer, Parameter.of(layer.path() + ".c3a_kernel", values));
    }
  }

  @Override
  public Site<?> site() {
    return Site.output(layer.path());
  }

  @Override
  public Patch patch() {
    return (Patch.Output) this::apply;
  }

  private Tensor apply(Tensor input, Tensor output, Pass pass) {
    DType type = precise(input.dtype());
    return Arithmetic.add(output, product(input.to(type)).to(output.dtype()));
  }

  /** There are no Fourier transforms in types narrower than F32. */
  private static DType precise(DType type) {
    return type == DType.F64 ? DType.F64 : DType.F32;
  }

  /** Rows [n, in] to C x / in, [n, out]. */
  private Tensor product(Tensor rows) {
    Tensor blocks = kernels.value().to(rows.dtype());
    long in = rows.size(-1);
    Tensor cut = rows.reshape(-1, blocks.size(1), blocks.size(2));
    Tensor joined = Fourier.circulantProduct(cut, blocks).reshape(-1, layer.weight().out());
    return Arithmetic.multiply(joined, 1.0 / in);
  }

  @Override
  public List<Parameter> parameters() {
    return List.of(kernels);
  }

  @Override
  public List<String> baseTensors() {
    return List.of(layer.weightName());
  }

  @Override
  public Tensor merge(String name, Tensor stored) {
    DType type = precise(stored.dtype());
    Tensor each = Matrices.identity(stored.size(1), type, stored.device());
    return Arithmetic.add(stored.to(type), product(each).transpose(0, 1)).to(stored.dtype());
  }
}
