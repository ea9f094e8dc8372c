package io.trimtab.tensor;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A seeded source of random tensors. The same seed draws the same numbers, on every device; {@link
 * #derive} gives independent sources by name, so that what step 7 draws does not depend on what
 * step 6 drew. One thread at a time.
 *
 * <p>The generator is SplitMix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number
 * Generators", 2014): it is two longs of Java memory, so a source costs nothing to derive and needs
 * no scope, where the engine's own takes five kilobytes of native memory each and keeps only 32
 * bits of a seed.
 */
public final class Rng {
  static final long STEP = 0x9E3779B97F4A7C15L;

  /** How many numbers are drawn in the Java heap before they are copied. */
  private static final int SOME = 4096;

  private final long seed;
  private long state;

  private Rng(long seed) {
    this.seed = seed;
    this.state = mix(seed);
  }

  /** A source that starts from {@code seed}. */
  public static Rng seeded(long seed) {
    return new Rng(seed);
  }

  /** An independent source for one purpose, fixed by this one's seed and {@code key}. */
  public Rng derive(long key) {
    return new Rng(mix(seed ^ mix(key)));
  }

  /** The seed this source started from. */
  public long seed() {
    return seed;
  }

  /** Uniform in [low, high). Types narrower than F32 are rounded, perhaps to high itself. */
  public Tensor uniform(double low, double high, DType dtype, Device device, long... shape) {
    if (!(low < high)) {
      throw new TensorException(
          "found the range [" + low + ", " + high + "), expected the lower end first; swap them");
    }
    double below = Math.nextDown(high);
    if (dtype == DType.F64) {
      return draw(() -> low + (high - low) * unit(), below, dtype, device, shape);
    }
    return fill(
        DType.F32, dtype, device, shape, memory -> uniform(low, high - low, bound(below), memory));
  }

  /**
   * The numbers that one draw after the other gives, in a counted loop, which the compiler makes
   * vector code of: deltas start as these, and attaching one is to cost little.
   */
  private void uniform(double low, double range, float bound, MemorySegment memory) {
    long elements = memory.byteSize() / Float.BYTES;
    float[] some = new float[(int) Math.min(elements, SOME)];
    for (long from = 0; from < elements; from += SOME) {
      int count = (int) Math.min(elements - from, SOME);
      long first = state;
      for (int i = 0; i < count; i++) {
        some[i] = Math.min((float) (low + range * unit(mix(first + i * STEP))), bound);
      }
      state += count * STEP;
      MemorySegment.copy(some, 0, memory, ValueLayout.JAVA_FLOAT, from * Float.BYTES, count);
    }
  }

  /** Normal with mean zero and the given standard deviation. */
  public Tensor normal(double deviation, DType dtype, Device device, long... shape) {
    if (!(deviation >= 0)) {
      throw new TensorException(
          "found a standard deviation of " + deviation + ", expected 0 or more; pass its size");
    }
    return draw(new Normal(deviation), Double.POSITIVE_INFINITY, dtype, device, shape);
  }

  /** One with the given probability, else zero. */
  public Tensor bernoulli(double probability, DType dtype, Device device, long... shape) {
    return mask(probability, 1, dtype, device, shape);
  }

  /** {@code value} with the given probability, else zero. */
  Tensor mask(double probability, double value, DType dtype, Device device, long... shape) {
    if (!(probability >= 0 && probability <= 1)) {
      throw new TensorException(
          "found a probability of " + probability + ", expected one from 0 to 1; correct it");
    }
    // 32 bits decide an element, so that one draw serves two: masks are the bulk of what is drawn.
    long limit = limit(probability);
    float one = (float) value;
    return fill(
        DType.F32,
        dtype,
        device,
        shape,
        memory -> {
          long elements = memory.byteSize() / Float.BYTES;
          for (long i = 0; i < elements; i += 2) {
            long bits = next();
            set(memory, i, (bits >>> 32) < limit ? one : 0);
            if (i + 1 < elements) {
              set(memory, i + 1, (bits & 0xFFFFFFFFL) < limit ? one : 0);
            }
          }
        });
  }

  /** What 32 bits stay below with the given probability. */
  static long limit(double probability) {
    return Math.round(probability * 0x1p32);
  }

  /**
   * Leaves out so many draws and returns the state before them: the n-th is mix(state + n STEP).
   */
  long skip(long draws) {
    long before = state;
    state += draws * STEP;
    return before;
  }

  private Tensor draw(Source source, double limit, DType dtype, Device device, long... shape) {
    if (dtype == DType.F64) {
      return fill(
          dtype,
          dtype,
          device,
          shape,
          memory -> {
            for (long i = 0; i < memory.byteSize() / Double.BYTES; i++) {
              memory.setAtIndex(ValueLayout.JAVA_DOUBLE, i, Math.min(source.next(), limit));
            }
          });
    }
    float bound = bound(limit);
    return fill(
        DType.F32,
        dtype,
        device,
        shape,
        memory -> {
          for (long i = 0; i < memory.byteSize() / Float.BYTES; i++) {
            set(memory, i, Math.min((float) source.next(), bound));
          }
        });
  }

  private static float bound(double limit) {
    if (Double.isInfinite(limit)) {
      return Float.POSITIVE_INFINITY;
    }
    return (float) limit < limit ? (float) limit : Math.nextDown((float) limit);
  }

  /** Drawn on the CPU, so that devices agree on the numbers, and turned into what was asked for. */
  private static Tensor fill(DType drawn, DType dtype, Device device, long[] shape, Filler filler) {
    if (!dtype.isFloating()) {
      throw new TensorException(
          "found random numbers of type "
              + dtype
              + ", expected a floating-point type; convert after");
    }
    return Scope.of(
        () -> {
          Tensor tensor = Creation.empty(drawn, shape);
          filler.fill(tensor.memory());
          return tensor.to(dtype).to(device);
        });
  }

  private static void set(MemorySegment memory, long index, float value) {
    memory.setAtIndex(ValueLayout.JAVA_FLOAT, index, value);
  }

  /** Uniform in [0, 1), in steps of 2⁻⁵³. */
  private double unit() {
    return unit(next());
  }

  private static double unit(long bits) {
    return (bits >>> 11) * 0x1p-53;
  }

  private long next() {
    long z = state;
    state += STEP;
    return mix(z);
  }

  /** The finaliser of SplitMix64: every bit of the result depends on every bit of the input. */
  static long mix(long z) {
    z += STEP;
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }

  private interface Source {
    double next();
  }

  private interface Filler {
    void fill(MemorySegment memory);
  }

  /** The method of Box and Muller (1958), which makes two numbers at a time. */
  private final class Normal implements Source {
    private final double deviation;
    private double second;
    private boolean pending;

    Normal(double deviation) {
      this.deviation = deviation;
    }

    @Override
    public double next() {
      if (pending) {
        pending = false;
        return second;
      }
      double radius = deviation * Math.sqrt(-2 * Math.log(1 - unit())); // never the log of zero
      double angle = 2 * Math.PI * unit();
      second = radius * Math.sin(angle);
      pending = true;
      return radius * Math.cos(angle);
    }
  }
}
