package io.trimtab.kernel;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * The loops by the Vector API. A word of 32 bits holds two numbers of 16: the lower ones of a
 * vector of words come first in the array, then the upper ones.
 */
final class VectorArrays implements ArrayLanes {
  private static final VectorSpecies<Float> F = VectorLanes.F;
  private static final VectorSpecies<Integer> I = VectorLanes.I;
  private static final int LANES = F.length();

  /** Half of the place below the last bit that stays, less one: what rounding adds. */
  private static final int BELOW_HALF = 0x7FFF;

  private static final int UPPER = 0xFFFF0000;

  @Override
  public void widen(Rows.Type type, MemorySegment from, long at, float[] to, int toAt, int n) {
    switch (type) {
      case F32 -> MemorySegment.copy(from, ScalarLanes.FLOAT, at, to, toAt, n);
      case BF16 -> {
        int whole = n - n % (2 * LANES);
        widen(from, at, to, toAt, whole);
        ScalarArrays.widen(from, at + 2L * whole, to, toAt + whole, n - whole);
      }
    }
  }

  private static void widen(MemorySegment from, long at, float[] to, int toAt, int n) {
    for (int i = 0; i < n; i += 2 * LANES) {
      IntVector pairs = IntVector.fromMemorySegment(I, from, at + 2L * i, LITTLE_ENDIAN);
      pairs.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().intoArray(to, toAt + i);
      pairs.and(UPPER).reinterpretAsFloats().intoArray(to, toAt + i + LANES);
    }
  }

  @Override
  public int place(Rows.Type type, int i, int n) {
    int within = i % (2 * LANES);
    int start = i - within;
    return type == Rows.Type.F32 || start + 2 * LANES > n
        ? i
        : start + (within & 1) * LANES + within / 2;
  }

  @Override
  public void narrow(Rows.Type type, float[] from, int fromAt, int n, MemorySegment to, long at) {
    switch (type) {
      case F32 -> MemorySegment.copy(from, fromAt, to, ScalarLanes.FLOAT, at, n);
      case BF16 -> {
        int whole = n - n % (2 * LANES);
        narrow(from, fromAt, whole, to, at);
        ScalarArrays.narrow(from, fromAt + whole, n - whole, to, at + 2L * whole);
      }
    }
  }

  private static void narrow(float[] from, int fromAt, int n, MemorySegment to, long at) {
    for (int i = 0; i < n; i += 2 * LANES) {
      IntVector lower = FloatVector.fromArray(F, from, fromAt + i).reinterpretAsInts();
      IntVector upper = FloatVector.fromArray(F, from, fromAt + i + LANES).reinterpretAsInts();
      lower = lower.add(lower.lanewise(VectorOperators.LSHR, 16).and(1)).add(BELOW_HALF);
      upper = upper.add(upper.lanewise(VectorOperators.LSHR, 16).and(1)).add(BELOW_HALF);
      lower
          .lanewise(VectorOperators.LSHR, 16)
          .or(upper.and(UPPER))
          .intoMemorySegment(to, at + 2L * i, LITTLE_ENDIAN);
    }
  }

  @Override
  public float dot(float[] a, float[] b, int n) {
    FloatVector even = FloatVector.zero(F);
    FloatVector odd = FloatVector.zero(F);
    int i = 0;
    for (; i <= n - 2 * LANES; i += 2 * LANES) {
      even = FloatVector.fromArray(F, a, i).fma(FloatVector.fromArray(F, b, i), even);
      odd = FloatVector.fromArray(F, a, i + LANES).fma(FloatVector.fromArray(F, b, i + LANES), odd);
    }
    return even.add(odd).reduceLanes(VectorOperators.ADD) + ScalarArrays.dot(a, b, i, n);
  }

  @Override
  public void scale(float[] x, float[] w, float s, int n) {
    int whole = F.loopBound(n);
    for (int i = 0; i < whole; i += LANES) {
      FloatVector.fromArray(F, x, i).mul(s).mul(FloatVector.fromArray(F, w, i)).intoArray(x, i);
    }
    ScalarArrays.scale(x, w, s, whole, n);
  }

  @Override
  public void scale(float[] x, float s, int n) {
    int whole = F.loopBound(n);
    for (int i = 0; i < whole; i += LANES) {
      FloatVector.fromArray(F, x, i).mul(s).intoArray(x, i);
    }
    RowMath.scale(x, whole, n, s);
  }

  @Override
  public void combine(float[] g, float s, float[] x, float c, int n) {
    int whole = F.loopBound(n);
    for (int i = 0; i < whole; i += LANES) {
      FloatVector.fromArray(F, g, i)
          .mul(s)
          .sub(FloatVector.fromArray(F, x, i).mul(c))
          .intoArray(g, i);
    }
    ScalarArrays.combine(g, s, x, c, whole, n);
  }

  @Override
  public void gate(Activation activation, float[] a, float[] b, int n) {
    int whole = F.loopBound(n);
    switch (activation) {
      case SILU -> silu(a, b, whole);
      case GELU_TANH -> geluTanh(a, b, whole);
      case RELU -> relu(a, b, whole);
    }
    ScalarArrays.gate(activation, a, b, whole, n);
  }

  private static void silu(float[] a, float[] b, int n) {
    for (int i = 0; i < n; i += LANES) {
      FloatVector x = FloatVector.fromArray(F, a, i);
      x.div(VectorLanes.exp(x.neg()).add(1f)).mul(FloatVector.fromArray(F, b, i)).intoArray(a, i);
    }
  }

  private static void geluTanh(float[] a, float[] b, int n) {
    for (int i = 0; i < n; i += LANES) {
      FloatVector x = FloatVector.fromArray(F, a, i);
      FloatVector inner = x.mul(x).mul(x).mul(Activation.GELU_CUBE).add(x);
      x.div(VectorLanes.exp(inner.mul(-Activation.GELU_SLOPE)).add(1f))
          .mul(FloatVector.fromArray(F, b, i))
          .intoArray(a, i);
    }
  }

  private static void relu(float[] a, float[] b, int n) {
    for (int i = 0; i < n; i += LANES) {
      FloatVector.fromArray(F, a, i).max(0f).mul(FloatVector.fromArray(F, b, i)).intoArray(a, i);
    }
  }

  @Override
  public void gateGradient(Activation activation, float[] a, float[] b, float[] g, int n) {
    int whole = F.loopBound(n);
    switch (activation) {
      case SILU -> siluGradient(a, b, g, whole);
      case GELU_TANH -> geluTanhGradient(a, b, g, whole);
      case RELU -> reluGradient(a, b, g, whole);
    }
    ScalarArrays.gateGradient(activation, a, b, g, whole, n);
  }

  private static void siluGradient(float[] a, float[] b, float[] g, int n) {
    FloatVector one = FloatVector.broadcast(F, 1f);
    for (int i = 0; i < n; i += LANES) {
      FloatVector x = FloatVector.fromArray(F, a, i);
      FloatVector up = FloatVector.fromArray(F, g, i);
      FloatVector open = one.div(VectorLanes.exp(x.neg()).add(1f));
      FloatVector active = x.mul(open);
      FloatVector slope = open.mul(x.sub(active).add(1f));
      up.mul(FloatVector.fromArray(F, b, i)).mul(slope).intoArray(a, i);
      up.mul(active).intoArray(b, i);
    }
  }

  private static void geluTanhGradient(float[] a, float[] b, float[] g, int n) {
    FloatVector one = FloatVector.broadcast(F, 1f);
    for (int i = 0; i < n; i += LANES) {
      FloatVector x = FloatVector.fromArray(F, a, i);
      FloatVector up = FloatVector.fromArray(F, g, i);
      FloatVector cubic = x.mul(x).mul(Activation.GELU_CUBE);
      FloatVector inner = cubic.mul(x).add(x).mul(-Activation.GELU_SLOPE);
      FloatVector open = one.div(VectorLanes.exp(inner).add(1f));
      FloatVector active = x.mul(open);
      FloatVector inside = cubic.mul(3f).add(1f).mul(Activation.GELU_SLOPE);
      FloatVector slope = open.mul(x.sub(active).mul(inside).add(1f));
      up.mul(FloatVector.fromArray(F, b, i)).mul(slope).intoArray(a, i);
      up.mul(active).intoArray(b, i);
    }
  }

  private static void reluGradient(float[] a, float[] b, float[] g, int n) {
    FloatVector zero = FloatVector.zero(F);
    for (int i = 0; i < n; i += LANES) {
      FloatVector x = FloatVector.fromArray(F, a, i);
      FloatVector up = FloatVector.fromArray(F, g, i);
      FloatVector through = up.mul(FloatVector.fromArray(F, b, i));
      zero.blend(through, x.compare(VectorOperators.GT, 0f)).intoArray(a, i);
      up.mul(x.max(0f)).intoArray(b, i);
    }
  }

  @Override
  public void rotate(float[] x, float[] cosine, float[] sine, float sign, int n) {
    int whole = F.loopBound(n);
    for (int i = 0; i < whole; i += LANES) {
      FloatVector first = FloatVector.fromArray(F, x, i);
      FloatVector second = FloatVector.fromArray(F, x, n + i);
      FloatVector c = FloatVector.fromArray(F, cosine, i);
      FloatVector s = FloatVector.fromArray(F, sine, i).mul(sign);
      first.mul(c).sub(second.mul(s)).intoArray(x, i);
      second.mul(c).add(first.mul(s)).intoArray(x, n + i);
    }
    ScalarArrays.rotate(x, cosine, sine, sign, whole, n);
  }

  @Override
  public float largest(float[] x, int n) {
    int whole = F.loopBound(n);
    if (whole == 0) {
      return RowMath.largest(x, 0, n);
    }
    FloatVector most = FloatVector.fromArray(F, x, 0);
    for (int i = LANES; i < whole; i += LANES) {
      most = most.max(FloatVector.fromArray(F, x, i));
    }
    float found = most.reduceLanes(VectorOperators.MAX);
    return whole == n ? found : Math.max(found, RowMath.largest(x, whole, n));
  }

  @Override
  public float exp(float[] x, float factor, float shift, int n) {
    int whole = F.loopBound(n);
    FloatVector sum = FloatVector.zero(F);
    for (int i = 0; i < whole; i += LANES) {
      FloatVector power = VectorLanes.exp(FloatVector.fromArray(F, x, i).mul(factor).sub(shift));
      power.intoArray(x, i);
      sum = sum.add(power);
    }
    return sum.reduceLanes(VectorOperators.ADD) + ScalarArrays.exp(x, factor, shift, whole, n);
  }

  @Override
  public void softmaxGradient(float[] g, float[] p, float c, float s, int n) {
    int whole = F.loopBound(n);
    for (int i = 0; i < whole; i += LANES) {
      FloatVector.fromArray(F, g, i)
          .sub(c)
          .mul(FloatVector.fromArray(F, p, i))
          .mul(s)
          .intoArray(g, i);
    }
    ScalarArrays.softmaxGradient(g, p, c, s, whole, n);
  }
}
