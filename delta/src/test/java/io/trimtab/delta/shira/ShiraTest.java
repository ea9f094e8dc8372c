package io.trimtab.delta.shira;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trimtab.delta.Delta;
import io.trimtab.delta.MethodFixture;
import io.trimtab.model.Linear;
import io.trimtab.model.Model;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.TensorException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ShiraTest {
  @TempDir Path directory = Path.of("");
  private MethodFixture shira;

  @BeforeEach
  void open() {
    shira = MethodFixture.of("shira", directory);
  }

  @AfterEach
  void close() {
    shira.close();
  }

  @Test
  void hasAsManyNumbersAsLoraOfThatRank() {
    assertThat(
            MethodFixture.countOnLlama(
                linear -> {
                  int count = Math.toIntExact(Shira.count(32, linear));
                  return List.of(ShiraLinear.create(linear, new long[count]));
                }))
        .isEqualTo(9_175_040);
    try (Delta delta = shira.attach(shira.spec("rank=3"))) {
      assertThat(delta.count()).isEqualTo(4 * 3 * 32);
    }
  }

  @Test
  void trainsTheEntriesItNamesAndNoOthers() {
    try (Delta delta = shira.moved(shira.spec("rank=1", "mask=magnitude"));
        Model merged = delta.merge()) {
      String name = "bert.encoder.layer.0.attention.self.query";
      float[] before = weight(shira.model(), name);
      float[] after = weight(merged, name);
      float least = Float.POSITIVE_INFINITY;
      float most = 0;
      int changed = 0;
      for (int i = 0; i < before.length; i++) {
        if (before[i] == after[i]) {
          most = Math.max(most, Math.abs(before[i]));
        } else {
          least = Math.min(least, Math.abs(before[i]));
          changed++;
        }
      }
      assertThat(changed).isEqualTo(32);
      assertThat(least).isGreaterThanOrEqualTo(most);
    }
  }

  private static float[] weight(Model model, String path) {
    return ((Linear) model.layer(path).orElseThrow()).weight().dense().toFloats();
  }

  @Test
  void placesComeFromTheFileWhateverChoseThem() {
    try (Delta delta = shira.moved(shira.spec("rank=2", "seed=5"))) {
      Path folder = shira.saved(delta, text -> text.replace("\"random\"", "\"by_the_moon\""));
      try (Delta again = shira.load(folder)) {
        assertThat(shira.with(again)).isEqualTo(shira.with(delta));
        assertThat(((Shira) again.spec()).mask()).isEqualTo(Shira.Mask.STORED);
      }
      folder = shira.saved(delta, text -> text.replace("random_seed\" : 5", "random_seed\" : 6"));
      try (Delta again = shira.load(folder)) {
        assertThat(shira.with(again)).isEqualTo(shira.with(delta));
      }
    }
  }

  @Test
  void placesOutsideTheWeightAreRefused() {
    try (Delta delta = shira.moved(shira.spec("rank=1"));
        Scope _ = Scope.open()) {
      Parameter places = delta.constants().getFirst();
      long[] numbers = places.value().toLongs();
      numbers[40] = 16;
      places.assign(Creation.longs(numbers, 2, 32).to(DType.I32));
      assertThatThrownBy(() -> shira.with(delta)).isInstanceOf(TensorException.class);
    }
  }

  @Test
  void optionsThatMakeNoSenseAreRefused() {
    shira.refusesUnknown();
    shira.refuses("rank 0", "rank=0");
    shira.refuses("expected at most 8", "rank=9");
    shira.refuses("mask=grad", "mask=grad");
    shira.refuses("seed", "mask=magnitude", "seed=1");
    shira.refuses("word_embeddings", "targets=cls.predictions.decoder");
  }
}
