package io.trimtab.delta.bottleneck;

import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * A function of vectors that can be undone exactly, of two networks over the halves of a vector; of
 * an odd size the second half has one more.
 *
 * <p>Parameters of each network: {@code down.weight} [inner, half], {@code down.bias} [inner],
 * {@code up.weight} [other half, inner] (twice that for GLOW) and {@code up.bias}; NICE's networks
 * are {@code invertible.f} (over the second half) and {@code invertible.g} (over the first), GLOW's
 * {@code invertible.s2} and {@code invertible.s1}.
 */
final class Coupling {
  private static final double CLAMP = 5;

  private record Network(Projection.Dense down, NonLinearity between, Projection.Dense up) {
    Tensor apply(Tensor x) {
      return up.forward(between.apply(down.forward(x)));
    }

    List<Parameter> parameters() {
      List<Parameter> parameters = new ArrayList<>(down.parameters());
      parameters.addAll(up.parameters());
      return parameters;
    }
  }

  private final boolean scales;
  private final long first;
  private final long second;
  private final Network ofSecond;
  private final Network ofFirst;

  Coupling(
      Invertible settings,
      String path,
      long size,
      NonLinearity between,
      Start start,
      Device device,
      Rng rng) {
    scales = settings.coupling() == Invertible.Kind.GLOW;
    first = size / 2;
    second = size - first;
    int times = scales ? 2 : 1;
    Maker maker = new Maker(settings, between, start, device, rng);
    ofSecond = maker.make(path + (scales ? ".s2" : ".f"), second, times * first);
    ofFirst = maker.make(path + (scales ? ".s1" : ".g"), first, times * second);
  }

  private record Maker(
      Invertible settings, NonLinearity between, Start start, Device device, Rng rng) {
    Network make(String path, long in, long out) {
      long inner = Math.max(1, (long) Math.floor(in / settings.reduction()));
      return new Network(
          map(path + ".down", false, in, inner), between, map(path + ".up", true, inner, out));
    }

    private Projection.Dense map(String path, boolean up, long in, long out) {
      // A start that is exact leaves the embeddings as they are; all others are AdapterHub's.
      Start own = start.isZeroUp() ? Start.ZERO : Start.BERT;
      return new Projection.Dense(
          Parameter.of(path + ".weight", own.dense(up, out, in, device, rng)),
          Parameter.of(path + ".bias", Creation.zeros(DType.F32, device, out)));
    }
  }

  /** [tokens, size] to [tokens, size]. */
  Tensor forward(Tensor x) {
    Tensor x1 = Indexing.slice(x, 1, 0, first);
    Tensor x2 = Indexing.slice(x, 1, first, second);
    Tensor y1 = changed(x1, ofSecond.apply(x2));
    Tensor y2 = changed(x2, ofFirst.apply(y1));
    return Indexing.concat(List.of(y1, y2), 1);
  }

  /** What {@link #forward} was given, from its result. */
  Tensor inverse(Tensor y) {
    Tensor y1 = Indexing.slice(y, 1, 0, first);
    Tensor y2 = Indexing.slice(y, 1, first, second);
    Tensor x2 = restored(y2, ofFirst.apply(y1));
    Tensor x1 = restored(y1, ofSecond.apply(x2));
    return Indexing.concat(List.of(x1, x2), 1);
  }

  private Tensor changed(Tensor half, Tensor by) {
    if (!scales) {
      return Arithmetic.add(half, by);
    }
    long size = half.size(1);
    Tensor scaled = Arithmetic.multiply(half, factor(Indexing.slice(by, 1, 0, size)));
    return Arithmetic.add(scaled, Indexing.slice(by, 1, size, size));
  }

  private Tensor restored(Tensor half, Tensor by) {
    if (!scales) {
      return Arithmetic.subtract(half, by);
    }
    long size = half.size(1);
    Tensor shifted = Arithmetic.subtract(half, Indexing.slice(by, 1, size, size));
    return Arithmetic.divide(shifted, factor(Indexing.slice(by, 1, 0, size)));
  }

  private static Tensor factor(Tensor s) {
    return Arithmetic.exponential(
        Arithmetic.multiply(
            Arithmetic.arcTangent(Arithmetic.multiply(s, 1 / CLAMP)), CLAMP * 0.636));
  }

  List<Parameter> parameters() {
    List<Parameter> parameters = new ArrayList<>(ofSecond.parameters());
    parameters.addAll(ofFirst.parameters());
    return parameters;
  }
}
