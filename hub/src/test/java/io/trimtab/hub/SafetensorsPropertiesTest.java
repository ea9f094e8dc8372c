package io.trimtab.hub;

import static org.assertj.core.api.Assertions.assertThat;

import io.trimtab.tensor.DType;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.lifecycle.AfterContainer;

class SafetensorsPropertiesTest {
  private static final Path directory = Damage.temporaryDirectory();

  @AfterContainer
  static void deleteDirectory() {
    Damage.deleteAll(directory);
  }

  @Property(tries = 200)
  void readsBackWhatItWrote(
      @ForAll("tensors") Map<String, TensorData> tensors,
      @ForAll("metadata") Map<String, String> metadata) {
    Path file = directory.resolve("round.safetensors");
    Safetensors.write(file, new LinkedHashMap<>(tensors), metadata);
    try (TensorFile read = Safetensors.open(file)) {
      assertThat(read.metadata()).isEqualTo(metadata);
      assertThat(read.names()).containsExactlyInAnyOrderElementsOf(tensors.keySet());
      tensors.forEach(
          (name, data) -> {
            assertThat(read.info(name)).isEqualTo(new TensorInfo(name, data.dtype(), data.shape()));
            assertThat(read.bytes(name).mismatch(data.bytes())).isEqualTo(-1);
            assertThat(read.bytes(name).address() % data.dtype().bytes()).isZero();
          });
    }
  }

  @Property(tries = 1500)
  void damagedFilesAreRefusedOrReadWhole(@ForAll("damage") List<Damage> damage) throws IOException {
    Path valid = directory.resolve("valid.safetensors");
    if (!Files.exists(valid)) {
      var tensors = new LinkedHashMap<String, TensorData>();
      tensors.put("a.weight", filled(DType.F32, new long[] {2, 3}, 1));
      tensors.put("a.bias", filled(DType.BF16, new long[] {3}, 2));
      tensors.put("ids", filled(DType.I64, new long[] {}, 3));
      Safetensors.write(valid, tensors, Map.of("format", "pt"));
    }
    Path file = directory.resolve("damaged.safetensors");
    Files.write(file, Damage.apply(damage, Files.readAllBytes(valid)));
    Damage.assertRefusedOrReadWhole(file, Safetensors::open);
  }

  @Provide
  Arbitrary<List<Damage>> damage() {
    return Damage.some();
  }

  @Provide
  Arbitrary<Map<String, String>> metadata() {
    return Arbitraries.maps(text(), text()).ofMaxSize(3);
  }

  @Provide
  Arbitrary<Map<String, TensorData>> tensors() {
    Arbitrary<long[]> shape = Arbitraries.longs().between(0, 5).array(long[].class).ofMaxSize(4);
    Arbitrary<TensorData> tensor =
        Combinators.combine(Arbitraries.of(DType.class), shape, Arbitraries.integers())
            .as(SafetensorsPropertiesTest::filled);
    return Arbitraries.maps(text().filter(name -> !name.equals("__metadata__")), tensor)
        .ofMaxSize(8);
  }

  /** Any text that can be written as UTF-8, so no halves of surrogate pairs. */
  private static Arbitrary<String> text() {
    return Arbitraries.strings()
        .ofMaxLength(12)
        .filter(text -> text.chars().noneMatch(c -> Character.isSurrogate((char) c)));
  }

  private static TensorData filled(DType dtype, long[] shape, int seed) {
    byte[] bytes = new byte[(int) TensorInfo.byteSize(dtype, shape)];
    new Random(seed).nextBytes(bytes);
    return new TensorData(dtype, shape, MemorySegment.ofArray(bytes));
  }
}
