package io.trimtab.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.URI;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Real models out of the user's Maven repositories, with a hub that is out of reach. */
@Tag("proof")
class MavenProofTest {
  @TempDir Path temp;

  private HubOptions options() {
    return HubOptions.fromEnvironment(Map.of(), temp)
        .withEndpoint(URI.create("http://127.0.0.1:1"));
  }

  @Test
  void everyModelOfTheCatalogueComesFromMaven() {
    for (Catalogue.Entry entry : Catalogue.entries()) {
      if (!entry.elsewhere().startsWith("maven:")) {
        continue;
      }
      ModelDirectory model = Hub.with(options()).find(entry.name());
      assertThat(model.source()).isEqualTo(entry.elsewhere());
      assertThat(model.licence()).isEqualTo(entry.licence());
      assertThat(model.config().modelType()).isEqualTo("bert");
      try (Tokenizer tokenizer = model.tokenizer();
          TensorFile tensors = model.tensors()) {
        assertThat(tokenizer.vocabularySize()).isEqualTo(model.config().integer("vocab_size"));
        assertThat(tensors.names()).isNotEmpty();
      }
      assertThat(model.verify()).contains("model.safetensors");
      assertThat(Hub.with(options().withOffline(true)).find(entry.hub()).path())
          .isEqualTo(model.path());
    }
  }

  @Test
  void everySourceIsNamedWhenAllFail() {
    assertThatThrownBy(() -> Hub.with(options()).find("maven:io.trimtab:no-such-model:1"))
        .isInstanceOf(HubException.NotFound.class)
        .hasMessageContaining("no-such-model");
  }
}
