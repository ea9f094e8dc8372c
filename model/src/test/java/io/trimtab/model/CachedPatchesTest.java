package io.trimtab.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.Gradients;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.LinearAlgebra;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Rows under different patches, or read at different tokens, with a cache as without. */
class CachedPatchesTest {
  private static Tensor waves(double phase, long... shape) {
    int count = (int) Arrays.stream(shape).reduce(1, (a, b) -> a * b);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) (0.3 * Math.sin(i * 0.7 + phase));
    }
    return Creation.floats(values, shape);
  }

  /** What a low-rank delta adds to queries and values. */
  private static Patches lowRank(Model model) {
    Map<Site<?>, Patch> at = new HashMap<>();
    for (Block block : model.stack().blocks()) {
      Patch.Output added =
          (input, output, _) -> {
            Tensor inner = LinearAlgebra.matmul(input, waves(1, input.size(1), 2));
            Tensor more = LinearAlgebra.matmul(inner, waves(2, 2, output.size(1)));
            return Arithmetic.add(output, more);
          };
      for (String part : List.of("attn.q", "attn.v")) {
        at.put(Site.output(Objects.requireNonNull(block.places().get(part)).path()), added);
      }
    }
    return Patches.of(at);
  }

  /** Three keys and values before the rows', at whose positions these then stand. */
  private static Patches prefix(Model model) {
    Map<Site<?>, Patch> at = new HashMap<>();
    for (Block block : model.stack().blocks()) {
      at.put(
          Site.keysAndValues(block.attention().path()),
          new Patch.KeysAndValues() {
            @Override
            public Prefix apply(Tensor hidden, Pass pass) {
              int size = block.keySize();
              return new Prefix(waves(3, 1, 3, size), waves(4 + pass.block(), 1, 3, size));
            }

            @Override
            public int shift() {
              return 3;
            }
          });
    }
    return Patches.of(at);
  }

  private static Patches prompt(Model model, AtomicInteger asked) {
    Embedding words = model.stack().embeddings().words();
    return Patches.of(
        Map.of(
            Site.inserted(words.path()),
            new Patch.Inserted() {
              @Override
              public int count() {
                return 2;
              }

              @Override
              public int before() {
                return 1;
              }

              @Override
              public Tensor vectors(Pass pass) {
                asked.incrementAndGet();
                return waves(5, 2, words.size());
              }
            }));
  }

  private static List<Pass.Segment> segments(Model model, AtomicInteger asked) {
    return List.of(
        new Pass.Segment(1, Patches.NONE),
        new Pass.Segment(2, prefix(model)),
        new Pass.Segment(1, lowRank(model)),
        new Pass.Segment(1, prompt(model, asked)));
  }

  private static Batch batch(int[]... rows) {
    return Batch.of(Arrays.stream(rows).map(Batch.Row::of).toList());
  }

  private static Tensor next(
      Model model, List<Pass.Segment> segments, KeyValueCache cache, int[]... rows) {
    Batch batch = batch(rows);
    Pass pass = Pass.segmented(batch.layout(), segments).caching(cache);
    return model.nextLogits(batch, pass, null);
  }

  private static Tensor whole(Model model, List<Pass.Segment> segments, int[]... rows) {
    Batch batch = batch(rows);
    return model.nextLogits(batch, Pass.segmented(batch.layout(), segments), null);
  }

  private static int[][] joined(int[][] rows, int[]... more) {
    return IntStream.range(0, rows.length)
        .mapToObj(row -> CacheTest.joined(rows[row], more[row]))
        .toArray(int[][]::new);
  }

  private static void stepsAreAsTheWhole(Model model, int... lengths) {
    AtomicInteger asked = new AtomicInteger();
    List<Pass.Segment> segments = segments(model, asked);
    int[][] rows = CacheTest.rows(model, 4, lengths);
    int[][] more = CacheTest.rows(model, 5, 1, 1, 1, 1, 1);
    int[][] last = CacheTest.rows(model, 6, 2, 2, 1, 1, 2);
    try (KeyValueCache cache = new KeyValueCache()) {
      CacheTest.same(
          next(model, segments, cache, rows), whole(model, segments, rows), "the prompts");
      int[][] longer = joined(rows, more);
      asked.set(0);
      Tensor found = next(model, segments, cache, more);
      assertThat(asked).as("prompts computed again").hasValue(0);
      CacheTest.same(found, whole(model, segments, longer), "one token more");
      CacheTest.same(
          next(model, segments, cache, last),
          whole(model, segments, joined(longer, last)),
          "one or two more");
    }
  }

  @TestFactory
  Stream<DynamicTest> stepsUnderPatchesAreAsTheWhole() throws IOException {
    return CacheTest.each((model, _) -> stepsAreAsTheWhole(model, 7, 7, 7, 7, 7));
  }

  @TestFactory
  Stream<DynamicTest> rowsUnderOtherPatchesThanBeforeGetTheirOwnPrefix() throws IOException {
    return CacheTest.each(
        (model, _) -> {
          List<Pass.Segment> plain = List.of(new Pass.Segment(5, Patches.NONE));
          List<Pass.Segment> segments = segments(model, new AtomicInteger());
          int[][] rows = CacheTest.rows(model, 7, 6, 6, 6, 6, 6);
          int[][] others = CacheTest.rows(model, 8, 4, 4, 4, 4, 4);
          int[][] more = CacheTest.rows(model, 9, 1, 1, 1, 1, 1);
          try (KeyValueCache cache = new KeyValueCache()) {
            next(model, plain, cache, rows);
            cache.cut(0, 0, 0, 0, 0);
            CacheTest.same(
                next(model, segments, cache, others),
                whole(model, segments, others),
                "after a cut to nothing");
            CacheTest.same(
                next(model, segments, cache, more),
                whole(model, segments, joined(others, more)),
                "one token more");
          }
        });
  }

  @TestFactory
  Stream<DynamicTest> rowsCanBeReadAtDifferentTokens() throws IOException {
    return CacheTest.each(
        (model, _) -> {
          int[][] rows = CacheTest.rows(model, 10, 5, 5, 5);
          Batch batch = batch(rows);
          Positions some = Positions.of(new int[][] {{0, 4}, {}, {2}}, batch.layout());
          Pass plain = Pass.plain(batch.layout());
          try (KeyValueCache cache = new KeyValueCache()) {
            CacheTest.same(
                model.causalLogits(batch, plain.caching(cache), some, null),
                model.causalLogits(batch, plain, some, null),
                "chosen tokens");
            int[][] more = CacheTest.rows(model, 11, 1, 1, 1);
            List<Pass.Segment> all = List.of(new Pass.Segment(3, Patches.NONE));
            CacheTest.same(
                next(model, all, cache, more), whole(model, all, joined(rows, more)), "the next");
          }
        });
  }

  /**
   * Of a model that turns its tokens otherwise in rows longer than eight. It has one block: what
   * later ones are given of earlier tokens was computed when the row was shorter.
   */
  @Test
  void keptKeysAreTurnedAsThoseOfTheLongerRow(@TempDir Path folder) throws IOException {
    Path llama = Tiny.recorded().resolve("llama");
    assumeThat(llama).exists();
    Tiny.changed(
        llama,
        folder,
        config ->
            config
                .replace(
                    "\"rope_type\": \"default\"", "\"rope_type\": \"dynamic\", \"factor\": 3.0")
                .replace("\"max_position_embeddings\": 64", "\"max_position_embeddings\": 8")
                .replace("\"num_hidden_layers\": 3", "\"num_hidden_layers\": 1"),
        tensors -> tensors.keySet().removeIf(name -> name.matches("model.layers.[12]\\..*")));
    try (Scope _ = Scope.open();
        Model model = Tiny.open(folder)) {
      Gradients.none(
          () -> {
            int[][] rows = CacheTest.rows(model, 12, 7, 9);
            stepsAreAsTheWhole(model, 7, 8, 5, 8, 6);
            stepsAreAsTheWhole(model, 7, 7, 7, 7, 7);
            try (KeyValueCache cache = new KeyValueCache()) {
              List<Pass.Segment> both = List.of(new Pass.Segment(2, Patches.NONE));
              List<Pass.Segment> four = List.of(new Pass.Segment(4, Patches.NONE));
              next(model, both, cache, rows);
              try (KeyValueCache fork = cache.fork(2)) {
                int[][] more = CacheTest.rows(model, 13, 2, 2, 2, 2);
                int[][] whole = joined(new int[][] {rows[0], rows[0], rows[1], rows[1]}, more);
                CacheTest.same(
                    next(model, four, fork, more), whole(model, four, whole), "continuations");
              }
            }
            return model;
          });
    }
  }

  @TestFactory
  Stream<DynamicTest> aPassOfAnEarlierStepIsRefused() throws IOException {
    return CacheTest.each(
        (model, _) -> {
          Batch batch = batch(CacheTest.rows(model, 14, 3, 3));
          try (KeyValueCache cache = new KeyValueCache()) {
            Pass pass = Pass.plain(batch.layout()).caching(cache);
            Tensor first = model.nextLogits(batch, pass, null);
            assertThatThrownBy(() -> model.nextLogits(batch, pass, null))
                .isInstanceOf(ModelException.class)
                .hasMessageContaining("when its cache held other tokens");
            cache.cut(0, 0);
            CacheTest.same(model.nextLogits(batch, pass, null), first, "once it fits again");
          }
        });
  }

  @TestFactory
  Stream<DynamicTest> aForkReadsWhatIsKeptWhereItIs() throws IOException {
    return CacheTest.each(
        (model, _) -> {
          try (KeyValueCache prompt = new KeyValueCache()) {
            List<Pass.Segment> one = List.of(new Pass.Segment(1, Patches.NONE));
            next(model, one, prompt, CacheTest.rows(model, 15, 50));
            try (KeyValueCache fork = prompt.fork(100)) {
              assertThat(fork.bytes()).isLessThanOrEqualTo(prompt.bytes());
              KeyValues kept = prompt.stretches(0, 0).getFirst();
              for (Tensor tensor : List.of(kept.keys(), kept.values())) {
                Indexing.overwrite(tensor, 2, 7, waves(6, 1, tensor.size(1), 1, tensor.size(3)));
              }
              float[] written = waves(6, kept.keys().size(1) * kept.keys().size(3)).toFloats();
              assertThat(Indexing.at(fork.keys(0, 0), 0, 7).toFloats()).isEqualTo(written);
              assertThat(Indexing.at(fork.values(0, 99), 0, 7).toFloats()).isEqualTo(written);
            }
          }
        });
  }

  @Test
  void anEncoderHasNoCache() {
    try (Scope _ = Scope.open();
        Model model = Tiny.open(Tiny.bert());
        KeyValueCache cache = new KeyValueCache()) {
      Batch batch = batch(new int[] {1, 2, 3});
      Pass pass = Pass.plain(batch.layout()).caching(cache);
      Positions all = Positions.all(batch.layout());
      assertThatThrownBy(() -> model.maskedLogits(batch, pass, all, null))
          .isInstanceOf(ModelException.class)
          .hasMessageContaining("a cache in an encoder's pass");
    }
  }
}
