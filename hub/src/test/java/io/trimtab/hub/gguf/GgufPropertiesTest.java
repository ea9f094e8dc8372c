package io.trimtab.hub.gguf;

import static org.assertj.core.api.Assertions.assertThat;

import io.trimtab.hub.TestDamage;
import io.trimtab.hub.blocks.BlockFormat;
import io.trimtab.tensor.TrimtabException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SequencedMap;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.lifecycle.AfterContainer;

class GgufPropertiesTest {
  private static final Path directory = TestDamage.temporaryDirectory();

  @AfterContainer
  static void deleteDirectory() {
    TestDamage.deleteAll(directory);
  }

  /** Random bytes of a shape. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Filled(BlockFormat format, long[] shape, int seed) implements GgufWriter.Source {
    @Override
    public MemorySegment blocks(Arena scratch) {
      long elements = Arrays.stream(shape).reduce(1, (a, b) -> a * b);
      byte[] bytes = new byte[(int) format.bytes(elements)];
      new Random(seed).nextBytes(bytes);
      return MemorySegment.ofArray(bytes);
    }
  }

  @Property(tries = 200)
  void readsBackWhatItWrote(
      @ForAll("metadata") Map<String, GgufValue> metadata,
      @ForAll("tensors") Map<String, GgufWriter.Source> tensors) {
    Path file = directory.resolve("round.gguf");
    GgufWriter.write(file, new LinkedHashMap<>(metadata), new LinkedHashMap<>(tensors));
    try (GgufFile read = GgufFile.open(file);
        Arena arena = Arena.ofConfined()) {
      assertThat(read.metadata().values()).isEqualTo(metadata);
      assertThat(read.tensors().keySet()).containsExactlyElementsOf(tensors.keySet());
      tensors.forEach(
          (name, source) -> {
            GgufTensor tensor = java.util.Objects.requireNonNull(read.tensors().get(name));
            assertThat(tensor.format()).isEqualTo(source.format());
            assertThat(tensor.shape()).isEqualTo(source.shape());
            assertThat(tensor.blocks().mismatch(source.blocks(arena))).isEqualTo(-1);
            assertThat(tensor.blocks().address() % 32).isZero();
          });
    }
  }

  @Property(tries = 1500)
  void damagedFilesAreRefusedOrReadWhole(@ForAll("damage") TestDamage damage) throws IOException {
    Path valid = directory.resolve("valid.gguf");
    if (!Files.exists(valid)) {
      SequencedMap<String, GgufValue> metadata = new LinkedHashMap<>();
      metadata.put("general.architecture", GgufValue.text("llama"));
      metadata.put("llama.block_count", GgufValue.count(2));
      metadata.put(
          "tokenizer.ggml.tokens",
          new GgufValue.Items(GgufType.TEXT, List.of(GgufValue.text("a"), GgufValue.text("b"))));
      SequencedMap<String, GgufWriter.Source> tensors = new LinkedHashMap<>();
      tensors.put("a.weight", new Filled(BlockFormat.Q4_0, new long[] {2, 32}, 1));
      tensors.put("b.weight", new Filled(BlockFormat.F32, new long[] {3}, 2));
      GgufWriter.write(valid, metadata, tensors);
    }
    Path file = directory.resolve("damaged.gguf");
    Files.write(file, damage.apply(Files.readAllBytes(valid)));
    try (GgufFile read = GgufFile.open(file)) {
      for (GgufTensor tensor : read.tensors().values()) {
        byte[] values = new byte[(int) tensor.packed().elements() * Float.BYTES];
        tensor.format().dequantize(tensor.blocks(), MemorySegment.ofArray(values));
      }
      GgufArchitecture.of(read.metadata());
    } catch (TrimtabException e) {
      assertThat(e).message().isNotEmpty().hasLineCount(1);
    }
  }

  @Provide
  Arbitrary<TestDamage> damage() {
    return TestDamage.some();
  }

  @Provide
  Arbitrary<Map<String, GgufWriter.Source>> tensors() {
    Arbitrary<long[]> outer = Arbitraries.longs().between(1, 4).array(long[].class).ofMaxSize(3);
    Arbitrary<GgufWriter.Source> tensor =
        Combinators.combine(
                Arbitraries.of(BlockFormat.class),
                outer,
                Arbitraries.integers().between(1, 3),
                Arbitraries.integers())
            .as(
                (format, sizes, blocks, seed) -> {
                  long[] shape = Arrays.copyOf(sizes, sizes.length + 1);
                  shape[sizes.length] = (long) blocks * format.blockSize();
                  return new Filled(format, shape, seed);
                });
    return Arbitraries.maps(text(), tensor).ofMaxSize(6);
  }

  @Provide
  Arbitrary<Map<String, GgufValue>> metadata() {
    Arbitrary<GgufValue> simple =
        Arbitraries.oneOf(
            Arbitraries.longs().between(0, 255).map(n -> new GgufValue.Whole(GgufType.U8, n)),
            Arbitraries.longs().between(-128, 127).map(n -> new GgufValue.Whole(GgufType.I8, n)),
            Arbitraries.longs().between(0, 65535).map(n -> new GgufValue.Whole(GgufType.U16, n)),
            Arbitraries.shorts().map(n -> new GgufValue.Whole(GgufType.I16, n)),
            Arbitraries.longs().between(0, 4294967295L).map(GgufValue::count),
            Arbitraries.integers().map(n -> new GgufValue.Whole(GgufType.I32, n)),
            Arbitraries.longs().map(n -> new GgufValue.Whole(GgufType.U64, n)),
            Arbitraries.longs().map(n -> new GgufValue.Whole(GgufType.I64, n)),
            Arbitraries.floats().map(GgufValue::real),
            Arbitraries.doubles().map(n -> new GgufValue.Real(GgufType.F64, n)),
            Arbitraries.of(true, false).map(GgufValue::flag),
            text().map(GgufValue::text));
    Arbitrary<GgufValue> texts =
        text()
            .<GgufValue>map(GgufValue::text)
            .list()
            .ofMaxSize(4)
            .map(list -> new GgufValue.Items(GgufType.TEXT, list));
    Arbitrary<GgufValue> numbers =
        Arbitraries.floats()
            .<GgufValue>map(GgufValue::real)
            .list()
            .ofMaxSize(4)
            .map(list -> new GgufValue.Items(GgufType.F32, list));
    return Arbitraries.maps(
            text().filter(key -> !key.equals("general.alignment")),
            Arbitraries.oneOf(simple, texts, numbers))
        .ofMaxSize(8);
  }

  /** Any text that can be written as UTF-8, so no halves of surrogate pairs. */
  private static Arbitrary<String> text() {
    return Arbitraries.strings()
        .ofMaxLength(12)
        .filter(text -> text.chars().noneMatch(c -> Character.isSurrogate((char) c)));
  }
}
