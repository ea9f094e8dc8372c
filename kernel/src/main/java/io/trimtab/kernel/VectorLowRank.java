package io.trimtab.kernel;

import java.util.ArrayList;
import java.util.List;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * The loops by the Vector API. A vector of each sum's parts stays in a register for the whole row;
 * the parts are added at the end by additions of whole vectors, lane by lane, for the API leaves
 * open in which order it adds the lanes of one vector, and does it otherwise once it is compiled.
 */
final class VectorLowRank implements LowRankLanes {
  private static final VectorSpecies<Float> F = VectorLanes.F;
  private static final int LANES = F.length();

  /** Sixteen sums want more registers than vectors of 256 bits have. */
  private static final boolean MANY_REGISTERS = F.vectorBitSize() == 512;

  private static final List<Fold> FOLDS = folds();

  /**
   * A step that leaves half as many vectors: lanes without bit h take the first one's, those with
   * it the second one's, each with what lies h lanes away.
   */
  private record Fold(VectorMask<Float> second, VectorShuffle<Float> swap) {}

  private static List<Fold> folds() {
    List<Fold> folds = new ArrayList<>();
    for (int h = 1; h < LANES; h *= 2) {
      int bit = h;
      boolean[] second = new boolean[LANES];
      for (int i = 0; i < LANES; i++) {
        second[i] = (i & bit) != 0;
      }
      folds.add(
          new Fold(
              VectorMask.fromArray(F, second, 0), VectorShuffle.fromOp(F, lane -> lane ^ bit)));
    }
    return List.copyOf(folds);
  }

  @Override
  public int step() {
    return 2 * LANES;
  }

  @Override
  public int parts(int ranks) {
    return ROWS * ranks * LANES;
  }

  @Override
  public void inner(float[] x, float[] a, int stride, int ranks, float[] parts, float[] inner) {
    if (MANY_REGISTERS) {
      for (int j = 0; j < ranks; j += 4) {
        fourRanks(x, a, j * stride, stride, parts, ROWS * j * LANES);
      }
    } else {
      for (int j = 0; j < ranks; j += 2) {
        twoRanks(x, a, j * stride, stride, parts, ROWS * j * LANES);
      }
    }
    int vectors = ROWS * ranks;
    for (Fold fold : FOLDS) {
      vectors /= 2;
      fold(fold, vectors, parts);
    }
    System.arraycopy(parts, 0, inner, 0, ROWS * ranks);
  }

  private static void fourRanks(float[] x, float[] a, int at, int stride, float[] parts, int to) {
    FloatVector s00 = FloatVector.zero(F);
    FloatVector s01 = FloatVector.zero(F);
    FloatVector s02 = FloatVector.zero(F);
    FloatVector s03 = FloatVector.zero(F);
    FloatVector s10 = FloatVector.zero(F);
    FloatVector s11 = FloatVector.zero(F);
    FloatVector s12 = FloatVector.zero(F);
    FloatVector s13 = FloatVector.zero(F);
    FloatVector s20 = FloatVector.zero(F);
    FloatVector s21 = FloatVector.zero(F);
    FloatVector s22 = FloatVector.zero(F);
    FloatVector s23 = FloatVector.zero(F);
    FloatVector s30 = FloatVector.zero(F);
    FloatVector s31 = FloatVector.zero(F);
    FloatVector s32 = FloatVector.zero(F);
    FloatVector s33 = FloatVector.zero(F);
    for (int k = 0; k < stride; k += LANES) {
      FloatVector x0 = FloatVector.fromArray(F, x, k);
      FloatVector x1 = FloatVector.fromArray(F, x, stride + k);
      FloatVector x2 = FloatVector.fromArray(F, x, 2 * stride + k);
      FloatVector x3 = FloatVector.fromArray(F, x, 3 * stride + k);
      FloatVector row = FloatVector.fromArray(F, a, at + k);
      s00 = row.fma(x0, s00);
      s01 = row.fma(x1, s01);
      s02 = row.fma(x2, s02);
      s03 = row.fma(x3, s03);
      row = FloatVector.fromArray(F, a, at + stride + k);
      s10 = row.fma(x0, s10);
      s11 = row.fma(x1, s11);
      s12 = row.fma(x2, s12);
      s13 = row.fma(x3, s13);
      row = FloatVector.fromArray(F, a, at + 2 * stride + k);
      s20 = row.fma(x0, s20);
      s21 = row.fma(x1, s21);
      s22 = row.fma(x2, s22);
      s23 = row.fma(x3, s23);
      row = FloatVector.fromArray(F, a, at + 3 * stride + k);
      s30 = row.fma(x0, s30);
      s31 = row.fma(x1, s31);
      s32 = row.fma(x2, s32);
      s33 = row.fma(x3, s33);
    }
    s00.intoArray(parts, to);
    s01.intoArray(parts, to + LANES);
    s02.intoArray(parts, to + 2 * LANES);
    s03.intoArray(parts, to + 3 * LANES);
    s10.intoArray(parts, to + 4 * LANES);
    s11.intoArray(parts, to + 5 * LANES);
    s12.intoArray(parts, to + 6 * LANES);
    s13.intoArray(parts, to + 7 * LANES);
    s20.intoArray(parts, to + 8 * LANES);
    s21.intoArray(parts, to + 9 * LANES);
    s22.intoArray(parts, to + 10 * LANES);
    s23.intoArray(parts, to + 11 * LANES);
    s30.intoArray(parts, to + 12 * LANES);
    s31.intoArray(parts, to + 13 * LANES);
    s32.intoArray(parts, to + 14 * LANES);
    s33.intoArray(parts, to + 15 * LANES);
  }

  private static void twoRanks(float[] x, float[] a, int at, int stride, float[] parts, int to) {
    FloatVector s00 = FloatVector.zero(F);
    FloatVector s01 = FloatVector.zero(F);
    FloatVector s02 = FloatVector.zero(F);
    FloatVector s03 = FloatVector.zero(F);
    FloatVector s10 = FloatVector.zero(F);
    FloatVector s11 = FloatVector.zero(F);
    FloatVector s12 = FloatVector.zero(F);
    FloatVector s13 = FloatVector.zero(F);
    for (int k = 0; k < stride; k += LANES) {
      FloatVector x0 = FloatVector.fromArray(F, x, k);
      FloatVector x1 = FloatVector.fromArray(F, x, stride + k);
      FloatVector x2 = FloatVector.fromArray(F, x, 2 * stride + k);
      FloatVector x3 = FloatVector.fromArray(F, x, 3 * stride + k);
      FloatVector row = FloatVector.fromArray(F, a, at + k);
      s00 = row.fma(x0, s00);
      s01 = row.fma(x1, s01);
      s02 = row.fma(x2, s02);
      s03 = row.fma(x3, s03);
      row = FloatVector.fromArray(F, a, at + stride + k);
      s10 = row.fma(x0, s10);
      s11 = row.fma(x1, s11);
      s12 = row.fma(x2, s12);
      s13 = row.fma(x3, s13);
    }
    s00.intoArray(parts, to);
    s01.intoArray(parts, to + LANES);
    s02.intoArray(parts, to + 2 * LANES);
    s03.intoArray(parts, to + 3 * LANES);
    s10.intoArray(parts, to + 4 * LANES);
    s11.intoArray(parts, to + 5 * LANES);
    s12.intoArray(parts, to + 6 * LANES);
    s13.intoArray(parts, to + 7 * LANES);
  }

  private static void fold(Fold how, int vectors, float[] parts) {
    VectorMask<Float> second = how.second();
    VectorShuffle<Float> swap = how.swap();
    for (int i = 0; i < vectors; i++) {
      FloatVector a = FloatVector.fromArray(F, parts, 2 * i * LANES);
      FloatVector b = FloatVector.fromArray(F, parts, (2 * i + 1) * LANES);
      a.blend(b, second).add(b.blend(a, second).rearrange(swap)).intoArray(parts, i * LANES);
    }
  }

  @Override
  public void outer(float[] inner, float[] b, int stride, int ranks, float[] y) {
    for (int i = 0; i < stride; i += 2 * LANES) {
      twoVectors(inner, b, i, stride, ranks, y);
    }
  }

  private static void twoVectors(
      float[] inner, float[] b, int at, int stride, int ranks, float[] y) {
    FloatVector l0 = FloatVector.fromArray(F, y, at);
    FloatVector h0 = FloatVector.fromArray(F, y, at + LANES);
    FloatVector l1 = FloatVector.fromArray(F, y, stride + at);
    FloatVector h1 = FloatVector.fromArray(F, y, stride + at + LANES);
    FloatVector l2 = FloatVector.fromArray(F, y, 2 * stride + at);
    FloatVector h2 = FloatVector.fromArray(F, y, 2 * stride + at + LANES);
    FloatVector l3 = FloatVector.fromArray(F, y, 3 * stride + at);
    FloatVector h3 = FloatVector.fromArray(F, y, 3 * stride + at + LANES);
    for (int j = 0; j < ranks; j++) {
      FloatVector low = FloatVector.fromArray(F, b, j * stride + at);
      FloatVector high = FloatVector.fromArray(F, b, j * stride + at + LANES);
      FloatVector factor = FloatVector.broadcast(F, inner[ROWS * j]);
      l0 = low.fma(factor, l0);
      h0 = high.fma(factor, h0);
      factor = FloatVector.broadcast(F, inner[ROWS * j + 1]);
      l1 = low.fma(factor, l1);
      h1 = high.fma(factor, h1);
      factor = FloatVector.broadcast(F, inner[ROWS * j + 2]);
      l2 = low.fma(factor, l2);
      h2 = high.fma(factor, h2);
      factor = FloatVector.broadcast(F, inner[ROWS * j + 3]);
      l3 = low.fma(factor, l3);
      h3 = high.fma(factor, h3);
    }
    l0.intoArray(y, at);
    h0.intoArray(y, at + LANES);
    l1.intoArray(y, stride + at);
    h1.intoArray(y, stride + at + LANES);
    l2.intoArray(y, 2 * stride + at);
    h2.intoArray(y, 2 * stride + at + LANES);
    l3.intoArray(y, 3 * stride + at);
    h3.intoArray(y, 3 * stride + at + LANES);
  }
}
