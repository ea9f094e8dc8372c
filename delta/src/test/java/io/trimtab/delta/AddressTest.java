package io.trimtab.delta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trimtab.model.Model;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AddressTest {
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

  private List<String> hits(Address address) {
    return address.dryRun(model).paths();
  }

  @Test
  void aSuffixStartsAtADot() {
    assertThat(hits(Address.suffixes(List.of("query"))))
        .containsExactly(LAYER + "0.attention.self.query", LAYER + "1.attention.self.query");
    assertThat(hits(Address.suffixes(List.of("uery")))).isEmpty();
    assertThat(hits(Address.suffixes(List.of("1.output.dense"))))
        .containsExactly(LAYER + "1.output.dense");
  }

  @Test
  void hitsComeInTheOrderOfComputationAndOnce() {
    assertThat(hits(Address.parse("value, query,self.query")))
        .containsExactly(
            LAYER + "0.attention.self.query",
            LAYER + "0.attention.self.value",
            LAYER + "1.attention.self.query",
            LAYER + "1.attention.self.value");
  }

  @Test
  void aRegularExpressionIsOverTheWholePath() {
    assertThat(hits(Address.parse("[r].*1\\..*(query|key)")))
        .containsExactly(LAYER + "1.attention.self.query", LAYER + "1.attention.self.key");
    assertThat(hits(Address.regex("query"))).isEmpty();
  }

  @Test
  void allLinearLeavesOutWhatGivesTheResult() {
    List<String> hits = hits(Address.parse(Address.ALL_LINEAR));
    assertThat(hits)
        .hasSize(2 * 6 + 1)
        .contains("cls.predictions.transform.dense")
        .doesNotContain("cls.predictions.decoder");
  }

  @Test
  void embeddingsAreHitByName() {
    assertThat(hits(Address.parse("word_embeddings")))
        .containsExactly("bert.embeddings.word_embeddings");
  }

  @Test
  void layersAreLeftOutBySuffixAndByRegularExpression() {
    Address dense = Address.parse("dense");
    assertThat(hits(dense.excluding(List.of("intermediate.dense", "transform.dense"))))
        .hasSize(4)
        .noneMatch(path -> path.contains("intermediate") || path.contains("transform"));
    assertThat(hits(dense.excludingRegex(".*\\.0\\..*|cls.*")))
        .hasSize(3)
        .allMatch(path -> path.startsWith(LAYER + "1."));
  }

  @Test
  void blocksAreTheFirstNumberAfterTheName() {
    Address query = Address.parse("query");
    String second = LAYER + "1.attention.self.query";
    assertThat(hits(query.inBlocks(List.of(1)))).containsExactly(second);
    assertThat(hits(query.inBlocks(List.of(1), List.of("layer")))).containsExactly(second);
    assertThat(hits(query.inBlocks(List.of(1), List.of("experts", "layer"))))
        .containsExactly(second);
    assertThat(hits(query.inBlocks(List.of(1), List.of("experts")))).isEmpty();
    assertThat(hits(query.inBlocks(List.of(7)))).isEmpty();
  }

  @Test
  void aWholePathIsHitInEveryBlock() {
    String path = LAYER + "0.attention.self.query";
    assertThat(hits(Address.suffixes(List.of(path, "key")).inBlocks(List.of(1))))
        .containsExactly(path, LAYER + "1.attention.self.key");
  }

  @Test
  void aNameThatHitsNothingIsAnErrorWithWhatIsNear() {
    assertThatThrownBy(() -> Address.parse("query,valeu").resolve(model))
        .isInstanceOf(DeltaException.NoMatch.class)
        .hasMessageContaining("valeu")
        .hasMessageContaining("bert.encoder.layer.*.attention.self.value")
        .hasMessageNotContaining("matches query");
    assertThatThrownBy(() -> Address.regex("nothing.*").resolve(model))
        .isInstanceOf(DeltaException.NoMatch.class)
        .hasMessageContaining("nothing.*");
    assertThatThrownBy(() -> Address.parse("query").excluding(List.of("query")).resolve(model))
        .isInstanceOf(DeltaException.NoMatch.class);
  }

  @Test
  void aDryRunReportsAndNeverFails() {
    Address.Resolution resolution = Address.parse("query,valeu").dryRun(model);
    assertThat(resolution.hits()).hasSize(2);
    assertThat(resolution.misses()).containsExactly("valeu");
  }

  @Test
  void lenientlyOneHitIsEnough() {
    assertThat(Address.parse("query,score").resolveLeniently(model)).hasSize(2);
    assertThatThrownBy(() -> Address.parse("score").resolveLeniently(model))
        .isInstanceOf(DeltaException.NoMatch.class);
  }

  @Test
  void whatCannotBeAnAddressIsRefused() {
    assertThatThrownBy(() -> Address.regex("layer.(")).hasMessageContaining("regular expression");
    assertThatThrownBy(() -> Address.suffixes(List.of()))
        .isInstanceOf(DeltaException.class)
        .hasMessageContaining("at least one name");
    assertThatThrownBy(() -> Address.parse(" ")).isInstanceOf(DeltaException.class);
  }
}
