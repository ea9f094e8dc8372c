package io.trimtab.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trimtab.hub.blocks.PackedTensor;
import io.trimtab.tensor.DType;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SequencedMap;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** A model that is written with packed layers is read again; a damaged one is an error. */
class QuantizedCheckpointTest {
  private static final String LAYER = "layers.0.dense.weight";
  private static final String OTHER = "embeddings.weight";

  @TempDir private Path folder = Path.of("");

  private Path plain() throws IOException {
    Path directory = Files.createDirectories(folder.resolve("plain"));
    Files.writeString(directory.resolve("config.json"), "{\"model_type\": \"toy\", \"n\": 1}");
    Files.writeString(directory.resolve("vocab.txt"), "a\nb\n");
    Random random = new Random(7);
    SequencedMap<String, TensorData> all = new LinkedHashMap<>();
    for (String name : List.of(LAYER, OTHER)) {
      float[] values = new float[24 * 64];
      for (int i = 0; i < values.length; i++) {
        values[i] = (float) random.nextGaussian();
      }
      all.put(name, new TensorData(DType.F32, new long[] {24, 64}, MemorySegment.ofArray(values)));
    }
    Safetensors.write(directory.resolve("model.safetensors"), all, Map.of("format", "pt"));
    return directory;
  }

  private Path quantized(Quantizer quantizer, boolean nested) throws IOException {
    Path target = folder.resolve(quantizer.word() + nested);
    QuantizedExport.write(
        ModelDirectory.of(plain()),
        new QuantizedExport.Plan(
            quantizer, nested, Set.of(LAYER), List.of("head"), Map.of("original:x", "1")),
        target);
    return target;
  }

  @ParameterizedTest
  @EnumSource(Quantizer.class)
  void whatIsWrittenIsRead(Quantizer quantizer) throws IOException {
    ModelDirectory again = ModelDirectory.of(quantized(quantizer, false));
    assertThat(again.isQuantized()).isTrue();
    assertThat(again.config().fields()).containsExactly("model_type", "n");
    assertThat(again.has("vocab.txt")).isTrue();
    try (TensorFile before = ModelDirectory.of(folder.resolve("plain")).tensors();
        TensorFile after = again.tensors();
        Arena arena = Arena.ofShared()) {
      assertThat(after.names()).containsExactlyInAnyOrderElementsOf(before.names());
      assertThat(after.metadata()).containsEntry("original:x", "1");
      assertThat(after.info(LAYER)).isEqualTo(before.info(LAYER));
      assertThat(floats(after, OTHER)).isEqualTo(floats(before, OTHER));
      assertThat(after.packed(OTHER)).isEmpty();
      PackedTensor packed = quantizer.pack(before, LAYER, false, arena);
      MemorySegment expected = arena.allocate(24 * 64 * Float.BYTES, Float.BYTES);
      packed.dequantize(0, 24, expected);
      assertThat(floats(after, LAYER))
          .isEqualTo(expected.toArray(ValueLayout.JAVA_FLOAT_UNALIGNED));
      assertThat(after.packed(LAYER).orElseThrow().form()).isEqualTo(packed.form());
      after.release(LAYER);
      assertThat(floats(after, LAYER)).hasSize(24 * 64);
    }
  }

  @Test
  void scalesCanBeQuantizedInTheirTurn() throws IOException {
    try (TensorFile once = ModelDirectory.of(quantized(Quantizer.NF4, false)).tensors()) {
      deleteTree(folder.resolve("plain"));
      try (TensorFile twice = ModelDirectory.of(quantized(Quantizer.NF4, true)).tensors()) {
        float[] a = floats(once, LAYER);
        float[] b = floats(twice, LAYER);
        double squares = 0;
        double gaps = 0;
        for (int i = 0; i < a.length; i++) {
          squares += a[i] * a[i];
          gaps += (a[i] - b[i]) * (a[i] - b[i]);
        }
        assertThat(Math.sqrt(gaps / squares)).isBetween(1e-6, 0.02);
      }
    }
  }

  private static void deleteTree(Path directory) throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.sorted(java.util.Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }

  @Test
  void whatIsQuantizedIsNotQuantizedAgain() throws IOException {
    ModelDirectory once = ModelDirectory.of(quantized(Quantizer.INT8, false));
    var plan = new QuantizedExport.Plan(Quantizer.NF4, false, Set.of(LAYER), List.of(), Map.of());
    assertThatThrownBy(() -> QuantizedExport.write(once, plan, folder.resolve("again")))
        .isInstanceOf(HubException.Unsupported.class)
        .hasMessageContaining("already");
    assertThat(folder.resolve("again")).doesNotExist();
  }

  @Test
  void numbersThatAreNotFiniteAreRefused() throws IOException {
    Path directory = plain();
    change(
        directory,
        all -> {
          float[] values = new float[24 * 64];
          values[77] = Float.NaN;
          all.put(
              LAYER, new TensorData(DType.F32, new long[] {24, 64}, MemorySegment.ofArray(values)));
        });
    var plan = new QuantizedExport.Plan(Quantizer.INT8, false, Set.of(LAYER), List.of(), Map.of());
    assertThatThrownBy(
            () ->
                QuantizedExport.write(ModelDirectory.of(directory), plan, folder.resolve("never")))
        .isInstanceOf(HubException.Unsupported.class)
        .hasMessageContaining("finite");
  }

  @Test
  void otherWaysOfQuantizingAreRefusedByName() throws IOException {
    Path directory = plain();
    Files.writeString(
        directory.resolve("config.json"),
        "{\"model_type\": \"toy\", \"quantization_config\": {\"quant_method\": \"gptq\"}}");
    ModelDirectory found = ModelDirectory.of(directory);
    assertThatThrownBy(found::tensors)
        .isInstanceOf(HubException.Unsupported.class)
        .hasMessageContaining("gptq");
  }

  /** What happens to a tensor of the file. */
  private record Harm(String name, Consumer<Map<String, TensorData>> harm) {
    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Arguments> harms() {
    return Stream.of(
        of(Quantizer.NF4, "codes cut off", cut(LAYER, DType.U8)),
        of(Quantizer.NF4, "scales cut off", cut(LAYER + ".absmax", DType.F32)),
        of(Quantizer.NF4, "no scales", all -> all.remove(LAYER + ".absmax")),
        of(Quantizer.NF4, "no table", all -> all.remove(LAYER + ".quant_map")),
        of(Quantizer.NF4, "another table", put(LAYER + ".quant_map", new float[16])),
        of(Quantizer.NF4, "a state that is no JSON", state("{\"shape\": [24")),
        of(Quantizer.NF4, "a state without a shape", state("{\"blocksize\": 64}")),
        of(Quantizer.NF4, "another shape", state("{\"blocksize\": 64, \"shape\": [24, 65]}")),
        of(Quantizer.NF4, "a negative shape", state("{\"blocksize\": 64, \"shape\": [-24, -64]}")),
        of(Quantizer.NF4, "a vector", state("{\"blocksize\": 64, \"shape\": [1536]}")),
        of(Quantizer.NF4, "blocks of nothing", state("{\"blocksize\": 0, \"shape\": [24, 64]}")),
        of(Quantizer.NF4, "other blocks", state("{\"blocksize\": 128, \"shape\": [24, 64]}")),
        of(Quantizer.INT8, "scales cut off", cut("layers.0.dense.SCB", DType.F32)),
        of(Quantizer.INT8, "no codes", all -> all.remove(LAYER)),
        of(Quantizer.INT8, "codes of another type", put(LAYER, new float[24 * 64])),
        of(Quantizer.INT4, "codes cut off", cut(LAYER + "_packed", DType.I32)),
        of(Quantizer.INT4, "scales cut off", cut(LAYER + "_scale", DType.F16)),
        of(Quantizer.INT4, "no shape", all -> all.remove(LAYER + "_shape")),
        of(Quantizer.INT4, "a shape of one number", cut(LAYER + "_shape", DType.I64)));
  }

  private static Arguments of(
      Quantizer quantizer, String name, Consumer<Map<String, TensorData>> harm) {
    return Arguments.of(quantizer, new Harm(name, harm));
  }

  private static Consumer<Map<String, TensorData>> cut(String name, DType dtype) {
    return all -> {
      MemorySegment bytes = java.util.Objects.requireNonNull(all.get(name)).bytes();
      long left = bytes.byteSize() - dtype.bytes();
      all.put(
          name, new TensorData(dtype, new long[] {left / dtype.bytes()}, bytes.asSlice(0, left)));
    };
  }

  private static Consumer<Map<String, TensorData>> put(String name, float[] values) {
    return all ->
        all.put(
            name,
            new TensorData(DType.F32, new long[] {values.length}, MemorySegment.ofArray(values)));
  }

  private static Consumer<Map<String, TensorData>> state(String json) {
    byte[] text = json.getBytes(java.nio.charset.StandardCharsets.UTF_8);
    return all ->
        all.put(
            LAYER + ".quant_state.bitsandbytes__nf4",
            new TensorData(DType.U8, new long[] {text.length}, MemorySegment.ofArray(text)));
  }

  @ParameterizedTest
  @MethodSource("harms")
  void damageIsAnError(Quantizer quantizer, Harm harm) throws IOException {
    Path directory = quantized(quantizer, false);
    change(directory, harm.harm());
    ModelDirectory found = ModelDirectory.of(directory);
    assertThatThrownBy(found::tensors)
        .isInstanceOfAny(
            FileFormatException.class, TensorNotFoundException.class, HubException.Malformed.class)
        .hasMessageNotContaining("\n");
  }

  private static void change(Path directory, Consumer<Map<String, TensorData>> change)
      throws IOException {
    Path file = directory.resolve("model.safetensors");
    Path copy = directory.resolve("changed.tmp");
    try (TensorFile tensors = Safetensors.open(file)) {
      SequencedMap<String, TensorData> all = new LinkedHashMap<>();
      for (String name : tensors.names()) {
        TensorInfo info = tensors.info(name);
        all.put(name, new TensorData(info.dtype(), info.shape(), tensors.bytes(name)));
      }
      change.accept(all);
      Safetensors.write(copy, all, tensors.metadata());
    }
    Files.move(copy, file, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
  }

  private static float[] floats(TensorFile file, String name) {
    return file.bytes(name).toArray(ValueLayout.JAVA_FLOAT_UNALIGNED);
  }
}
