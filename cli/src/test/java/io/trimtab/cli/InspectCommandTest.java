package io.trimtab.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.trimtab.delta.Delta;
import io.trimtab.delta.DeltaFiles;
import io.trimtab.delta.Movement;
import io.trimtab.delta.lora.Lora;
import io.trimtab.hub.ModelDirectory;
import io.trimtab.model.Model;
import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InspectCommandTest {
  @TempDir static Path folder = Path.of("");
  private static String model = "";
  private static String run = "";

  @BeforeAll
  static void write() throws IOException {
    Path directory = TinyBert.write(folder, 1);
    model = directory.toString();
    Path saved = folder.resolve("run");
    run = saved.toString();
    ModelDirectory found = ModelDirectory.of(directory);
    try (Model base = Model.build(model, found.config(), found.tensors(), DType.F32, Device.CPU);
        Delta delta = Lora.rank(2).attach(base, Rng.seeded(1))) {
      delta
          .parameters()
          .forEach(
              parameter -> {
                try (Scope _ = Scope.open()) {
                  double more = parameter.name().contains(".1.") ? 0.2 : 0.1;
                  parameter.assign(Arithmetic.add(parameter.value().detach(), more));
                }
              });
      DeltaFiles.save(delta, saved.resolve("delta"));
    }
  }

  @Test
  void anAddressIsShownByReportAndTree() {
    Run shown =
        Run.of("inspect", "--model", model, "--address", "@attn.q, output.dense - 1.output.dense");
    assertThat(shown.succeeded().out().lines().map(String::strip))
        .contains(
            "@attn.q,output.dense - 1.output.dense hits 5 places of "
                + model
                + " with 5,792 numbers",
            "bert.encoder.layer.{0-1}.attention.self.query  Linear [32, 32]  2 ×",
            "bert.encoder.layer.0.output.dense  Linear [32, 48]",
            "dense  1,568  hit",
            "dense  1,568");
    Map<?, ?> json =
        Run.of("inspect", "--model", model, "--address", "query layers=last:1", "--json")
            .succeeded()
            .json();
    assertThat(json.get("address")).isEqualTo("query layers=last:1");
    assertThat(Run.list(json, "hits"))
        .map(String::valueOf)
        .containsExactly("bert.encoder.layer.1.attention.self.query");
  }

  @Test
  void aPartThatHitsNothingFailsAfterTheReport() {
    Run shown = Run.of("inspect", "--model", model, "--address", "query,v_proj");
    assertThat(shown.code()).isEqualTo(1);
    assertThat(shown.out())
        .contains("hits 2 places", "misses", "v_proj: this model calls it value");
    assertThat(shown.err().lines()).singleElement().asString().contains("v_proj", "@attn.v");
    Run wrong = Run.of("inspect", "--model", model, "--address", "query,,value");
    assertThat(wrong.code()).isEqualTo(1);
    assertThat(wrong.err().lines()).singleElement().asString().contains("at column 7");
  }

  @Test
  void aTrainedDeltaShowsHowFarItMoved() throws IOException {
    Path page = folder.resolve("pages").resolve("moved.html");
    Run shown = Run.of("inspect", "--adapter", run, "--html", page.toString(), "--json");
    Map<?, ?> json = shown.succeeded().json();
    assertThat(json.get("model")).isEqualTo(model);
    assertThat(json.get("html")).isEqualTo(page.toString());
    List<?> movement = Run.list(json, "movement");
    assertThat(movement).hasSize(4);
    assertThat(Run.get(movement.getFirst(), "tensor"))
        .isEqualTo("bert.encoder.layer.0.attention.self.query.weight");
    for (Object one : movement) {
      assertThat(Run.number(one, "relative"))
          .isPositive()
          .isEqualTo(Run.number(one, "change") / Run.number(one, "weight"));
    }
    // Blocks that moved unlike far are one line still.
    assertThat(shown.err())
        .contains("0–1 (2 ×)")
        .containsPattern("query  1,056  delta \\+128  moved [\\d.]+–[\\d.]+ %")
        .doesNotContain("predicted memory");
    String html = Files.readString(page);
    assertThat(html)
        .startsWith("<!DOCTYPE html>")
        .contains("How far each layer moved", "0–1 <span class=\"soft\">2 ×</span>", "dot delta")
        .contains("bert.encoder.layer.*.attention.self.query.weight")
        .doesNotContain("<script", "http:", "https:", "src=", "@import", "url(");
    try (var files = Files.list(page.getParent())) {
      assertThat(files).containsExactly(page);
    }
  }

  @Test
  void tunedFrozenAndBesideAreToldApart() throws IOException {
    Path page = folder.resolve("bitfit.html");
    Run shown = Run.of("inspect", "--model", model, "--delta", "bitfit", "--html", page.toString());
    assertThat(shown.succeeded().out())
        .contains("query  1,056  tuned 32", "predicted memory")
        .doesNotContain("delta +", "moved");
    assertThat(Files.readString(page))
        .contains("class=\"dot tuned\"></span>query", "class=\"dot frozen\"></span>word_embeddings")
        .doesNotContain("How far each layer moved");
  }

  @Test
  void targetsTakeWholeAddresses() {
    for (String options :
        List.of("lora:rank=2,targets=query,value layers=1", "lora:targets=query,layers=1,rank=2")) {
      Run shown = Run.of("inspect", "--model", model, "--delta", options, "--json");
      assertThat(Run.list(shown.succeeded().json(), "tuned_layers"))
          .map(String::valueOf)
          .isNotEmpty()
          .allMatch(path -> path.startsWith("bert.encoder.layer.1."));
    }
  }

  @Test
  void misuseIsSaid() throws IOException {
    assertThat(Run.of("inspect").code()).isEqualTo(2);
    assertThat(Run.of("inspect").err()).contains("neither --model nor --adapter");
    Run both = Run.of("inspect", "--adapter", run, "--rank", "2");
    assertThat(both.code()).isEqualTo(2);
    assertThat(both.err()).contains("--adapter together with a new delta");
    Path empty = Files.createDirectories(folder.resolve("empty"));
    Run none = Run.of("inspect", "--adapter", empty.toString());
    assertThat(none.code()).isEqualTo(1);
    assertThat(none.err()).contains("adapter_config.json");
  }

  @Test
  void namesFromFilesAreEscaped() {
    String odd = "<script>\"x\" & 'y'";
    Movement one = new Movement("a." + odd + ".weight", 1, 2, true);
    ModelTree tree = new ModelTree();
    tree.mark(List.of(one));
    String html = InspectHtml.render(odd, odd, Map.of(odd, odd), tree, List.of(one));
    assertThat(html)
        .doesNotContain("<script>")
        .contains("&lt;script&gt;&quot;x&quot; &amp; &#39;y&#39;");
  }
}
