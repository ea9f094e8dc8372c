package io.trimtab.prompt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.abort;

import io.trimtab.hub.EncodeOptions.TruncationSide;
import io.trimtab.hub.Hub;
import io.trimtab.hub.HubException;
import io.trimtab.hub.HubOptions;
import io.trimtab.hub.ModelDirectory;
import io.trimtab.hub.SpecialToken;
import io.trimtab.hub.Tokenizer;
import io.trimtab.model.LanguageModel;
import io.trimtab.model.Models;
import io.trimtab.model.Patches;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** With the real BERT-base, where it is on the machine already; nothing is downloaded for it. */
class RealBertTest {
  private static final String NAME = "bert-base-uncased";

  private static ModelDirectory files() {
    try {
      return Hub.with(HubOptions.defaults().withOffline(true)).find(NAME);
    } catch (HubException e) {
      return abort("skipped: " + NAME + " is not on this machine (trimtab pull " + NAME + ")");
    }
  }

  @Test
  void tokenizesRealSentencesAsAWhole() throws IOException {
    ModelDirectory files = files();
    Path data = Path.of(System.getProperty("trimtab.data", "none")).resolve("sst2/stsa.binary.dev");
    if (!Files.isRegularFile(data)) {
      abort("skipped: no " + data);
    }
    List<String> texts =
        Files.readAllLines(data).stream().limit(400).map(line -> line.substring(2)).toList();
    try (Tokenizer tokenizer = files.tokenizer()) {
      PromptEncoder encoder =
          new PromptEncoder(
              Template.parse("{text} It was {mask}."), tokenizer, 256, TruncationSide.RIGHT);
      List<Prompt> prompts = encoder.encodeAll(texts);
      for (int i = 0; i < texts.size(); i++) {
        int[] whole = tokenizer.encode(texts.get(i) + " It was [MASK].").ids();
        assertThat(prompts.get(i).row().ids()).containsExactly(whole);
        assertThat(whole[prompts.get(i).mask()]).isEqualTo(tokenizer.specialId(SpecialToken.MASK));
        assertThat(prompts.get(i).mask()).isEqualTo(whole.length - 3);
      }
      assertThatThrownBy(() -> Verbalizer.inline("a=great,b=untrimmable").tokenIds(tokenizer))
          .isInstanceOf(PromptException.LabelWord.class)
          .hasMessageContaining("\"untrimmable\" of \"b\" split into");
    }
  }

  @Test
  void knowsGoodFromBadUntuned() {
    try (LanguageModel bert = Models.open(NAME, files(), DType.F32, Device.CPU)) {
      ClozeClassifier classifier =
          new ClozeClassifier(
              bert,
              Cloze.template("{text} it was {mask} .")
                  .words("positive", "great")
                  .words("negative", "terrible"));
      List<Classification> said =
          classifier.predict(
              List.of("a stirring , funny film .", "a dull , stupid and painful mess ."),
              Patches.NONE);
      assertThat(said.get(0).label()).isEqualTo("positive");
      assertThat(said.get(0).probability())
          .isGreaterThan(said.get(1).probabilities().get("positive"));
    }
  }
}
