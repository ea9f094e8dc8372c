package io.trimtab.delta.lora;

import io.trimtab.delta.DeltaException;
import io.trimtab.model.Linear;
import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Decompositions;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.LinearAlgebra;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Tensor;

/** Starts that need no data. */
public enum Starts implements LoraStart {
  /** A uniform within ± 1 / √in (Kaiming with a = √5), B zero: the authors' code. */
  KAIMING,
  /** A normal with deviation 1 / rank, B zero: the paper's wording. */
  GAUSSIAN,
  /**
   * A and B both random, on row spaces at right angles, so that B A is zero; the rank must be even
   * (as PEFT has it).
   */
  ORTHOGONAL,
  /**
   * The largest singular values and vectors of the weight, their roots on either side, divided by
   * the scale (Meng, Wang and Zhang, "PiSSA: Principal Singular Values and Singular Vectors
   * Adaptation of Large Language Models", 2024, equations 2 to 4).
   */
  PISSA,
  /**
   * The first columns of Q and rows of R of the weight's QR decomposition (Büyükakyüz, "OLoRA:
   * Orthonormal Low-Rank Adaptation of Large Language Models", 2024, algorithm 1).
   */
  OLORA,
  /**
   * B the left singular vectors of the smallest singular values, A zero; B is meant to stay as it
   * is ("Minor Component Adaptation"; {@link Lora.Trained#A}).
   */
  MICA;

  @Override
  public boolean isSubtracted() {
    return this == PISSA || this == OLORA;
  }

  @Override
  public boolean readsWeight() {
    return this == PISSA || this == OLORA || this == MICA;
  }

  @Override
  public Factors of(Linear layer, Tensor weight, int rank, double scale, Rng rng) {
    long out = weight.size(0);
    long in = weight.size(1);
    Device device = weight.device();
    return switch (this) {
      case KAIMING -> {
        double bound = 1 / Math.sqrt((double) in);
        Tensor down = rng.uniform(-bound, bound, DType.F32, device, rank, in);
        yield new Factors(down, Creation.zeros(DType.F32, device, out, rank));
      }
      case GAUSSIAN -> {
        Tensor down = rng.normal(1.0 / rank, DType.F32, device, rank, in);
        yield new Factors(down, Creation.zeros(DType.F32, device, out, rank));
      }
      case ORTHOGONAL -> orthogonal(layer, in, out, rank, device, rng);
      case PISSA -> {
        checkRank("PiSSA", layer, rank, Math.min(in, out));
        // Where singular values lie close, F32 would leave the first few to chance.
        yield principal(Decompositions.svd(weight.to(DType.F64)), rank, scale, layer);
      }
      case OLORA -> {
        checkRank("OLoRA", layer, rank, Math.min(in, out));
        Decompositions.Qr qr = Decompositions.qr(weight);
        yield new Factors(Indexing.slice(qr.r(), 0, 0, rank), Indexing.slice(qr.q(), 1, 0, rank));
      }
      case MICA -> {
        long most = Math.min(in, out);
        checkRank("MiCA", layer, rank, most);
        Tensor u = Decompositions.svd(weight).u();
        yield new Factors(
            Creation.zeros(DType.F32, device, rank, in), Indexing.slice(u, 1, most - rank, rank));
      }
    };
  }

  private static Factors orthogonal(
      Linear layer, long in, long out, int rank, Device device, Rng rng) {
    if (rank % 2 != 0) {
      throw new DeltaException(
          "found rank "
              + rank
              + " at "
              + layer.path()
              + " for the orthogonal start, expected an even one; take "
              + (rank + 1));
    }
    int half = rank / 2;
    Tensor square = rng.normal(1, DType.F32, device, rank, rank);
    Tensor q = Decompositions.qr(square).q();
    Tensor first = Indexing.slice(q, 0, 0, half);
    Tensor second = Indexing.slice(q, 0, half, half);
    Tensor left = rng.normal(0.1, DType.F32, device, in, half);
    Tensor right = rng.normal(0.1, DType.F32, device, out, half);
    return new Factors(
        LinearAlgebra.matmul(left, first).transpose(0, 1), LinearAlgebra.matmul(right, second));
  }

  /** √(σ / s) on either side of the largest singular values' vectors. */
  static Factors principal(Decompositions.Svd svd, int rank, double scale, Linear layer) {
    if (!(scale > 0)) {
      throw new DeltaException(
          "found the scale "
              + scale
              + " at "
              + layer.path()
              + " for PiSSA, expected one above 0; choose another alpha");
    }
    Tensor roots =
        Arithmetic.squareRoot(
            Arithmetic.multiply(Indexing.slice(svd.values(), 0, 0, rank), 1 / scale));
    Tensor vt = Indexing.slice(svd.vt(), 0, 0, rank);
    Tensor u = Indexing.slice(svd.u(), 1, 0, rank);
    return new Factors(
        Arithmetic.multiply(vt, Indexing.unsqueeze(roots, 1)).to(DType.F32),
        Arithmetic.multiply(u, Indexing.unsqueeze(roots, 0)).to(DType.F32));
  }

  static void checkRank(String start, Linear layer, int rank, long most) {
    if (rank > most) {
      throw new DeltaException(
          "found rank "
              + rank
              + " at "
              + layer.path()
              + " for "
              + start
              + ", expected at most "
              + most
              + ", the smaller side of its matrix; choose a lower rank");
    }
  }
}
