package io.trimtab.delta.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.trimtab.delta.Delta;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaFormats;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.TinyModels;
import io.trimtab.delta.ia3.Ia3;
import io.trimtab.delta.lora.Lora;
import io.trimtab.delta.lora.Starts;
import io.trimtab.model.Batch;
import io.trimtab.model.Model;
import io.trimtab.model.Pass;
import io.trimtab.tensor.Rng;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class GgufFormatTest {
  @TempDir Path directory = Path.of("");
  private Model model;
  private Path saved = Path.of("");

  @BeforeEach
  void open() {
    model = TinyModels.maskedLm(directory.resolve("tiny"));
    saved = directory.resolve("delta");
  }

  @AfterEach
  void close() {
    model.close();
  }

  static Stream<Arguments> kept() {
    return Stream.of(
        Arguments.of("plain", Lora.rank(4)),
        Arguments.of("rsLoRA", Lora.rank(4).rankStabilised(true)),
        Arguments.of(
            "ranks and alphas",
            Lora.rank(4).patterns(Map.of("query", 2), Map.of("layer.1.*value", 3.0))),
        Arguments.of("PiSSA", Lora.rank(4).start(Starts.PISSA)));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("kept")
  void comesBackWithTheSameLogits(String name, Lora lora) {
    Batch batch = TinyModels.batch();
    float[] expected;
    try (Delta delta = lora.attach(model, Rng.seeded(1))) {
      TinyModels.move(delta, 2);
      expected = TinyModels.numbers(model, batch, Pass.with(batch.layout(), delta.patches()));
      DeltaFormats.named("gguf").save(delta, saved);
    }
    float[] untuned = TinyModels.numbers(model, batch, Pass.plain(batch.layout()));
    for (Path path : new Path[] {saved, saved.resolve(GgufFormat.FILE)}) {
      try (Delta again = DeltaFormats.load(path, model)) {
        float[] found =
            TinyModels.numbers(model, batch, Pass.with(batch.layout(), again.patches()));
        double moved = 0;
        for (int i = 0; i < found.length; i++) {
          assertThat(found[i]).isEqualTo(expected[i], within(2e-5f));
          moved = Math.max(moved, Math.abs(expected[i] - untuned[i]));
        }
        assertThat(moved).isGreaterThan(1e-3);
      }
    }
  }

  static Stream<Arguments> refused() {
    return Stream.of(
        Arguments.of(Ia3.on("query"), "expected LoRA, which GGUF adapters hold alone"),
        Arguments.of(Lora.rank(2).saving("cls"), "modules_to_save"),
        Arguments.of(Lora.rank(2).dora(true), "use_dora"),
        Arguments.of(Lora.rank(2).outputBias(true), "the two matrices of linear layers alone"),
        Arguments.of(Lora.rank(2).on("word_embeddings"), "word_embeddings"));
  }

  @ParameterizedTest
  @MethodSource("refused")
  void refusesByName(DeltaSpec spec, String expected) {
    try (Delta delta = spec.attach(model, Rng.seeded(1))) {
      assertThatThrownBy(() -> DeltaFormats.named("gguf").save(delta, saved))
          .isInstanceOf(DeltaException.Unsupported.class)
          .hasMessageContaining(expected);
    }
    assertThat(saved.resolve(GgufFormat.FILE)).doesNotExist();
  }

  /** Whoever exports into the directory of a delta goes on loading the delta. */
  @Test
  void doesNotHideAnotherDelta() throws IOException {
    try (Delta peft = Ia3.on("query").attach(model, Rng.seeded(1));
        Delta lora = Lora.rank(2).attach(model, Rng.seeded(1))) {
      DeltaFormats.named("peft").save(peft, saved);
      DeltaFormats.named("gguf").save(lora, saved);
    }
    assertThat(DeltaFormats.of(saved).name()).isNotEqualTo("gguf");
    assertThat(DeltaFormats.of(saved.resolve(GgufFormat.FILE)).name()).isEqualTo("gguf");
    try (Delta delta = DeltaFormats.load(saved, model)) {
      assertThat(delta.spec().peftType()).isEqualTo("IA3");
    }
  }

  @Test
  void refusesAnotherBaseAndDamage() throws IOException {
    try (Delta delta = Lora.rank(2).attach(model, Rng.seeded(1))) {
      DeltaFormats.named("gguf").save(delta, saved);
    }
    try (Model other = TinyModels.maskedLm(directory.resolve("other"), 7)) {
      assertThatThrownBy(() -> DeltaFormats.load(saved, other).close())
          .isInstanceOf(DeltaException.BaseMismatch.class);
    }
    Path file = saved.resolve(GgufFormat.FILE);
    byte[] bytes = Files.readAllBytes(file);
    Files.write(file, java.util.Arrays.copyOf(bytes, bytes.length - 33));
    assertThatThrownBy(() -> DeltaFormats.load(saved, model).close())
        .hasMessageContaining("is cut off");
  }
}
