package io.trimtab.bench;

import io.trimtab.model.Attention;
import io.trimtab.model.Layout;
import io.trimtab.model.Pass;
import io.trimtab.model.Prefixes;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Engine;
import io.trimtab.tensor.Gradients;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.util.Arrays;
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
 * Attention of one BERT-base layer over packed rows: 12 heads of 64, rows of one length or of many,
 * which are computed as one block for each length.
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
public class AttentionBench {
  private static final int HEADS = 12;
  private static final int HIDDEN = 768;
  private static final int ROWS = 32;

  /** Element type of queries, keys and values. */
  @Param({"F32", "BF16"})
  DType dtype;

  /** The mean length of the 32 rows. */
  @Param({"27", "128"})
  int length;

  /** Whether the rows' lengths differ, from half the mean to half as much again. */
  @Param({"false", "true"})
  boolean varied;

  private Layout layout;
  private Tensor query;
  private Tensor key;
  private Tensor value;
  private Tensor outputGradient;

  /** Makes the rows, sorted by length as the trainer sorts them. */
  @Setup
  public void setUp() {
    Engine.setThreads(Engine.physicalCores());
    int[] lengths = new int[ROWS];
    Arrays.setAll(lengths, row -> varied ? length / 2 + row * length / (ROWS - 1) : length);
    layout = Layout.ofLengths(lengths);
    Rng rng = Rng.seeded(1);
    try (Scope scope = Scope.open()) {
      query = scope.keep(Gradients.variable(normal(rng)));
      key = scope.keep(Gradients.variable(normal(rng)));
      value = scope.keep(Gradients.variable(normal(rng)));
      outputGradient = scope.keep(normal(rng));
    }
  }

  private Tensor normal(Rng rng) {
    return rng.normal(1, DType.F32, Device.CPU, layout.tokens(), HIDDEN).to(dtype);
  }

  /** Frees what {@link #setUp} made. */
  @TearDown
  public void tearDown() {
    List.of(query, key, value, outputGradient).forEach(Tensor::close);
  }

  private Tensor attention() {
    return Attention.packed(
        query,
        key,
        value,
        Attention.Form.whole(HEADS, 0.125),
        new Attention.Use(Pass.plain(layout), null, Attention.Bias.NONE, Prefixes.NONE, null));
  }

  /** Without a graph. */
  @Benchmark
  public void forward() {
    try (Scope _ = Scope.open()) {
      Gradients.none(this::attention);
    }
  }

  /** With the gradients to queries, keys and values. */
  @Benchmark
  public void forwardAndBackward() {
    try (Scope _ = Scope.open()) {
      Gradients.of(List.of(attention()), List.of(outputGradient), List.of(query, key, value));
    }
  }
}
