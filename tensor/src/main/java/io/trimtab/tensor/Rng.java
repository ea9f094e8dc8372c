package io.trimtab.tensor;

import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.GeneratorOptional;
import org.bytedeco.pytorch.global.torch;

/**
 * A seeded source of random tensors. The same seed draws the same numbers on the same machine;
 * {@link #derive} gives independent sources by name, so that what step 7 draws does not depend on
 * what step 6 drew. One thread at a time.
 */
public final class Rng {
  private final long seed;
  private final Generator generator;

  private Rng(long seed) {
    Native.touch();
    this.seed = seed;
    this.generator = torch.make_generator_cpu(seed);
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

  /** Uniform in [low, high). */
  public Tensor uniform(double low, double high, DType dtype, Device device, long... shape) {
    return onto(
        device,
        Tensor.of(empty(dtype, shape).uniform_(low, high, new GeneratorOptional(generator))));
  }

  /** Normal with the given standard deviation. */
  public Tensor normal(double deviation, DType dtype, Device device, long... shape) {
    return onto(
        device,
        Tensor.of(empty(dtype, shape).normal_(0, deviation, new GeneratorOptional(generator))));
  }

  /** One with the given probability, else zero. */
  public Tensor bernoulli(double probability, DType dtype, Device device, long... shape) {
    return onto(
        device,
        Tensor.of(empty(dtype, shape).bernoulli_(probability, new GeneratorOptional(generator))));
  }

  private static Tensor onto(Device device, Tensor drawn) {
    return drawn.to(device); // drawn on the CPU, so that devices agree on the numbers
  }

  private static org.bytedeco.pytorch.Tensor empty(DType dtype, long... shape) {
    return torch.empty(
        shape, Native.options(dtype, Device.CPU), new org.bytedeco.pytorch.MemoryFormatOptional());
  }

  /** The finaliser of SplitMix64: every bit of the result depends on every bit of the input. */
  private static long mix(long z) {
    z += 0x9E3779B97F4A7C15L;
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }
}
