package io.trimtab.delta.oft;

import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.LinearAlgebra;
import io.trimtab.tensor.Matrices;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Tensor;
import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;

/** Rotations made of skew-symmetric matrices, and block-diagonal ones applied to rows. */
public final class Rotations {
  private Rotations() {}

  /** The type to make rotations in: systems of equations want at least F32. */
  public static DType precise(DType type) {
    return type == DType.F64 ? DType.F64 : DType.F32;
  }

  /** Cayley's transform of Q [count, b, b] with Qᵀ = -Q: the rotations (I - Q)(I + Q)⁻¹. */
  public static Tensor cayley(Tensor skew) {
    Tensor one = Matrices.identity(skew.size(-1), skew.dtype(), skew.device());
    return Matrices.solveFromRight(Arithmetic.add(one, skew), Arithmetic.subtract(one, skew));
  }

  /**
   * The beginning of the Neumann series of (I + Q)(I - Q)⁻¹, as PEFT cuts it: I + 2Q + 2Q² + … ,
   * the last power once. It turns the other way than {@link #cayley}, and 3 terms are what 4 are,
   * both as in PEFT, whose files mean it so.
   *
   * @param terms at least 1, which is I alone
   */
  static Tensor neumann(Tensor skew, int terms) {
    Tensor one = Matrices.identity(skew.size(-1), skew.dtype(), skew.device());
    if (terms == 1) {
      return Arithmetic.add(one, Arithmetic.multiply(skew, 0)); // one a block, with a gradient of 0
    }
    Tensor sum = Arithmetic.addScaled(one, skew, 2);
    if (terms == 2) {
      return sum;
    }
    Tensor power = LinearAlgebra.matmul(skew, skew);
    sum = Arithmetic.addScaled(sum, power, 2);
    for (int i = 3; i < terms - 1; i++) {
      power = LinearAlgebra.matmul(power, skew);
      sum = Arithmetic.addScaled(sum, power, 2);
    }
    return Arithmetic.add(sum, LinearAlgebra.matmul(power, skew));
  }

  /**
   * Rows times a block-diagonal matrix.
   *
   * @param rows [n, blocks · b]
   * @param blocks [blocks, b, b], or [1, b, b] for the same block all along
   * @return [n, blocks · b]
   */
  public static Tensor turn(Tensor rows, Tensor blocks) {
    long size = blocks.size(-1);
    long width = rows.size(-1);
    if (blocks.size(0) == 1) {
      Tensor one = blocks.reshape(size, size);
      return LinearAlgebra.matmul(rows.reshape(-1, size), one).reshape(-1, width);
    }
    Tensor cut = rows.reshape(-1, blocks.size(0), size).transpose(0, 1);
    return LinearAlgebra.matmul(cut, blocks).transpose(0, 1).reshape(-1, width);
  }

  /**
   * Multiplicative dropout: a share of the blocks, chosen at random, rotates nothing.
   *
   * @param blocks [blocks, b, b]; a single one, which is shared, is left alone
   */
  public static Tensor drop(Tensor blocks, double share, Rng rng) {
    int count = Math.toIntExact(blocks.size(0));
    int dropped = (int) (share * count);
    if (count == 1 || dropped == 0) {
      return blocks;
    }
    float[] order = rng.uniform(0, 1, DType.F32, Device.CPU, count).toFloats();
    float[] keep = new float[count];
    Arrays.fill(keep, 1);
    IntStream.range(0, count)
        .boxed()
        .sorted(Comparator.comparingDouble(i -> order[i]))
        .limit(dropped)
        .forEach(i -> keep[i] = 0);
    Tensor kept = Creation.floats(keep, count, 1, 1).to(blocks.device()).to(blocks.dtype());
    Tensor one = Matrices.identity(blocks.size(-1), blocks.dtype(), blocks.device());
    // I + keep (R - I)
    return Arithmetic.add(one, Arithmetic.multiply(Arithmetic.subtract(blocks, one), kept));
  }
}
