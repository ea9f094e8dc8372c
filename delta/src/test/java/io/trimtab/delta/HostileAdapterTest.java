package io.trimtab.delta;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trimtab.delta.compose.DeltaExpression;
import io.trimtab.delta.lora.Lora;
import io.trimtab.hub.Safetensors;
import io.trimtab.hub.TensorData;
import io.trimtab.hub.TensorFile;
import io.trimtab.hub.TensorInfo;
import io.trimtab.model.Model;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.TrimtabException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * Adapter files that are damaged, or made to do damage, in every layout that is written: each is a
 * typed error of one line, and none takes memory for what it claims to hold.
 */
class HostileAdapterTest {
  @TempDir Path directory = Path.of("");

  /** One way to spoil an adapter. */
  private record Damage(String name, boolean settings, UnaryOperator<byte[]> change) {}

  private static Damage tensors(String name, UnaryOperator<byte[]> change) {
    return new Damage(name, false, change);
  }

  private static Damage settings(String name, String from, String to) {
    return new Damage(
        name,
        true,
        bytes -> {
          String text = new String(bytes, UTF_8);
          String changed = text.replaceFirst(from, to);
          assertThat(changed).as(name).isNotEqualTo(text);
          return changed.getBytes(UTF_8);
        });
  }

  private static byte[] header(byte[] file, long size) {
    byte[] changed = file.clone();
    ByteBuffer.wrap(changed).order(ByteOrder.LITTLE_ENDIAN).putLong(size);
    return changed;
  }

  private static List<Damage> damages(String format) {
    List<Damage> common =
        List.of(
            tensors("empty", file -> new byte[0]),
            tensors("cut in its header's size", file -> Arrays.copyOf(file, 5)),
            tensors("cut in its header", file -> Arrays.copyOf(file, 60)),
            tensors("cut in its numbers", file -> Arrays.copyOf(file, file.length - 4)),
            tensors("longer than it says", file -> Arrays.copyOf(file, file.length + 4)),
            tensors("with a huge header", file -> header(file, 1L << 40)),
            tensors("with a header of negative size", file -> header(file, -1)),
            tensors("with the largest header", file -> header(file, Long.MAX_VALUE)),
            tensors("of text", file -> "PK no tensors".getBytes(UTF_8)),
            settings("that is no JSON", "\\{", "["),
            settings("that ends early", "\\}\\s*$", ""),
            settings("with a rank of text", "\"r\" : 2", "\"r\" : \"2; rm -rf /\""),
            settings("with half a rank", "\"r\" : 2", "\"r\" : 2.5"),
            settings("with a negative rank", "\"r\" : 2", "\"r\" : -2"),
            settings("with another rank", "\"r\" : 2", "\"r\" : 3"),
            settings("with a field nobody knows", "\"r\" : 2", "\"r\" : 2, \"novel\" : 1"));
    Stream<Damage> own =
        format.equals("peft")
            ? Stream.of(
                settings("of an unknown method", "\"LORA\"", "\"NOVEL\""),
                settings("with a rank beyond all memory", "\"r\" : 2", "\"r\" : 2000000000"),
                settings("with a list for a text", "\"bias\" : \"none\"", "\"bias\" : [1]"),
                settings("with a broken pattern", "\\[ \"query\" \\]", "\"(((\""))
            : Stream.of(settings("of an unknown method", "\"lora\"", "\"novel\""));
    return Stream.concat(common.stream(), own).toList();
  }

  @TestFactory
  Stream<DynamicTest> damagedFilesAreTypedErrors() {
    return Stream.of("peft", "adapterhub")
        .flatMap(
            format ->
                damages(format).stream()
                    .map(
                        damage ->
                            DynamicTest.dynamicTest(
                                format + " " + damage.name(), () -> refused(format, damage))));
  }

  private void refused(String format, Damage damage) throws IOException {
    try (Model model = TinyModels.maskedLm(directory.resolve("tiny"))) {
      Path saved = saved(format, model);
      Path file = saved.resolve(damage.settings() ? DeltaFiles.CONFIG : tensorFile(format));
      Files.write(file, damage.change().apply(Files.readAllBytes(file)));
      assertRefused(format, saved, model);
    }
  }

  private static void assertRefused(String format, Path saved, Model model) {
    assertThatThrownBy(() -> DeltaFormats.named(format).load(saved, model))
        .isInstanceOf(TrimtabException.class)
        .satisfies(e -> assertThat(e.getMessage()).isNotBlank().doesNotContain("\n"));
  }

  private static String tensorFile(String format) {
    return format.equals("peft") ? DeltaFiles.TENSORS : "adapter.safetensors";
  }

  private Path saved(String format, Model model) {
    Path saved = directory.resolve(format);
    try (Delta delta = Lora.rank(2).on("query").attach(model, Rng.seeded(1))) {
      TinyModels.move(delta, 2);
      DeltaFormats.named(format).save(delta, saved);
    }
    return saved;
  }

  /** A size in the settings of a delta, and one in its place that no file of its length fills. */
  private record Oversized(String format, String delta, String from, String to) {
    String field() {
      return from.substring(1, from.indexOf('"', 1));
    }
  }

  private static final String HUGE = "2000000000";

  private static final List<Oversized> OVERSIZED =
      List.of(
          new Oversized("peft", "lora:rank=2", "\"r\" : 2", HUGE),
          new Oversized(
              "peft", "lora:rank=2", "\"rank_pattern\" : \\{ *}", "{\"query\" : " + HUGE + "}"),
          new Oversized("peft", "adalora:rank=2", "\"init_r\" : 3", HUGE),
          new Oversized("peft", "prompt:length=2", "\"num_virtual_tokens\" : 2", HUGE),
          new Oversized("peft", "prefix:length=2", "\"num_virtual_tokens\" : 2", HUGE),
          new Oversized("peft", "houlsby:bottleneck_dim=2", "\"bottleneck_dim\" : 2", HUGE),
          new Oversized("peft", "lowrank:low_rank_rank=2", "\"low_rank_rank\" : 2", HUGE),
          new Oversized("peft", "compacter:phm_rank=2", "\"phm_rank\" : 2", HUGE),
          new Oversized("peft", "houlsby:reduction_factor=4", "\"reduction_factor\" : 4.0", "1e-9"),
          new Oversized("peft", "intrinsic:dimension=20", "\"intrinsic_dimension\" : 20", HUGE),
          new Oversized("peft", "fourierft:frequencies=2", "\"n_frequency\" : 2", HUGE),
          new Oversized("peft", "lora:rank=2 + ia3", "\"r\" : 2", HUGE),
          new Oversized("adapterhub", "lora:rank=2", "\"r\" : 2", HUGE),
          new Oversized("adapterhub", "reft:rank=2", "\"r\" : 2", HUGE),
          new Oversized(
              "adapterhub", "prompt:preset=adapterhub,length=2", "\"prompt_length\" : 2", HUGE),
          new Oversized(
              "adapterhub", "prefix:length=2,positions=kept", "\"prefix_length\" : 2", HUGE),
          new Oversized(
              "adapterhub", "houlsby:reduction_factor=4", "\"reduction_factor\" : 4.0", "1e-9"),
          new Oversized(
              "adapterhub",
              "pfeiffer:reduction_factor=4",
              "\"reduction_factor\" : 4.0",
              "{\"default\" : 4, \"1\" : 1e-9}"),
          new Oversized("adapterhub", "lora:rank=2 + houlsby", "\"r\" : 2", HUGE));

  /** OpenDelta's are in {@code OpenDeltaFormatTest}, since they are not written here. */
  @TestFactory
  Stream<DynamicTest> sizesBeyondTheFileAreRefused() {
    return OVERSIZED.stream()
        .map(
            each ->
                DynamicTest.dynamicTest(
                    each.format() + " " + each.delta() + " " + each.field(), () -> refused(each)));
  }

  private void refused(Oversized oversized) throws IOException {
    try (Model model = TinyModels.maskedLm(directory.resolve("tiny"));
        Delta delta =
            DeltaExpression.parse(oversized.delta(), model).attach(model, Rng.seeded(1))) {
      Path saved = directory.resolve("oversized");
      DeltaFormat format = DeltaFormats.named(oversized.format());
      format.save(delta, saved);
      Path config = saved.resolve(DeltaFiles.CONFIG);
      String text = Files.readString(config);
      String name = "\"" + oversized.field() + "\" : ";
      String changed = text.replaceFirst(oversized.from(), name + oversized.to());
      assertThat(changed).isNotEqualTo(text);
      Files.writeString(config, changed);
      assertThatThrownBy(() -> format.load(saved, model))
          .isInstanceOf(DeltaException.class)
          .hasMessageMatching("found \\w+ .* beside a file of \\d+ numbers, expected none .*");
      Files.writeString(config, text.replaceFirst(oversized.from(), name + "\"novel\""));
      assertRefused(oversized.format(), saved, model);
    }
  }

  /** Tensors that are well formed, and not those of the adapter. */
  @TestFactory
  Stream<DynamicTest> tensorsThatDoNotFitAreTypedErrors() {
    Map<String, UnaryOperator<TensorData>> changes = new LinkedHashMap<>();
    changes.put("transposed", data -> new TensorData(data.dtype(), reversed(data), data.bytes()));
    changes.put(
        "flat", data -> new TensorData(data.dtype(), new long[] {count(data)}, data.bytes()));
    changes.put("of no numbers", data -> new TensorData(DType.F32, new long[] {0}, bytes(0)));
    changes.put("of whole numbers", data -> new TensorData(DType.I32, data.shape(), data.bytes()));
    changes.put("with NaN", data -> with(data, Float.NaN));
    changes.put("with infinity", data -> with(data, Float.NEGATIVE_INFINITY));
    return Stream.of("peft", "adapterhub")
        .flatMap(
            format ->
                changes.entrySet().stream()
                    .map(
                        change ->
                            DynamicTest.dynamicTest(
                                format + " " + change.getKey(),
                                () -> refused(format, change.getValue()))));
  }

  private void refused(String format, UnaryOperator<TensorData> change) {
    try (Model model = TinyModels.maskedLm(directory.resolve("tiny"))) {
      Path saved = saved(format, model);
      Path path = saved.resolve(tensorFile(format));
      LinkedHashMap<String, TensorData> tensors = new LinkedHashMap<>();
      try (TensorFile file = Safetensors.open(path)) {
        for (String name : file.names()) {
          TensorInfo info = file.info(name);
          byte[] bytes = file.bytes(name).toArray(ValueLayout.JAVA_BYTE);
          tensors.put(
              name, new TensorData(info.dtype(), info.shape(), MemorySegment.ofArray(bytes)));
        }
      }
      Map.Entry<String, TensorData> first = tensors.firstEntry();
      first = Map.entry(first.getKey(), change.apply(first.getValue()));
      tensors.put(first.getKey(), first.getValue());
      Safetensors.write(path, tensors, Map.of());
      assertRefused(format, saved, model);
    }
  }

  private static long[] reversed(TensorData data) {
    long[] shape = data.shape();
    return new long[] {shape[1], shape[0]};
  }

  private static long count(TensorData data) {
    return Arrays.stream(data.shape()).reduce(1, (a, b) -> a * b);
  }

  private static MemorySegment bytes(int size) {
    return MemorySegment.ofArray(new byte[size]);
  }

  private static TensorData with(TensorData data, float value) {
    data.bytes().set(ValueLayout.JAVA_FLOAT_UNALIGNED, 4, value);
    return data;
  }
}
