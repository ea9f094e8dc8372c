package io.trimtab.bench;

import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Engine;
import io.trimtab.tensor.Gradients;
import io.trimtab.tensor.LinearAlgebra;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What a frozen linear layer of BERT-base costs on the real tokens of one batch, and what a LoRA
 * adds. A forward product of [tokens, 768] × [768, outputs] is 2 · tokens · 768 · outputs floating
 * point operations; the gradient to the input is as many again.
 *
 * <p>Nothing is returned to JMH: the work is done by native calls, which the JIT cannot drop.
 */
@State(org.openjdk.jmh.annotations.Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(
    value = 1,
    jvmArgsAppend = {
      "--enable-native-access=ALL-UNNAMED",
      "-Dorg.bytedeco.javacpp.maxPhysicalBytes=0",
      "-Dorg.bytedeco.javacpp.maxBytes=0"
    })
@SuppressWarnings("NullAway.Init") // JMH calls setUp before any benchmark.
public class LinearBench {
  private static final int HIDDEN = 768;
  private static final int RANK = 8;
  private static final double SCALE = 2; // alpha 16 over rank 8

  /** Element type of weights and activations. */
  @Param({"F32", "BF16"})
  DType dtype;

  /** Outputs of the layer: attention's and the feed-forward's. */
  @Param({"768", "3072"})
  int outputs;

  /** Real tokens in a batch; 32 sentences of SST-2 in a cloze have about 850. */
  @Param("850")
  int tokens;

  private Tensor input;
  private Tensor weight;
  private Tensor bias;
  private Tensor loraA;
  private Tensor loraB;
  private Tensor outputGradient;

  /** Makes the layer, its input and the gradient that comes back to it. */
  @Setup
  public void setUp() {
    Engine.setThreads(Engine.physicalCores());
    Rng rng = Rng.seeded(1);
    try (Scope scope = Scope.open()) {
      input = scope.keep(Gradients.variable(normal(rng, tokens, HIDDEN)));
      weight = scope.keep(normal(rng, outputs, HIDDEN));
      bias = scope.keep(normal(rng, outputs));
      loraA = scope.keep(Gradients.variable(normal(rng, HIDDEN, RANK)));
      loraB = scope.keep(Gradients.variable(normal(rng, RANK, outputs)));
      outputGradient = scope.keep(normal(rng, tokens, outputs));
    }
  }

  private Tensor normal(Rng rng, long... shape) {
    return rng.normal(0.02, DType.F32, Device.CPU, shape).to(dtype);
  }

  /** Frees what {@link #setUp} made. */
  @TearDown
  public void tearDown() {
    List.of(input, weight, bias, loraA, loraB, outputGradient).forEach(Tensor::close);
  }

  /** The layer alone, without a graph. */
  @Benchmark
  public void forward() {
    try (Scope _ = Scope.open()) {
      Gradients.none(() -> LinearAlgebra.linear(input, weight, bias));
    }
  }

  /** The layer and the gradient to its input; its weight is frozen. */
  @Benchmark
  public void forwardAndBackward() {
    try (Scope _ = Scope.open()) {
      Tensor output = LinearAlgebra.linear(input, weight, bias);
      Gradients.of(List.of(output), List.of(outputGradient), List.of(input));
    }
  }

  /** The same with a LoRA on top: x Wᵀ + b + 2 (x A) B, and the gradients to x, A and B. */
  @Benchmark
  public void loraForwardAndBackward() {
    try (Scope _ = Scope.open()) {
      Tensor base = LinearAlgebra.linear(input, weight, bias);
      Tensor low = Arithmetic.multiply(LinearAlgebra.matmul(input, loraA), SCALE);
      Tensor output = LinearAlgebra.addProduct(base, low, loraB);
      Gradients.of(List.of(output), List.of(outputGradient), List.of(input, loraA, loraB));
    }
  }
}
