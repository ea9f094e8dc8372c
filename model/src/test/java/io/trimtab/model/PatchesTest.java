package io.trimtab.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Reduction;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Patches act at their sites, on the rows they are for, and on no others. */
class PatchesTest {

  /** A patch at every site of the model; the larger the strength, the more it changes. */
  private static Patches everywhere(Model model, double strength) {
    Map<Site<?>, Patch> at = new LinkedHashMap<>();
    model
        .root()
        .walk()
        .flatMap(layer -> layer.sites().stream())
        .forEach(site -> at.put(site, patch(model, site, strength)));
    return Patches.of(at);
  }

  private static Patch patch(Model model, Site<?> site, double strength) {
    if (site.kind() == Patch.Input.class) {
      return (Patch.Input)
          (input, pass) -> {
            checkOwnTokensOnly(input, pass);
            return Arithmetic.multiply(input, 1 - strength);
          };
    }
    if (site.kind() == Patch.Output.class) {
      return (Patch.Output)
          (input, output, pass) -> {
            checkOwnTokensOnly(input, pass);
            checkOwnTokensOnly(output, pass);
            return Arithmetic.add(output, strength);
          };
    }
    if (site.kind() == Patch.Rows.class) {
      return (Patch.Rows)
          (indices, rows, pass) -> {
            checkOwnTokensOnly(indices, pass);
            return Arithmetic.multiply(rows, 1 + strength);
          };
    }
    if (site.kind() == Patch.Residual.class) {
      return (Patch.Residual)
          (sublayer, pass) -> {
            checkOwnTokensOnly(sublayer.input(), pass);
            checkOwnTokensOnly(sublayer.output(), pass);
            checkOwnTokensOnly(sublayer.residual(), pass);
            return Arithmetic.addScaled(sublayer.output(), sublayer.input(), strength);
          };
    }
    if (site.kind() == Patch.KeysAndValues.class || site.kind() == Patch.Inserted.class) {
      return added(model, site, strength);
    }
    return (Patch.Effective) (stored, pass) -> Arithmetic.add(stored, strength / 10);
  }

  /** Two tokens' keys and values, or one vector in front of the second token. */
  private static Patch added(Model model, Site<?> site, double strength) {
    if (site.kind() == Patch.KeysAndValues.class) {
      return (Patch.KeysAndValues)
          (hidden, pass) -> {
            checkOwnTokensOnly(hidden, pass);
            Tensor keys = ramp(strength, 1, 2, model.stack().blocks().get(pass.block()).keySize());
            return new Patch.KeysAndValues.Prefix(keys, keys);
          };
    }
    Tensor hidden = model.stack().embeddings().words().table();
    boolean amongWords = site.path().equals(model.stack().embeddings().words().path());
    long size = amongWords ? hidden.size(1) : model.stack().blocks().getLast().hiddenSize();
    return new Patch.Inserted() {
      @Override
      public int count() {
        return 1;
      }

      @Override
      public int before() {
        return 1;
      }

      @Override
      public Tensor vectors(Pass pass) {
        return ramp(strength, 1, size);
      }
    };
  }

  private static Tensor ramp(double strength, long... shape) {
    long n = java.util.Arrays.stream(shape).reduce(1, (a, b) -> a * b);
    Tensor numbers = Creation.range(n, Device.CPU).to(DType.F32).reshape(shape);
    return Arithmetic.multiply(numbers, 10 * strength / n);
  }

  private static void checkOwnTokensOnly(Tensor tensor, Pass pass) {
    assertThat(tensor.size(0)).isEqualTo(pass.layout().tokens());
  }

  @TestFactory
  Stream<DynamicTest> rowsUnderDifferentPatchesAreAsInPassesOfTheirOwn() throws IOException {
    return Tiny.models().stream()
        .map(
            folder ->
                DynamicTest.dynamicTest(
                    String.valueOf(folder.getFileName()),
                    () -> {
                      try (Scope _ = Scope.open();
                          Model model = Tiny.open(folder)) {
                        checkSegments(model);
                      }
                    }));
  }

  private static void checkSegments(Model model) {
    Patches weak = everywhere(model, 0.02);
    Patches strong = everywhere(model, 0.2);
    // Rows of equal length stand side by side across the segments' borders.
    Batch batch = Tiny.random(model, 4, 12, 7, 7, 7, 7, 20);
    List<Pass.Segment> segments =
        List.of(
            new Pass.Segment(2, weak),
            new Pass.Segment(0, weak),
            new Pass.Segment(2, strong),
            new Pass.Segment(1, Patches.NONE),
            new Pass.Segment(1, weak));
    Tensor together = Tiny.logits(model, batch, Pass.segmented(batch.layout(), segments));
    Tensor plain = Tiny.logits(model, batch, Pass.plain(batch.layout()));
    int row = 0;
    for (Pass.Segment segment : segments) {
      for (int i = 0; i < segment.rows(); i++, row++) {
        Batch alone = Batch.of(List.of(batch.rows().get(row)));
        Tensor single = Tiny.logits(model, alone, Pass.with(alone.layout(), segment.patches()));
        Tensor part = Tiny.ofRow(model, together, batch.layout(), row);
        double size = Math.max(1, Reduction.max(Arithmetic.absolute(single)).item());
        assertThat(Reduction.largestDifference(part, single))
            .as("row " + row)
            .isLessThan(1e-5 * size);
        double change =
            Reduction.largestDifference(part, Tiny.ofRow(model, plain, batch.layout(), row));
        if (segment.patches().isEmpty()) {
          assertThat(change).isLessThan(1e-5);
        } else {
          assertThat(change).isGreaterThan(1e-2);
        }
      }
    }
  }

  @TestFactory
  Stream<DynamicTest> everySiteIsReached() throws IOException {
    return Tiny.models().stream()
        .map(
            folder ->
                DynamicTest.dynamicTest(
                    String.valueOf(folder.getFileName()),
                    () -> {
                      try (Scope _ = Scope.open();
                          Model model = Tiny.open(folder)) {
                        checkEverySite(model);
                      }
                    }));
  }

  private static void checkEverySite(Model model) {
    Batch batch = Tiny.random(model, 5, 15);
    float[] plain = Tiny.logits(model, batch, Pass.plain(batch.layout())).toFloats();
    for (Layer layer : model.root().walk().toList()) {
      for (Site<?> site : layer.sites()) {
        // A constant on all keys is lost in the softmax; one on some elements of the queries is
        // not.
        Patches one = Patches.of(Map.of(site, uneven(model, site)));
        float[] patched = Tiny.logits(model, batch, Pass.with(batch.layout(), one)).toFloats();
        if (!site.path().endsWith("key.bias") && !site.path().endsWith("k_lin.bias")) {
          assertThat(patched).as(site.toString()).isNotEqualTo(plain);
        }
      }
    }
  }

  private static Patch uneven(Model model, Site<?> site) {
    if (site.kind() == Patch.Input.class) {
      return (Patch.Input) (input, pass) -> bent(input);
    }
    if (site.kind() == Patch.Output.class) {
      return (Patch.Output) (input, output, pass) -> bent(output);
    }
    if (site.kind() == Patch.Rows.class) {
      return (Patch.Rows) (indices, rows, pass) -> bent(rows);
    }
    if (site.kind() == Patch.Residual.class) {
      return (Patch.Residual) (sublayer, pass) -> bent(sublayer.output());
    }
    if (site.kind() == Patch.KeysAndValues.class || site.kind() == Patch.Inserted.class) {
      return added(model, site, 0.3);
    }
    return (Patch.Effective) (stored, pass) -> bent(stored);
  }

  private static Tensor bent(Tensor tensor) {
    return Arithmetic.add(Arithmetic.multiply(tensor, 1.5), Arithmetic.multiply(tensor, tensor));
  }

  @TestFactory
  Stream<DynamicTest> aPathStandsForOneLayerWhichEveryUseShares() throws IOException {
    return Tiny.models().stream()
        .map(
            folder ->
                DynamicTest.dynamicTest(
                    String.valueOf(folder.getFileName()),
                    () -> {
                      try (Scope _ = Scope.open();
                          Model model = Tiny.open(folder)) {
                        List<Layer> layers = model.root().walk().toList();
                        assertThat(layers).doesNotHaveDuplicates();
                        assertThat(
                                layers.stream().filter(Linear.class::isInstance).map(Layer::path))
                            .doesNotHaveDuplicates();
                        countUses(model);
                      }
                    }));
  }

  /** The last linear layer of the last block is used once a block where blocks are shared. */
  private static void countUses(Model model) {
    List<Block> blocks = model.stack().blocks();
    List<Layer> last = blocks.getLast().walk().filter(Linear.class::isInstance).toList();
    AtomicInteger uses = new AtomicInteger();
    Patch.Output count =
        (input, output, pass) -> {
          uses.incrementAndGet();
          return output;
        };
    Batch batch = Tiny.random(model, 6, 4);
    Patches patches = Patches.of(Map.of(Site.output(last.getLast().path()), count));
    Tensor unused = model.stack().forward(batch, Pass.with(batch.layout(), patches), null);
    assertThat(unused.size(0)).isEqualTo(4);
    long shared = blocks.stream().filter(block -> block.equals(blocks.getLast())).count();
    assertThat(uses).hasValue((int) shared);
  }

  @Test
  void twoThreadsWithTwoPatchesOverOneModelNeverMeet() throws InterruptedException {
    try (Model model = Tiny.open(Tiny.bert())) {
      float[][] serial = new float[2][];
      float[][][] parallel = new float[2][20][];
      for (int i = 0; i < 2; i++) {
        serial[i] = run(model, i);
      }
      Thread[] threads = new Thread[2];
      for (int i = 0; i < 2; i++) {
        int mine = i;
        threads[i] =
            Thread.ofPlatform()
                .start(
                    () -> {
                      for (int n = 0; n < 20; n++) {
                        parallel[mine][n] = run(model, mine);
                      }
                    });
      }
      for (Thread thread : threads) {
        thread.join();
      }
      assertThat(serial[0]).isNotEqualTo(serial[1]);
      for (int i = 0; i < 2; i++) {
        for (float[] result : parallel[i]) {
          assertThat(result).isEqualTo(serial[i]);
        }
      }
    }
  }

  private static float[] run(Model model, int which) {
    try (Scope _ = Scope.open()) {
      Batch batch = Tiny.random(model, 7, 9, 4);
      Patches patches = everywhere(model, 0.1 * which);
      return Tiny.logits(model, batch, Pass.with(batch.layout(), patches)).toFloats();
    }
  }

  @Test
  void aPatchOfAnotherKindIsRefused() {
    Patch.Input input = (tensor, pass) -> tensor;
    assertThatThrownBy(() -> Patches.of(Map.of(Site.output("a"), input)))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("expected one that implements the site's kind");
  }

  @Test
  void segmentsCoverTheBatch() {
    Layout layout = Layout.ofLengths(2, 3);
    assertThatThrownBy(() -> Pass.segmented(layout, List.of(new Pass.Segment(1, Patches.NONE))))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("found patches for 1 rows")
        .hasMessageContaining("2 rows");
  }

  @Test
  void aPatchAtAnOutputNeedsAllOfIt() {
    try (Scope _ = Scope.open();
        Model model = Tiny.open(Tiny.bert())) {
      Patch.Output same = (input, output, pass) -> output;
      Patches patches = Patches.of(Map.of(Site.output("cls.predictions.decoder"), same));
      Batch batch = Batch.of(List.of(Batch.Row.of(1, 2, 3)));
      Pass pass = Pass.with(batch.layout(), patches);
      Tensor words = Creation.longs(new long[] {1}, 1);
      Positions first = Positions.first(batch.layout());
      assertThatThrownBy(() -> model.maskedLogits(batch, pass, first, words))
          .isInstanceOf(ModelException.Unsupported.class)
          .hasMessageContaining("cls.predictions.decoder")
          .hasMessageContaining("ask for all of them");
    }
  }
}
