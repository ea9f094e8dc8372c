package io.trimtab.delta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.trimtab.delta.Address.Hit;
import io.trimtab.delta.Address.Kind;
import io.trimtab.hub.ModelConfig;
import io.trimtab.hub.Safetensors;
import io.trimtab.hub.TensorFile;
import io.trimtab.model.Model;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** OpenDelta's own configurations, against the places that its checkpoints have tensors at. */
class OpenDeltaTargetsTest {
  private static final TinyFamilies MODELS = new TinyFamilies();

  @AfterAll
  static void close() {
    MODELS.close();
  }

  static Stream<String> cases() {
    List<String> cases =
        TinyModels.fixtures("opendelta").stream()
            .map(Path::toString)
            .filter(path -> path.contains("bert") && !path.contains("softprompt"))
            .toList();
    return cases.isEmpty() ? Stream.of("missing") : cases.stream();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void namesHitTheModulesThatOpenDeltaChanged(String directory) {
    assumeTrue(!directory.equals("missing"), "skipped: no recorded cases of OpenDelta");
    Path path = Path.of(directory);
    ModelConfig config = ModelConfig.read(path.resolve("config.json"));
    Model model = MODELS.get(config.text("backbone_checkpoint_name"));
    String type = config.text("delta_type");
    Address address = OpenDeltaTargets.read(config);
    Kind kind =
        switch (type) {
          case "bitfit" -> Kind.LAYERS;
          case "lora" -> Kind.PROJECTIONS;
          default -> Kind.MODULES;
        };
    Set<String> hits = new TreeSet<>();
    address.findLeniently(model, kind).stream().map(Hit::path).forEach(hits::add);
    if (type.equals("parallel_adapter")) { // the second of each pair gets no tensors
      hits.removeIf(hit -> hit.endsWith(".output.dense"));
    }
    if (directory.endsWith("prefix-bert")) { // one network for all layers, kept at the first
      hits.removeIf(hit -> !hit.contains(".0."));
    }
    assertThat(hits).isEqualTo(changed(path, type));
  }

  /** The modules that a checkpoint's tensors are named after. */
  private static Set<String> changed(Path directory, String type) {
    String own =
        switch (type) {
          case "bitfit" -> "bias";
          case "compacter" -> "compactor\\..*";
          case "prefix" -> "(prefix|reparams)\\..*";
          default -> type + "\\..*";
        };
    Set<String> modules = new TreeSet<>();
    try (TensorFile file = Safetensors.open(directory.resolve("delta.safetensors"))) {
      file.names().forEach(name -> modules.add(name.replaceFirst("\\." + own + "$", "")));
    }
    assertThat(modules).isNotEmpty();
    return modules;
  }

  @Test
  void whatIsUsualIsSpelledAsOpenDeltaSpellsIt() {
    Model model = MODELS.get("distilbert");
    Address lora = Address.parse(String.join(",", OpenDeltaTargets.usual("lora")));
    assertThat(lora.dryRun(model).paths())
        .containsExactlyElementsOf(
            TinyFamilies.expand("distilbert.transformer.layer.{0-2}.attention.{q_lin,v_lin}"));
    assertThatThrownBy(() -> OpenDeltaTargets.usual("soft_prompt"))
        .isInstanceOf(DeltaException.class)
        .hasMessageContaining("soft_prompt");
    assertThat(OpenDeltaTargets.entry("[r]a, b")).hasToString("[r]\"a, b\"");
  }
}
