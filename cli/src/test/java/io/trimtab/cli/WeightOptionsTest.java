package io.trimtab.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What {@code --weights} and {@code quantize} do, on tiny models. */
class WeightOptionsTest {
  @TempDir private static Path folder;
  private static String bert = "";
  private static String llama = "";
  private static String table = "";

  @BeforeAll
  static void write() throws IOException {
    bert = TinyBert.write(folder, 1).toString();
    llama = TinyLlama.write(folder, 1).toString();
    StringBuilder rows = new StringBuilder("text,label\n");
    TinyBert.sentences(24, 3).forEach(row -> rows.append(String.join(",", row)).append('\n'));
    table = Files.writeString(folder.resolve("rows.csv"), rows).toString();
  }

  private static Map<?, ?> inspect(String model, String form) {
    return Run.of("inspect", "--model", model, "--weights", form, "--json").succeeded().json();
  }

  private static Run tune(String model, String out, String form) {
    return Run.of(
        "tune",
        "--model",
        model,
        "--train",
        table,
        "--test",
        table,
        "--out",
        out,
        "--template",
        "{text} It was {mask}.",
        "--verbalizer",
        "positive=lovely,negative=awful",
        "--epochs",
        "1",
        "--batch",
        "8",
        "--weights",
        form,
        "--json");
  }

  @ParameterizedTest
  @ValueSource(strings = {"bf16", "int8", "nf4"})
  void takesLessMemoryAndSaysSo(String form) {
    Map<?, ?> plain = inspect(bert, "auto");
    Map<?, ?> packed = inspect(bert, form);
    assertThat(Run.number(packed, "bytes")).isLessThan(Run.number(plain, "bytes"));
    assertThat(packed.get("parameters")).isEqualTo(plain.get("parameters"));
    assertThat(
            ((Map<?, ?>) Run.get(packed, "bytes_by_form")).keySet().stream().map(String::valueOf))
        .contains("f32", form);
    Map<?, ?> predicted =
        Run.of(
                "inspect",
                "--model",
                bert,
                "--weights",
                form,
                "--delta",
                "lora",
                "--batch",
                "1",
                "--length",
                "8",
                "--json")
            .succeeded()
            .json();
    Map<?, ?> before =
        Run.of(
                "inspect",
                "--model",
                bert,
                "--delta",
                "lora",
                "--batch",
                "1",
                "--length",
                "8",
                "--json")
            .succeeded()
            .json();
    assertThat(
            Run.number(before, "predicted_memory_bytes")
                - Run.number(predicted, "predicted_memory_bytes"))
        .isEqualTo(Run.number(plain, "bytes") - Run.number(packed, "bytes"));
  }

  @Test
  void aQuantizedModelIsTunedLikeOneThatIsHeldSo() throws IOException {
    String packed = folder.resolve("bert-nf4").toString();
    Map<?, ?> written =
        Run.of("quantize", "--model", bert, "--weights", "nf4", "--out", packed, "--json")
            .succeeded()
            .json();
    assertThat(written.get("layers")).isEqualTo(12);
    assertThat(Run.number(written, "bytes")).isLessThan(Run.number(written, "bytes_before"));
    String held = folder.resolve("run-held").toString();
    Map<?, ?> a = tune(bert, held, "nf4").succeeded().json();
    Map<?, ?> b = tune(packed, folder.resolve("run-read").toString(), "auto").succeeded().json();
    assertThat(a.get("losses")).isEqualTo(b.get("losses"));
    // One that was tuned on the packed model is one of the plain model's, and the other way round.
    Run.of("evaluate", "--adapter", held, "--model", packed, "--test", table).succeeded();
    Run.of("evaluate", "--adapter", held, "--model", bert, "--test", table).succeeded();
    Map<?, ?> verified =
        Run.of("delta", "verify", held, "--model", packed, "--json").succeeded().json();
    assertThat(verified.get("ok")).isEqualTo(true);
    // What is merged is plain.
    String merged = folder.resolve("merged").toString();
    Run.of("delta", "merge", held, "--model", packed, "--out", merged, "--text", "the film")
        .succeeded();
    assertThat(Files.readString(Path.of(merged, "config.json"))).doesNotContain("quantization");
    assertThat(((Map<?, ?>) Run.get(inspect(merged, "stored"), "bytes_by_form")).keySet().stream())
        .map(String::valueOf)
        .containsExactly("f32");
  }

  @Test
  void texts() {
    for (String form : List.of("auto", "bf16", "int8", "nf4", "stored")) {
      Run.of(
              "generate",
              "--model",
              llama,
              "--prompt",
              "the film",
              "--max-tokens",
              "4",
              "--weights",
              form)
          .succeeded();
    }
    Map<?, ?> exact =
        Run.of(
                "score",
                "--model",
                llama,
                "--prompt",
                "the film",
                "--continuation",
                " movie",
                "--json")
            .succeeded()
            .json();
    Map<?, ?> packed =
        Run.of(
                "score",
                "--model",
                llama,
                "--prompt",
                "the film",
                "--continuation",
                " movie",
                "--weights",
                "int8",
                "--json")
            .succeeded()
            .json();
    double one = Run.number(Run.list(exact, "scores").getFirst(), "log_probability");
    double other = Run.number(Run.list(packed, "scores").getFirst(), "log_probability");
    assertThat(other).isNotEqualTo(one).isCloseTo(one, within(0.1));
  }

  @Test
  void whatIsImpossibleIsSaidInOneLine() {
    Run form = Run.of("fill", "--model", bert, "--text", "the [MASK]", "--weights", "int3");
    assertThat(form.code()).isEqualTo(2);
    assertThat(form.err().lines()).singleElement().asString().contains("int3", "nf4");
    Run both =
        Run.of(
            "fill", "--model", bert, "--text", "the [MASK]", "--weights", "f32", "--dtype", "bf16");
    assertThat(both.code()).isEqualTo(2);
    assertThat(both.err().lines()).singleElement().asString().contains("--dtype bf16");
    String out = folder.resolve("never").toString();
    Run plain = Run.of("quantize", "--model", bert, "--out", out);
    assertThat(plain.code()).isEqualTo(2);
    assertThat(plain.err()).contains("--weights auto", "nf4");
    Run nested =
        Run.of("quantize", "--model", bert, "--out", out, "--weights", "int8", "--double-quant");
    assertThat(nested.code()).isEqualTo(2);
    Run odd = Run.of("quantize", "--model", bert, "--out", out, "--weights", "int4");
    assertThat(odd.code()).isEqualTo(1);
    assertThat(odd.err().lines()).singleElement().asString().contains("output.dense.weight", "48");
    assertThat(Path.of(out)).doesNotExist();
  }
}
