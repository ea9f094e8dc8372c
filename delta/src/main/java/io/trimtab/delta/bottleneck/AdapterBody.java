package io.trimtab.delta.bottleneck;

import io.trimtab.delta.Gate;
import io.trimtab.model.Layout;
import io.trimtab.model.Pass;
import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.Neural;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An adapter by itself: norm, down, non-linearity, up, scale, gate, norm; what is not there costs
 * nothing.
 *
 * <p>Parameters, named after the place: {@code adapter.down.*} and {@code adapter.up.*} (see {@link
 * Projection}), {@code adapter.norm_before.weight} and {@code .bias} [in], {@code
 * adapter.norm_after.weight} and {@code .bias} [out], {@code adapter.scaling} [1] or [out], {@code
 * adapter.gate.weight} [1, in] and {@code .bias} [1].
 */
final class AdapterBody {
  /** As torch has it where nothing is said. */
  private static final double EPSILON = 1e-5;

  private record TrainedNorm(Parameter weight, Parameter bias) {
    static TrainedNorm of(String path, long size, Device device) {
      return new TrainedNorm(
          Parameter.of(path + ".weight", Creation.full(1, DType.F32, device, size)),
          Parameter.of(path + ".bias", Creation.zeros(DType.F32, device, size)));
    }

    Tensor apply(Tensor x) {
      DType type = x.dtype();
      return Neural.layerNorm(x, weight.value().to(type), bias.value().to(type), EPSILON);
    }
  }

  private final Inside inside;
  private final Projection down;
  private final Projection up;
  private final @Nullable TrainedNorm before;
  private final @Nullable TrainedNorm after;
  private final @Nullable Parameter scaling;
  private final @Nullable Gate gate;

  AdapterBody(
      AdapterPlace place,
      long width,
      Inside inside,
      ProjectionMaker maker,
      Device device,
      Rng rng) {
    this.inside = inside;
    String path = place.path() + ".adapter";
    before = inside.normBefore() ? TrainedNorm.of(path + ".norm_before", place.in(), device) : null;
    down = maker.make(path, false, place.in(), width);
    up = maker.make(path, true, width, place.out());
    after = inside.normAfter() ? TrainedNorm.of(path + ".norm_after", place.out(), device) : null;
    long factors =
        switch (inside.scaling()) {
          case Scaling.Fixed _ -> 0;
          case Scaling.Learned _ -> 1;
          case Scaling.PerChannel _ -> place.out();
        };
    scaling =
        factors == 0
            ? null
            : Parameter.of(path + ".scaling", Creation.full(1, DType.F32, device, factors));
    gate = inside.gating() ? Gate.create(path + ".gate", place.in(), 1, device, rng) : null;
  }

  /** Whether it looks at a whole row to change a token. */
  boolean readsWholeRows() {
    return gate != null;
  }

  /**
   * The adapter's result.
   *
   * @param x what it is given [tokens, in]
   * @param residual its own addition's other summand [tokens, out]
   */
  Tensor apply(Tensor x, Tensor residual, Pass pass) {
    Tensor y = result(x, pass);
    if (after == null) {
      return Arithmetic.add(y, residual);
    }
    return inside.residualBeforeNormAfter()
        ? after.apply(Arithmetic.add(y, residual))
        : Arithmetic.add(after.apply(y), residual);
  }

  private Tensor result(Tensor x, Pass pass) {
    Tensor inner = down.forward(before == null ? x : before.apply(x));
    Tensor y = up.forward(inside.nonLinearity().apply(inner));
    Rng rng = pass.training().orElse(null);
    if (rng != null && inside.stochasticDepth() > 0) {
      y = Arithmetic.multiply(y, kept(pass.layout(), rng, y));
    }
    if (scaling != null) {
      y = Arithmetic.multiply(y, scaling.value().to(y.dtype()));
    } else if (inside.scaling() instanceof Scaling.Fixed fixed && fixed.factor() != 1) {
      y = Arithmetic.multiply(y, fixed.factor());
    }
    if (rng != null) {
      y = Neural.dropout(y, inside.dropout(), rng);
    }
    return gate == null ? y : Arithmetic.multiply(y, gate.perToken(x, pass.layout()));
  }

  /** Zero for the tokens of rows that go without, 1 / (1 - p) for the others: [tokens, 1]. */
  private Tensor kept(Layout layout, Rng rng, Tensor like) {
    double kept = 1 - inside.stochasticDepth();
    float[] rows = rng.bernoulli(kept, DType.F32, Device.CPU, layout.rows()).toFloats();
    float[] tokens = new float[layout.tokens()];
    for (int row = 0; row < rows.length; row++) {
      float factor = rows[row] == 0 ? 0 : (float) (1 / kept);
      Arrays.fill(tokens, layout.start(row), layout.start(row + 1), factor);
    }
    Tensor factors = Creation.floats(tokens, tokens.length);
    return Indexing.unsqueeze(factors.to(like.device()).to(like.dtype()), 1);
  }

  List<Parameter> parameters() {
    List<Parameter> parameters = new ArrayList<>();
    for (TrainedNorm norm : new TrainedNorm[] {before, after}) {
      if (norm != null) {
        parameters.add(norm.weight());
        parameters.add(norm.bias());
      }
    }
    parameters.addAll(down.parameters());
    parameters.addAll(up.parameters());
    if (scaling != null) {
      parameters.add(scaling);
    }
    if (gate != null) {
      parameters.addAll(gate.parameters());
    }
    return parameters;
  }

  List<Parameter> constants() {
    List<Parameter> constants = new ArrayList<>(down.constants());
    constants.addAll(up.constants());
    return constants;
  }
}
