package io.trimtab.delta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trimtab.hub.ModelConfig;
import io.trimtab.model.Model;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class PeftTargetsTest {
  private static final String LAYER = "bert.encoder.layer.";

  @TempDir Path directory = Path.of("");
  private Model model;

  @BeforeEach
  void open() {
    model = TinyModels.maskedLm(directory);
  }

  @AfterEach
  void close() {
    model.close();
  }

  private Address read(String json) throws IOException {
    Path file = directory.resolve("adapter_config.json");
    Files.writeString(file, json);
    return PeftTargets.read(ModelConfig.read(file));
  }

  private List<String> hits(Address address) {
    return address.resolveLeniently(model).stream().map(layer -> layer.path()).toList();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '`',
      value = {
        "{'target_modules': ['query', 'score']} ; {0,1}.attention.self.query",
        "{'target_modules': '.*\\\\.(query|key)'} ; {0,1}.attention.self.{query,key}",
        "{'target_modules': '.*(?P<part>query)'} ; {0,1}.attention.self.query",
        "{'target_modules': ['query'], 'layers_to_transform': 1} ; 1.attention.self.query",
        "{'target_modules': ['query'], 'layers_to_transform': [1], 'layers_pattern': 'layer'}"
            + " ; 1.attention.self.query",
        "{'target_modules': ['query'], 'layers_to_transform': [1], 'layers_pattern': ''}"
            + " ; 1.attention.self.query",
        "{'target_modules': ['query', 'bert.encoder.layer.0.attention.self.key'],"
            + " 'layers_to_transform': [1]} ; {1.attention.self.query,0.attention.self.key}",
        "{'target_modules': ['query', 'key'], 'exclude_modules': ['0.attention.self.key']}"
            + " ; {0.attention.self.query,1.attention.self.query,1.attention.self.key}",
        "{'target_modules': ['query'], 'exclude_modules': '.*\\\\.0\\\\..*'} ;"
            + " 1.attention.self.query",
        "{'target_modules': ['query'], 'exclude_modules': ['nothing']} ;"
            + " {0,1}.attention.self.query",
        "{'target_modules': 'ALL-linear', 'exclude_modules': '.*dense'}"
            + " ; {0,1}.attention.self.{query,key,value}",
      })
  void readsAsPeftDoes(String json, String expected) throws IOException {
    assertThat(hits(read(json.replace('\'', '"'))))
        .containsExactlyInAnyOrderElementsOf(TinyFamilies.expand(LAYER + expected));
  }

  /** Random settings and what PEFT 0.21.2's own {@code check_target_module_exists} says of them. */
  @Test
  void hitsAreThoseOfPeftItself() throws IOException {
    JsonNode cases;
    try (InputStream in = PeftTargetsTest.class.getResourceAsStream("peft-targets.json")) {
      cases = JsonMapper.shared().readTree(Objects.requireNonNull(in));
    }
    assertThat(cases.size()).isGreaterThan(100);
    try (TinyFamilies models = new TinyFamilies()) {
      for (JsonNode one : cases) {
        List<String> expected = one.get("hits").valueStream().map(JsonNode::asString).toList();
        Address address = read(one.get("config").toString());
        assertThat(address.dryRun(models.get(one.get("model").asString())).paths())
            .as(one.toString())
            .containsExactlyInAnyOrderElementsOf(expected);
      }
    }
  }

  @Test
  void aListHasNoPatternsInPeft() {
    assertThatThrownBy(() -> hits(read("{\"target_modules\": [\"q*\", \"all-linear\"]}")))
        .isInstanceOf(DeltaException.NoMatch.class);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "query,value",
        "query",
        "[f].*query",
        "[r]layer\\.1\\..*(query|key)",
        "[f]\\Qbert.encoder.layer.0.attention.self.key\\E",
        "all-linear",
        "query,key - 0.attention.self.key",
        "query,key exclude=[f].*1.*key",
        "(query,key layers_to_transform=0 layers_pattern=\"layer\") - key, value",
        "query,key layers_to_transform=1",
        "[f].*query layers_to_transform=1",
        "query layers=last:1",
        "q*,@attn.v",
        "all-linear - @ff",
      })
  void whatIsWrittenIsReadAsTheSameLayers(String text) throws IOException {
    Address address = Address.parse(text);
    Map<String, Object> config = new LinkedHashMap<>();
    PeftTargets.write(address, model, config);
    Address again = read(JsonMapper.shared().writeValueAsString(config));
    assertThat(hits(again)).isEqualTo(hits(address)).isNotEmpty();
  }

  @Test
  void peftsOwnTermsAreUsedWhereTheyFit() {
    Map<String, Object> config = new LinkedHashMap<>();
    PeftTargets.write(
        Address.parse("query,value")
            .excluding(List.of("0.attention.self.query"))
            .inBlocks(List.of(0), List.of("layer")),
        model,
        config);
    assertThat(config)
        .containsExactlyInAnyOrderEntriesOf(
            Map.of(
                "target_modules",
                List.of("query", "value"),
                "exclude_modules",
                List.of("0.attention.self.query"),
                "layers_to_transform",
                List.of(0),
                "layers_pattern",
                List.of("layer")));
  }
}
