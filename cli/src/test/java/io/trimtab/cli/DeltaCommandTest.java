package io.trimtab.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.trimtab.delta.Delta;
import io.trimtab.delta.DeltaFiles;
import io.trimtab.delta.DeltaMethods;
import io.trimtab.hub.ModelDirectory;
import io.trimtab.model.Model;
import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DeltaCommandTest {
  @TempDir static Path folder = Path.of("");
  private static String model = "";
  private static String registry = "";
  private static String first = "";
  private static String second = "";
  private static String loha = "";

  @BeforeAll
  static void write() throws IOException {
    Path directory = TinyBert.write(folder, 1);
    model = directory.toString();
    registry = folder.resolve("deltas").toString();
    first = save("first", "lora", 1);
    second = save("second", "lora", 2);
    loha = save("loha", "loha", 3);
    Files.writeString(Path.of(first, "task.json"), "{}");
  }

  private static String save(String name, String method, long seed) {
    ModelDirectory found = ModelDirectory.of(Path.of(model));
    Path target = folder.resolve(name);
    try (Model base = Model.build(model, found.config(), found.tensors(), DType.F32, Device.CPU);
        Delta delta =
            DeltaMethods.named(method)
                .fromOptions(Map.of("rank", "2"), base)
                .attach(base, Rng.seeded(seed))) {
      Rng rng = Rng.seeded(seed + 10);
      delta
          .parameters()
          .forEach(
              parameter -> {
                try (Scope _ = Scope.open()) {
                  Tensor value = parameter.value().detach();
                  parameter.assign(
                      Arithmetic.add(value, rng.normal(0.1, DType.F32, Device.CPU, value.shape())));
                }
              });
      DeltaFiles.save(delta, target);
    }
    return target.toString();
  }

  private static Run delta(String command, String... args) {
    return Run.of(List.of("delta", command, "--registry", registry), args);
  }

  private static String fresh(String name) {
    return folder.resolve(name).toString();
  }

  @Test
  void methodsAreListedWithOptions() {
    Run run = Run.of("delta", "methods", "--json");
    List<?> methods = Run.list(run.succeeded().json(), "methods");
    assertThat(methods).hasSizeGreaterThan(20);
    Object lora =
        methods.stream().filter(one -> Run.get(one, "name").equals("lora")).findFirst().get();
    assertThat(Run.get(lora, "peft_type")).isEqualTo("LORA");
    assertThat(Run.get(lora, "merges")).isEqualTo(true);
    assertThat(Run.number(lora, "rate")).isEqualTo(1e-3);
    assertThat(Run.list(lora, "options"))
        .extracting(option -> Run.get(option, "name"))
        .contains("rank", "alpha", "targets", "save");
    assertThat(run.err()).contains("Hu et al.", "cannot be merged");
  }

  @Test
  void addListShowAndVerifyGoTogether() throws IOException {
    Map<?, ?> added =
        delta(
                "add",
                first,
                "--name",
                "tickets:v1",
                "--metric",
                "f1=0.5",
                "--licence",
                "mit",
                "--about",
                "For tests.",
                "--json")
            .succeeded()
            .json();
    assertThat(Run.list(added, "names")).map(String::valueOf).containsExactly("tickets:v1");
    String id = String.valueOf(added.get("id"));
    Map<?, ?> listed = delta("list", "--json").succeeded().json();
    assertThat(Run.list(listed, "deltas")).extracting(one -> Run.get(one, "id")).contains(id);
    Run shown = delta("show", "tickets:v1", "--json");
    assertThat(Run.number(shown.succeeded().json(), "metrics", "f1")).isEqualTo(0.5);
    assertThat(shown.err()).contains("license: mit", "For tests.");
    Map<?, ?> fine = delta("verify", id.substring(0, 8), "--json").succeeded().json();
    assertThat(fine.get("ok")).isEqualTo(true);
    assertThat(Run.number(fine, "hashes")).isEqualTo(3);
    assertThat(Run.number(fine, "base_tensors")).isEqualTo(4);

    String other = TinyBert.write(folder, 2).toString();
    Run wrong = delta("verify", "tickets:v1", "--model", other, "--json");
    assertThat(wrong.code()).isEqualTo(1);
    assertThat(Run.list(wrong.json(), "base_differences")).hasSize(4);
    assertThat(wrong.err()).contains("base: bert.encoder.layer.0.attention.self.query.weight");
    Run none = delta("show", "tickets:v9");
    assertThat(none.code()).isEqualTo(1);
    assertThat(none.err().lines()).singleElement().asString().contains("tickets:v1");
  }

  @Test
  void aDeltaIsMergedIntoAModel() {
    String out = fresh("merged-model");
    Map<?, ?> result =
        delta("merge", first, "--out", out, "--text", "the film was lovely", "--json")
            .succeeded()
            .json();
    assertThat(Run.number(result, "changed_tensors")).isEqualTo(4);
    assertThat(Run.number(result, "largest_difference"))
        .isLessThan(1e-5 * (1 + Run.number(result, "largest_result")));
    assertThat(Run.of("fill", "--model", out, "--text", "the [MASK] was lovely").code()).isZero();
    Run again = delta("merge", first, "--out", out);
    assertThat(again.code()).isEqualTo(1);
    assertThat(again.err()).contains("new or empty directory");
  }

  @Test
  void severalLorasBecomeOneAndRememberTheirParents() throws IOException {
    String out = fresh("merged-delta");
    Map<?, ?> result =
        delta(
                "merge",
                first,
                second,
                "--into",
                "delta",
                "--weights",
                "0.75,-0.25",
                "--out",
                out,
                "--name",
                "both",
                "--json")
            .succeeded()
            .json();
    assertThat(Run.number(result, "largest_distance")).isLessThan(1e-5);
    assertThat(Path.of(out)).isDirectoryContaining("glob:**README.md");
    assertThat(Path.of(out, "task.json")).exists();
    Object shown = delta("show", "both", "--json").succeeded().json();
    assertThat(Run.list(shown, "parents"))
        .extracting(one -> Run.get(one, "delta"), one -> Run.number(one, "weight"))
        .containsExactly(
            org.assertj.core.api.Assertions.tuple(first, 0.75),
            org.assertj.core.api.Assertions.tuple(second, -0.25));
    Map<?, ?> cut =
        delta(
                "merge",
                first,
                second,
                "--into",
                "delta",
                "--way",
                "svd",
                "--rank",
                "1",
                "--out",
                fresh("cut"),
                "--json")
            .succeeded()
            .json();
    assertThat(Run.number(cut, "least_energy")).isBetween(0.1, 0.999);
  }

  @Test
  void aDeltaIsConvertedAndExported() {
    String out = fresh("converted");
    Map<?, ?> result =
        delta("convert", loha, "--energy", "0.9", "--out", out, "--json").succeeded().json();
    assertThat(Run.number(result, "least_energy")).isGreaterThanOrEqualTo(0.9);
    assertThat(Run.list(result, "layers")).hasSize(4);
    List<?> programs = Run.list(delta("lint", out, "--json").succeeded().json(), "programs");
    assertThat(programs)
        .filteredOn(one -> Run.get(one, "program").equals("PEFT"))
        .extracting(one -> Run.get(one, "status"))
        .containsExactly("loads");
    assertThat(Run.list(delta("lint", loha, "--json").json(), "programs"))
        .filteredOn(one -> Run.get(one, "program").equals("vLLM"))
        .extracting(one -> Run.get(one, "status"))
        .containsExactly("refused");

    Map<?, ?> exported =
        delta("export", out, "--out", fresh("exported"), "--json").succeeded().json();
    assertThat(exported.get("format")).isEqualTo("peft");
    Run unknown = delta("export", out, "--out", fresh("x"), "--format", "floppy");
    assertThat(unknown.code()).isEqualTo(1);
    assertThat(unknown.err()).contains("floppy", "peft");
  }

  @Test
  void misuseIsSaid() {
    String out = fresh("never");
    assertThat(delta("merge", first, "--out", out, "--way", "svd").code()).isEqualTo(2);
    assertThat(delta("merge", first, "--into", "delta", "--out", out).code()).isEqualTo(2);
    assertThat(delta("merge", first, second, "--weights", "1", "--out", out).code()).isEqualTo(2);
    assertThat(delta("merge", first, second, "--way", "glue", "--out", out).err())
        .contains("glue", "dare_ties");
    assertThat(delta("convert", loha, "--rank", "2", "--energy", "1", "--out", out).code())
        .isEqualTo(2);
    assertThat(delta("add", first, "--name", "a/b").code()).isEqualTo(1);
    assertThat(Run.of("delta").code()).isEqualTo(2);
    assertThat(Path.of(out)).doesNotExist();
  }
}
