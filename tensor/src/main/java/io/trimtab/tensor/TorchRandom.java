package io.trimtab.tensor;

import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.GeneratorOptional;
import org.bytedeco.pytorch.global.torch;

/**
 * The numbers that PyTorch's own generator on the CPU draws from a seed, in the order in which they
 * are asked for: what files need that store a seed where others store what was drawn. Everything
 * else draws from {@link Rng}.
 *
 * <p>Each object has a generator of its own, so that neither threads nor other libraries meet in
 * it. One thread at a time.
 */
public final class TorchRandom implements AutoCloseable {
  /** What a generator of PyTorch's that nobody has seeded starts from. */
  public static final long UNSEEDED = 67_280_421_310_721L;

  private final Generator generator;

  private TorchRandom(Generator generator) {
    this.generator = generator;
  }

  /** The generator that {@code torch.Generator().manual_seed(seed)} is. */
  public static TorchRandom seeded(long seed) {
    Native.touch();
    try (Scope _ = Scope.open()) {
      return new TorchRandom(Native.forever(torch.make_generator_cpu(seed)));
    }
  }

  /** 0 to {@code count} - 1 in a random order, as {@code torch.randperm} has it: I64 [count]. */
  public Tensor permutation(long count) {
    return Scope.of(
        () ->
            Call.of(() -> torch.randperm(count, source(), Native.options(DType.I64, Device.CPU))));
  }

  /** Uniform in [low, high) as {@code Tensor.uniform_} has it: F32 of the given shape. */
  public Tensor uniform(double low, double high, long... shape) {
    return Scope.of(
        () ->
            Call.of(() -> Creation.empty(DType.F32, shape).handle().uniform_(low, high, source())));
  }

  /** Normal with mean 0 and deviation 1 as {@code torch.randn} has it: F32 of the given shape. */
  public Tensor normal(long... shape) {
    return Scope.of(
        () -> Call.of(() -> Creation.empty(DType.F32, shape).handle().normal_(0.0, 1.0, source())));
  }

  /**
   * A matrix as {@code torch.nn.init.kaiming_uniform_} has it: F32 [out, in], uniform within ± √(6
   * / ((1 + slope²) · in)).
   *
   * @param slope of the rectifier that is thought to follow; √5 for linear layers
   */
  public Tensor kaimingUniform(double slope, long out, long in) {
    double gain = Math.sqrt(2 / (1 + slope * slope));
    double bound = Math.sqrt(3.0) * (gain / Math.sqrt((double) in));
    return uniform(-bound, bound, out, in);
  }

  private GeneratorOptional source() {
    return new GeneratorOptional(generator);
  }

  /** Frees the generator. */
  @Override
  public void close() {
    generator.deallocate();
  }
}
