package io.trimtab.hub.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.trimtab.hub.ModelConfig;
import io.trimtab.hub.ModelDirectory;
import io.trimtab.hub.TensorFile;
import io.trimtab.hub.TestDamage;
import io.trimtab.hub.blocks.BlockFormat;
import io.trimtab.tensor.TrimtabException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.lifecycle.AfterContainer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Whole models in GGUF files, read as llama.cpp reads them, and damaged in every entry. */
class GgufModelTest {
  private static final Path damaged = TestDamage.temporaryDirectory();

  @TempDir Path directory = Path.of("");

  @AfterContainer
  static void deleteDirectory() {
    TestDamage.deleteAll(damaged);
  }

  private GgufModel open(String name, Consumer<TinyGguf> change) {
    TinyGguf tiny = TinyGguf.of(name);
    change.accept(tiny);
    Path file = directory.resolve("model.gguf");
    tiny.write(file);
    return GgufModel.open(file);
  }

  private ModelConfig rope(String name, Consumer<TinyGguf> change) {
    return open(name, change).config().section("rope_parameters");
  }

  private void refused(String name, Consumer<TinyGguf> change, String expected) {
    assertThatThrownBy(() -> readWhole(open(name, change)))
        .isInstanceOf(TrimtabException.class)
        .hasMessageContaining(expected);
  }

  private static void readWhole(GgufModel model) {
    assertThat(model.config().json()).isNotEmpty();
    assertThat(model.tokenizerJson()).isNotNull();
    assertThat(model.tokenizerConfig()).isNotNull();
    try (TensorFile tensors = model.tensors()) {
      for (String name : tensors.names()) {
        assertThat(tensors.bytes(name).byteSize()).isEqualTo(tensors.info(name).byteSize());
        tensors.quantized(name);
        tensors.release(name);
      }
    }
  }

  static java.util.stream.Stream<String> names() {
    return TinyGguf.names();
  }

  @ParameterizedTest
  @MethodSource("names")
  void validFilesAreReadWhole(String name) {
    readWhole(open(name, tiny -> {}));
  }

  /** Every entry with every kind of wrong value: an error of one line, or none at all. */
  @ParameterizedTest
  @MethodSource("names")
  void noEntryBreaksMoreThanTheFile(String name) {
    List<GgufValue> hostile = new ArrayList<>();
    for (long whole : new long[] {0, 3, 1L << 31, 0xFFFF_FFFFL}) {
      hostile.add(GgufValue.count(whole));
    }
    for (long whole : new long[] {-1, Long.MAX_VALUE}) {
      hostile.add(new GgufValue.Whole(GgufType.I64, whole));
    }
    for (double real : new double[] {0, -1, Double.NaN}) {
      hostile.add(GgufValue.real(real));
    }
    hostile.add(GgufValue.text("none"));
    hostile.add(GgufValue.flag(false));
    hostile.add(new GgufValue.Items(GgufType.BOOL, List.of(GgufValue.flag(true))));
    hostile.add(new GgufValue.Items(GgufType.TEXT, List.of(GgufValue.text(""))));
    List<String> keys = new ArrayList<>(TinyGguf.of(name).metadata().keySet());
    String architecture = name.equals("mixtral") ? "llama" : name;
    for (String optional :
        List.of(
            "rope.freq_base",
            "rope.dimension_count",
            "rope.scaling.type",
            "rope.scaling.factor",
            "rope.scaling.attn_factor",
            "rope.scaling.original_context_length",
            "attention.key_length",
            "attention.value_length",
            "attention.sliding_window_pattern",
            "expert_count")) {
      keys.add(architecture + "." + optional);
    }
    keys.addAll(List.of("tokenizer.ggml.eot_token_id", "tokenizer.ggml.add_eos_token"));
    int refused = 0;
    for (String key : keys) {
      for (GgufValue value : hostile) {
        refused += refusals(name, tiny -> tiny.put(key, value));
      }
      refused += refusals(name, tiny -> tiny.without(key));
    }
    assertThat(refused).isPositive();
  }

  /** Every tensor in every wrong shape. */
  @ParameterizedTest
  @MethodSource("names")
  void noShapeBreaksMoreThanTheFile(String name) {
    long[][] shapes = {{32}, {1, 32}, {7, 32}, {32, 64}, {3, 5, 32}, {2, 2, 2, 32}};
    BlockFormat[] formats = {BlockFormat.F32, BlockFormat.F16, BlockFormat.Q4_0};
    int turn = 0;
    for (String tensor : TinyGguf.of(name).tensors().keySet()) {
      for (long[] shape : shapes) {
        var filled = new TinyGguf.Filled(formats[turn++ % formats.length], shape);
        refusals(name, tiny -> tiny.tensors().put(tensor, filled));
      }
      refusals(name, tiny -> tiny.without(tensor));
    }
    refused(
        name,
        tiny -> tiny.tensors().put("blk.0.nothing.weight", new TinyGguf.Filled(BlockFormat.F32, 1)),
        "nothing");
  }

  private int refusals(String name, Consumer<TinyGguf> change) {
    try {
      readWhole(open(name, change));
      return 0;
    } catch (TrimtabException e) {
      assertThat(e).message().isNotEmpty().hasLineCount(1);
      return 1;
    }
  }

  @Property(tries = 1000)
  void damagedModelsAreRefusedOrReadWhole(
      @ForAll("names") String name, @ForAll("damage") TestDamage damage) throws IOException {
    Path valid = damaged.resolve(name + ".gguf");
    if (!Files.exists(valid)) {
      TinyGguf.of(name).write(valid);
    }
    Path file = damaged.resolve("damaged.gguf");
    Files.write(file, damage.apply(Files.readAllBytes(valid)));
    try {
      readWhole(GgufModel.open(file));
    } catch (TrimtabException e) {
      assertThat(e).message().isNotEmpty().hasLineCount(1);
    }
  }

  @Provide("names")
  Arbitrary<String> someNames() {
    return Arbitraries.of(TinyGguf.names().toList());
  }

  @Provide
  Arbitrary<TestDamage> damage() {
    return TestDamage.some();
  }

  @Test
  void sizesThatDoNotGoTogetherAreNamed() {
    refused(
        "llama",
        plain().andThen(it -> it.put("llama.attention.head_count", GgufValue.count(5))),
        "blk.0.attn_q.weight has the shape [32, 32]; expected rows that 5 heads share");
    refused(
        "gptneox",
        tiny -> tiny.put("gptneox.attention.head_count", GgufValue.count(64)),
        "more heads than numbers");
    refused(
        "mixtral",
        tiny ->
            tiny.tensors()
                .put("blk.0.ffn_up_exps.weight", new TinyGguf.Filled(BlockFormat.Q8_0, 4, 32)),
        "expected a matrix");
    refused(
        "llama",
        tiny -> tiny.put("llama.block_count", GgufValue.count(1 << 30)),
        "tensors for 1073741824 blocks");
    refused(
        "gemma3",
        tiny ->
            tiny.put(
                "gemma3.attention.sliding_window_pattern",
                new GgufValue.Items(GgufType.BOOL, List.of(GgufValue.flag(true)))),
        "expected 2 truth values, found 1");
  }

  @Test
  void windowsFollowThePattern() {
    String pattern = "gemma3.attention.sliding_window_pattern";
    assertThat(kinds(tiny -> {})).containsOnly("sliding_attention");
    assertThat(kinds(tiny -> tiny.put(pattern, GgufValue.count(2))))
        .containsExactly("sliding_attention", "full_attention");
    // llama.cpp takes 0 for windows everywhere.
    assertThat(kinds(tiny -> tiny.put(pattern, GgufValue.count(0))))
        .containsOnly("sliding_attention");
    assertThat(kinds(tiny -> tiny.without("gemma3.attention.sliding_window")))
        .containsOnly("full_attention");
  }

  private List<String> kinds(Consumer<TinyGguf> change) {
    return open("gemma3", change).config().texts("layer_types");
  }

  @Test
  void tokensThatAreNotThereAreNone() {
    for (long none : new long[] {0xFFFF_FFFFL, -1}) {
      GgufModel model =
          open(
              "gpt2",
              tiny ->
                  tiny.put("tokenizer.ggml.eos_token_id", new GgufValue.Whole(GgufType.I64, none)));
      assertThat(model.config().has("eos_token_id")).isFalse();
      assertThat(model.tokenizerConfig()).doesNotContainKey("eos_token");
    }
    refused(
        "gpt2",
        tiny -> tiny.put("tokenizer.ggml.eos_token_id", GgufValue.count(0xFFFF_FFFEL)),
        "expected a count of at least 0, found 4294967294");
  }

  @Test
  void whatEndsTurnsEndsTexts() {
    String eot = "tokenizer.ggml.eot_token_id";
    assertThat(
            open("gpt2", tiny -> tiny.put(eot, GgufValue.count(0)))
                .config()
                .integers("eos_token_id"))
        .containsExactly(2, 0);
    assertThat(
            open("gpt2", tiny -> tiny.put(eot, GgufValue.count(2)))
                .config()
                .integer("eos_token_id"))
        .isEqualTo(2);
  }

  @Test
  void longRopeKeepsItsFactor() {
    ModelConfig rope = rope("phi3", tiny -> {});
    assertThat(rope.text("rope_type")).isEqualTo("longrope");
    assertThat(rope.decimal("attention_factor")).isEqualTo(1.25);
    rope = rope("phi3", tiny -> tiny.without("phi3.rope.scaling.attn_factor"));
    assertThat(rope.decimal("attention_factor")).isEqualTo(1);
    refused(
        "phi3",
        tiny -> tiny.put("phi3.rope.scaling.factor", GgufValue.real(2)),
        "both factors for each wave and one for all");
  }

  /** llama.cpp's type is linear where a file names none. */
  @Test
  void aFactorWithoutATypeIsLinear() {
    for (String key : List.of("llama.rope.scaling.factor", "llama.rope.scale_linear")) {
      ModelConfig rope = rope("llama", plain().andThen(it -> it.put(key, GgufValue.real(4))));
      assertThat(rope.text("rope_type")).isEqualTo("linear");
      assertThat(rope.decimal("factor")).isEqualTo(4);
      rope =
          rope(
              "llama",
              plain()
                  .andThen(it -> it.put(key, GgufValue.real(4)))
                  .andThen(it -> it.put("llama.rope.scaling.type", GgufValue.text("none"))));
      assertThat(rope.text("rope_type")).isEqualTo("default");
    }
    assertThat(rope("llama", plain()).text("rope_type")).isEqualTo("default");
  }

  @Test
  void yarnSharpensAsLlamaCppDoes() {
    Consumer<TinyGguf> yarn =
        plain()
            .andThen(it -> it.put("llama.rope.scaling.type", GgufValue.text("yarn")))
            .andThen(it -> it.put("llama.rope.scaling.factor", GgufValue.real(4)));
    ModelConfig rope = rope("llama", yarn);
    assertThat(rope.has("attention_factor")).isFalse();
    assertThat(rope.integer("original_max_position_embeddings")).isEqualTo(16);
    rope =
        rope(
            "llama",
            yarn.andThen(it -> it.put("llama.rope.scaling.attn_factor", GgufValue.real(2))));
    assertThat(rope.decimal("attention_factor")).isCloseTo(2 + 0.2 * Math.log(4), within(1e-6));
  }

  @Test
  void otherScalingsAreRefused() {
    refused(
        "llama",
        plain().andThen(it -> it.put("llama.rope.scaling.type", GgufValue.text("ntk"))),
        "scaled by ntk");
    refused(
        "llama",
        plain().andThen(it -> it.put("llama.rope.scaling.attn_factor", GgufValue.real(2))),
        "without yarn or longrope");
  }

  private static Consumer<TinyGguf> plain() {
    return tiny -> tiny.without("rope_freqs.weight");
  }

  @Test
  void chatTemplatesHaveNames() {
    GgufModel model =
        open(
            "gpt2",
            tiny -> tiny.put("tokenizer.chat_template.tool_use", GgufValue.text("{{ tools }}")));
    assertThat(model.tokenizerConfig().get("chat_template"))
        .isEqualTo(
            List.of(
                Map.of("name", "default", "template", "{{ messages[0].content }}"),
                Map.of("name", "tool_use", "template", "{{ tools }}")));
    ModelDirectory found = ModelDirectory.of(directory.resolve("model.gguf"));
    assertThat(found.chatTemplates().sources()).containsOnlyKeys("default", "tool_use");
    Path again = directory.resolve("again.gguf");
    GgufExport.write(found, BlockFormat.F32, again);
    assertThat(ModelDirectory.of(again).chatTemplates()).isEqualTo(found.chatTemplates());
    try (GgufFile file = GgufFile.open(again)) {
      assertThat(file.metadata().texts("tokenizer.chat_templates")).containsExactly("tool_use");
    }
  }
}
