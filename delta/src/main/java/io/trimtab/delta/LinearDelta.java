package io.trimtab.delta;

import io.trimtab.model.Linear;
import io.trimtab.model.Pass;
import io.trimtab.model.Patch;
import io.trimtab.model.Site;
import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.ChangedProduct;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Tensor;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A part that adds ΔW x to what a linear layer gives, W x + b: the common shape of methods that
 * build a change ΔW [out, in] of the weight from few numbers. Each says how it multiplies by ΔW
 * without building it, where that is cheaper, and how it builds it for a merge.
 */
public abstract class LinearDelta implements Part {
  private final Linear layer;

  /** One on the given layer. */
  protected LinearDelta(Linear layer) {
    this.layer = layer;
  }

  /** The layer it goes on. */
  protected final Linear layer() {
    return layer;
  }

  /** ΔW x: [tokens, in] to [tokens, out], in the type of the input. */
  protected abstract Tensor product(Tensor input, Pass pass);

  /** ΔW in F32, [out, in], as it is outside training. */
  protected abstract Tensor change();

  @Override
  public final Site<?> site() {
    return Site.output(layer.path());
  }

  @Override
  public final Patch patch() {
    return new Added();
  }

  private final class Added implements Patch.LowRank, Patch.Changing {
    @Override
    public Tensor apply(Tensor input, Tensor output, Pass pass) {
      return Arithmetic.add(output, LinearDelta.this.product(input, pass));
    }

    @Override
    public @Nullable Product product() {
      return lowRank();
    }

    @Override
    public ChangedProduct.@Nullable Change change(Pass pass) {
      return LinearDelta.this.change(pass);
    }
  }

  /**
   * How W becomes W + ΔW in training, for a method whose gradients by hand are cheaper than the
   * engine's; null where it is none or, as with dropout, there is more to a pass than that.
   */
  protected ChangedProduct.@Nullable Change change(Pass pass) {
    return null;
  }

  /** Whether a pass drops inputs of what is added, so that it is no change of the weight. */
  protected static boolean drops(double dropout, Pass pass) {
    return dropout > 0 && pass.training().isPresent();
  }

  /** ΔW outside training as a product of two thin matrices; null where it is none. */
  protected Patch.LowRank.@Nullable Product lowRank() {
    return null;
  }

  @Override
  public final List<String> baseTensors() {
    return List.of(layer.weightName());
  }

  @Override
  public final Tensor merge(String name, Tensor stored) {
    return Arithmetic.add(stored.to(DType.F32), change()).to(stored.dtype());
  }
}
