package io.trimtab.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.trimtab.hub.ModelConfig;
import io.trimtab.hub.TensorFile;
import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.Gradients;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.Reduction;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.BiConsumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Every recorded encoder-decoder computes what transformers computes, with a cache or without. */
class EncoderDecoderTest {
  private static final double LIMIT = 1e-4;
  private static final double ROUNDING = 2e-5;

  private static Stream<DynamicTest> each(BiConsumer<Model, Path> check) throws IOException {
    if (!Files.isDirectory(Tiny.recorded())) {
      return Stream.of(
          DynamicTest.dynamicTest(
              "recorded models", () -> assumeThat(Tiny.recorded()).as("recordings").exists()));
    }
    List<Path> models;
    try (Stream<Path> folders = Files.list(Tiny.recorded())) {
      models = folders.filter(EncoderDecoderTest::isKnown).sorted().toList();
    }
    if (models.isEmpty()) {
      return Stream.of(
          DynamicTest.dynamicTest(
              "recorded encoder-decoders",
              () -> assumeThat(models).as("encoder-decoders among the recordings").isNotEmpty()));
    }
    return models.stream()
        .map(
            folder ->
                DynamicTest.dynamicTest(
                    String.valueOf(folder.getFileName()),
                    () -> {
                      try (Scope _ = Scope.open();
                          Model model = Tiny.open(folder)) {
                        Gradients.none(
                            () -> {
                              check.accept(model, folder);
                              return model;
                            });
                      }
                    }));
  }

  private static boolean isKnown(Path folder) {
    return ModelConfig.read(folder.resolve("io.json")).text("kind").equals("seq2seq");
  }

  private static Batch words(TensorFile io) {
    return Batch.ofPadded(
        Tiny.matrix(io, "decoder_input_ids"),
        Tiny.matrix(io, "decoder_attention_mask"),
        new long[0][]);
  }

  private static Encoded encoded(Model model, Batch batch) {
    return model.encode(batch, Pass.plain(batch.layout()));
  }

  @TestFactory
  Stream<DynamicTest> itIsThatOfTransformers() throws IOException {
    return each(
        (model, folder) -> {
          try (TensorFile io = Tiny.io(folder)) {
            Batch batch = Tiny.batch(io);
            Batch words = words(io);
            Stack encoder = model.encoder().orElseThrow();
            compare("encoder_hidden.", encoder, batch, Pass.plain(batch.layout()), io);
            Pass pass = Pass.plain(words.layout()).reading(encoded(model, batch));
            compare("decoder_hidden.", model.decoder().orElseThrow(), words, pass, io);
            Tensor logits = model.causalLogits(words, pass, null, null);
            Tensor recorded = Tiny.packed(Tiny.tensor(io, "logits"), words.layout());
            assertThat(Reduction.largestDifference(logits, recorded))
                .as("logits")
                .isLessThan(LIMIT);

            Positions last = Positions.last(words.layout());
            Tensor some = Creation.longs(new long[] {5, 2, 17}, 3);
            Tensor chosen =
                Indexing.select(Indexing.select(logits, 0, last.indices(model.device())), 1, some);
            assertThat(Reduction.largestDifference(model.nextLogits(words, pass, some), chosen))
                .as("chosen words after the last")
                .isLessThan(ROUNDING);
          }
        });
  }

  private static void compare(String prefix, Stack stack, Batch batch, Pass pass, TensorFile io) {
    List<Tensor> states = stack.hiddenStates(batch, pass);
    for (int i = 0; i < states.size(); i++) {
      Tensor recorded = Tiny.packed(Tiny.tensor(io, prefix + i), batch.layout());
      assertThat(Reduction.largestDifference(states.get(i), recorded))
          .as(prefix + i)
          .isLessThan(LIMIT);
    }
    assertThat(io.names()).doesNotContain(prefix + states.size());
  }

  @TestFactory
  Stream<DynamicTest> greedyTextIsThatOfTransformers() throws IOException {
    return each(
        (model, folder) -> {
          try (TensorFile io = Tiny.io(folder);
              KeyValueCache cache = new KeyValueCache()) {
            Batch batch = Tiny.batch(io);
            List<List<Integer>> recorded = Tiny.greedy(folder);
            Encoded encoded = encoded(model, batch);
            // The recordings let no text end early.
            int end = model.config().integer("eos_token_id");
            int vocabulary = model.decoder().orElseThrow().embeddings().words().rows();
            long[] others =
                IntStream.range(0, vocabulary).filter(id -> id != end).asLongStream().toArray();
            Tensor allowed = Creation.longs(others, others.length);
            boolean forced = model.config().has("forced_eos_token_id");
            int steps = recorded.getFirst().size() - (forced ? 2 : 1);
            int[] now = new int[batch.layout().rows()];
            Arrays.fill(now, model.config().integer("decoder_start_token_id"));
            for (int step = 1; step <= steps; step++) {
              Batch words = Batch.of(Arrays.stream(now).mapToObj(Batch.Row::of).toList());
              Pass pass = Pass.plain(words.layout()).caching(cache);
              Pass reading = step == 1 ? pass.reading(encoded) : pass;
              long[] best =
                  Reduction.argMax(model.nextLogits(words, reading, allowed), 1).toLongs();
              for (int row = 0; row < now.length; row++) {
                now[row] = (int) others[(int) best[row]];
                assertThat(now[row])
                    .as("word %d of row %d", step, row)
                    .isEqualTo(recorded.get(row).get(step));
              }
            }
          }
        });
  }

  @TestFactory
  Stream<DynamicTest> withACacheItIsAsWithout() throws IOException {
    return each(
        (model, folder) -> {
          try (KeyValueCache cache = new KeyValueCache()) {
            Batch batch = random(model, 4, 4, 7, 1);
            Encoded encoded = encoded(model, batch);
            Batch start = random(model, 2, 2, 3, 1);
            Pass first = Pass.plain(start.layout()).reading(encoded).caching(cache);
            check(model, encoded, start, model.nextLogits(start, first, null));

            Batch next = random(model, 1, 1, 1, 1);
            Pass second = Pass.plain(next.layout()).caching(cache);
            Batch whole = joined(start, next, 0, 1, 2, 3);
            check(model, encoded, whole, model.nextLogits(next, second, null));

            try (KeyValueCache some = cache.select(2, 0, 0)) {
              Batch three = random(model, 1, 1, 1);
              Pass pass = Pass.plain(three.layout()).caching(some);
              Batch all = joined(rows(whole, 2, 0, 0), three, 0, 1, 2);
              check(model, select(encoded, 2, 0, 0), all, model.nextLogits(three, pass, null));
            }
            assertThatThrownBy(() -> cache.select(0, 9))
                .isInstanceOf(ModelException.class)
                .hasMessageContaining("row 9");
            try (KeyValueCache fork = cache.fork(2)) {
              Batch eight = random(model, 1, 1, 1, 1, 1, 1, 1, 1);
              Pass pass = Pass.plain(eight.layout()).caching(fork);
              int[] sources = {0, 0, 1, 1, 2, 2, 3, 3};
              Batch all = joined(rows(whole, sources), eight, 0, 1, 2, 3, 4, 5, 6, 7);
              check(model, select(encoded, sources), all, model.nextLogits(eight, pass, null));
            }
          }
        });
  }

  private static void check(Model model, Encoded encoded, Batch words, Tensor found) {
    Pass pass = Pass.plain(words.layout()).reading(encoded);
    Tensor plain = model.nextLogits(words, pass, null);
    assertThat(Reduction.largestDifference(found, plain)).isLessThan(ROUNDING);
  }

  private static Batch random(Model model, int... lengths) {
    int vocabulary = model.decoder().orElseThrow().embeddings().words().rows();
    java.util.Random random = new java.util.Random(Arrays.hashCode(lengths));
    return Batch.of(
        Arrays.stream(lengths)
            .mapToObj(
                length -> new Batch.Row(random.ints(length, 0, vocabulary).toArray(), new int[0]))
            .toList());
  }

  private static Batch rows(Batch batch, int... rows) {
    return Batch.of(Arrays.stream(rows).mapToObj(batch.rows()::get).toList());
  }

  private static Batch joined(Batch before, Batch after, int... rows) {
    List<Batch.Row> joined = new ArrayList<>();
    for (int row : rows) {
      int[] ids =
          IntStream.concat(
                  IntStream.of(before.rows().get(row).ids()),
                  IntStream.of(after.rows().get(row).ids()))
              .toArray();
      joined.add(new Batch.Row(ids, new int[0]));
    }
    return Batch.of(joined);
  }

  private static Encoded select(Encoded encoded, int... rows) {
    List<Tensor> parts = new ArrayList<>();
    for (int row : rows) {
      Layout layout = encoded.layout();
      parts.add(Indexing.slice(encoded.hidden(), 0, layout.start(row), layout.length(row)));
    }
    int[] lengths = Arrays.stream(rows).map(encoded.layout()::length).toArray();
    return new Encoded(Indexing.concat(parts, 0), Layout.ofLengths(lengths));
  }

  /** Rows under a patch at any site of the model change, and rows without one do not. */
  @TestFactory
  Stream<DynamicTest> patchesActOnTheirOwnRows() throws IOException {
    return each(
        (model, folder) -> {
          Batch batch = random(model, 3, 5, 5);
          Batch words = random(model, 2, 2, 3);
          Tensor plain = logits(model, batch, words, Patches.NONE);
          int before = words.layout().start(2);
          List<Site<?>> all = model.root().walk().flatMap(layer -> layer.sites().stream()).toList();
          assertThat(all.stream().map(Site::path)).contains(crossPath(model));
          for (Site<?> site : all) {
            if (site.path().endsWith("k_proj.bias")) {
              continue; // it adds as much to all scores of a query, which softmax does not see
            }
            Patches patches = Patches.of(Map.of(site, patch(site, model)));
            Tensor found = logits(model, batch, words, patches);
            assertThat(
                    Reduction.largestDifference(
                        Indexing.slice(found, 0, 0, before), Indexing.slice(plain, 0, 0, before)))
                .as("rows without a patch at " + site)
                .isLessThan(ROUNDING);
            int rest = words.layout().tokens() - before;
            assertThat(
                    Reduction.largestDifference(
                        Indexing.slice(found, 0, before, rest),
                        Indexing.slice(plain, 0, before, rest)))
                .as("rows with a patch at " + site)
                .isGreaterThan(1e-4);
          }
        });
  }

  /** Rows of one token each are under patched tables of distances, and one is read. */
  @TestFactory
  Stream<DynamicTest> someTokensAloneUnderPatchedTables() throws IOException {
    return each(
        (model, folder) -> {
          Encoded encoded = encoded(model, random(model, 4, 4));
          Map<Site<?>, Patch> at = new HashMap<>();
          model
              .decoder()
              .orElseThrow()
              .walk()
              .flatMap(layer -> layer.sites().stream())
              .filter(site -> site.kind() == Patch.Rows.class)
              .forEach(site -> at.put(site, patch(site, model)));
          Batch words = random(model, 1, 1);
          Pass pass = Pass.with(words.layout(), Patches.of(at)).reading(encoded);
          Tensor all = model.causalLogits(words, pass, null, null);
          Positions first = Positions.of(new int[][] {{0}, {}}, words.layout());
          Tensor found = model.causalLogits(words, pass, first, null);
          assertThat(Reduction.largestDifference(found, Indexing.slice(all, 0, 0, 1)))
              .isLessThan(ROUNDING);
        });
  }

  private static String crossPath(Model model) {
    return Objects.requireNonNull(model.places().get("decoder.block.0.crossattn")).path();
  }

  /** The last row alone is under the patches. */
  private static Tensor logits(Model model, Batch batch, Batch words, Patches patches) {
    List<Pass.Segment> segments =
        List.of(new Pass.Segment(2, Patches.NONE), new Pass.Segment(1, patches));
    Encoded encoded = model.encode(batch, Pass.segmented(batch.layout(), segments));
    Pass pass = Pass.segmented(words.layout(), segments).reading(encoded);
    return model.causalLogits(words, pass, null, null);
  }

  private static Patch patch(Site<?> site, Model model) {
    if (site.kind() == Patch.Input.class) {
      return (Patch.Input) (input, pass) -> bent(input);
    }
    if (site.kind() == Patch.Output.class) {
      return (Patch.Output) (input, output, pass) -> bent(output);
    }
    if (site.kind() == Patch.Residual.class) {
      return (Patch.Residual) (sublayer, pass) -> bent(sublayer.output());
    }
    if (site.kind() == Patch.Effective.class) {
      return (Patch.Effective) (stored, pass) -> bent(stored);
    }
    if (site.kind() == Patch.Rows.class) {
      return (Patch.Rows) (indices, rows, pass) -> bent(rows);
    }
    if (site.kind() == Patch.KeysAndValues.class) {
      int size = model.decoder().orElseThrow().blocks().getFirst().keySize();
      return (Patch.KeysAndValues)
          (hidden, pass) -> new Patch.KeysAndValues.Prefix(ramp(1, 2, size), ramp(1, 2, size));
    }
    int hidden = model.decoder().orElseThrow().embeddings().words().size();
    return new Patch.Inserted() {
      @Override
      public int count() {
        return 2;
      }

      @Override
      public Tensor vectors(Pass pass) {
        return ramp(2, hidden);
      }
    };
  }

  private static Tensor bent(Tensor tensor) {
    return Arithmetic.multiply(Arithmetic.add(tensor, ramp(tensor.size(tensor.rank() - 1))), 1.2);
  }

  private static Tensor ramp(long... shape) {
    int count = (int) Arrays.stream(shape).reduce(1, (a, b) -> a * b);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) Math.sin(i * 0.7);
    }
    return Creation.floats(values, shape);
  }

  @TestFactory
  Stream<DynamicTest> whatIsMissingIsSaid() throws IOException {
    return each(
        (model, folder) -> {
          Batch words = random(model, 2, 3);
          Pass plain = Pass.plain(words.layout());
          assertThatThrownBy(() -> model.causalLogits(words, plain, null, null))
              .isInstanceOf(ModelException.class)
              .hasMessageContaining("Pass.reading");
          Encoded one = encoded(model, random(model, 4));
          assertThatThrownBy(() -> plain.reading(one))
              .isInstanceOf(ModelException.class)
              .hasMessageContaining("1 encoded rows for a batch of 2");
          assertThatThrownBy(model::stack).isInstanceOf(ModelException.Unsupported.class);
        });
  }
}
