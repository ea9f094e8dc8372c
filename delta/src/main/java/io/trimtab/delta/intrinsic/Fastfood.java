package io.trimtab.delta.intrinsic;

import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.LinearAlgebra;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.util.List;

/**
 * A random linear map from d to D numbers, in O(D log D) instead of d · D: the first D rows of c H
 * G Π H B (Le, Sarlós and Smola, "Fastfood: Approximating Kernel Expansions in Loglinear Time",
 * 2013). With L the first power of two that holds both d and D: B [d] random signs, H [L, L]
 * Hadamard's matrix over √L, Π a random permutation, G [L] normal, and c = √(L / D) / √(mean of
 * G²), which makes the map keep lengths on the average.
 */
final class Fastfood {
  /** Hadamard's matrix goes on in steps of at most this many bits of the index. */
  private static final int STEP = 5;

  private static final String SIGNS = ".fastfood_signs";
  private static final String PLACES = ".fastfood_places";
  private static final String GAINS = ".fastfood_gains";

  private final Parameter signs;
  private final Parameter places;
  private final Parameter gains;
  private final long from;
  private final long to;
  private final int bits;

  private Fastfood(
      Parameter signs, Parameter places, Parameter gains, long from, long to, int bits) {
    this.signs = signs;
    this.places = places;
    this.gains = gains;
    this.from = from;
    this.to = to;
    this.bits = bits;
  }

  /**
   * Draws a map; from the same source always the same one. Whoever owns it closes its {@link
   * #factors}.
   *
   * @param name what the factors' names begin with
   * @param from d
   * @param to D
   */
  static Fastfood draw(String name, long from, long to, Device device, Rng rng) {
    int bits = 64 - Long.numberOfLeadingZeros(Math.max(from, to) - 1);
    int size = 1 << bits;
    try (Scope _ = Scope.open()) {
      Tensor coins = rng.derive(1).bernoulli(0.5, DType.F32, Device.CPU, from);
      Tensor signs = Arithmetic.add(Arithmetic.multiply(coins, 2), -1);
      long[] order = permutation(size, rng.derive(2));
      float[] normal = rng.derive(3).normal(1, DType.F32, Device.CPU, size).toFloats();
      double squares = 0;
      for (float gain : normal) {
        squares += (double) gain * gain;
      }
      double scale = Math.sqrt((double) size / to) / Math.sqrt(squares / size);
      Tensor gains = Arithmetic.multiply(Creation.floats(normal, size), scale);
      return new Fastfood(
          Parameter.constant(name + SIGNS, signs.to(device)),
          Parameter.constant(name + PLACES, Creation.longs(order, size).to(DType.I32).to(device)),
          Parameter.constant(name + GAINS, gains.to(device)),
          from,
          to,
          bits);
    }
  }

  /** What it is made of; all of it drawn, so that no file need hold it. */
  List<Parameter> factors() {
    return List.of(signs, places, gains);
  }

  /** Whether a constant of that name is one of some map's factors. */
  static boolean isFactor(String name) {
    return name.endsWith(SIGNS) || name.endsWith(PLACES) || name.endsWith(GAINS);
  }

  /** Fisher and Yates's shuffle. */
  private static long[] permutation(int size, Rng rng) {
    double[] draws = rng.uniform(0, 1, DType.F64, Device.CPU, size).toDoubles();
    long[] order = new long[size];
    for (int i = 0; i < size; i++) {
      int j = (int) (draws[i] * (i + 1));
      order[i] = order[j];
      order[j] = i;
    }
    return order;
  }

  /** From θ [d] to [D], in θ's type. */
  Tensor apply(Tensor theta) {
    DType type = theta.dtype();
    Tensor signed = Arithmetic.multiply(theta, signs.value().to(type));
    long size = 1L << bits;
    Tensor padded =
        from == size
            ? signed
            : Indexing.concat(
                List.of(signed, Creation.zeros(type, theta.device(), size - from)), 0);
    Tensor mixed = Indexing.select(hadamard(padded), 0, places.value());
    Tensor spread = hadamard(Arithmetic.multiply(mixed, gains.value().to(type)));
    return Indexing.slice(spread, 0, 0, to);
  }

  /**
   * H x. Its matrix is a Kronecker product of small ones, one for every few bits of the index, so
   * that it is applied as a few thin matrix products.
   */
  private Tensor hadamard(Tensor x) {
    Tensor done = x;
    for (int low = 0; low < bits; low += STEP) {
      int width = Math.min(STEP, bits - low);
      Tensor matrix = hadamardMatrix(width, x);
      Tensor blocks = done.reshape(-1, 1L << width, 1L << low);
      done = LinearAlgebra.matmul(matrix, blocks).reshape(-1);
    }
    return done;
  }

  /**
   * Hadamard's matrix of 2ʷ rows, over its norm: the sign is that of the bits both indices have.
   */
  private static Tensor hadamardMatrix(int width, Tensor like) {
    int size = 1 << width;
    double norm = 1 / Math.sqrt((double) size);
    double[] entries = new double[size * size];
    for (int i = 0; i < size; i++) {
      for (int j = 0; j < size; j++) {
        entries[i * size + j] = Integer.bitCount(i & j) % 2 == 0 ? norm : -norm;
      }
    }
    return Creation.doubles(entries, size, size).to(like.dtype()).to(like.device());
  }
}
