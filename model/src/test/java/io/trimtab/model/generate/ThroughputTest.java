package io.trimtab.model.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.trimtab.hub.ModelConfig;
import io.trimtab.hub.Safetensors;
import io.trimtab.model.Model;
import io.trimtab.model.Patches;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class ThroughputTest {
  @Test
  void measuresWhatItSays() {
    Path folder = Path.of(System.getProperty("trimtab.fixtures", "none"), "hf", "llama");
    assumeThat(folder).exists();
    try (Model model =
        Model.build(
            "llama",
            ModelConfig.read(folder.resolve("config.json")),
            Safetensors.open(folder.resolve("model.safetensors")),
            DType.F32,
            Device.CPU)) {
      Throughput throughput = Throughput.of(model, Patches.NONE);
      assertThat(throughput.prefillSeconds(12)).isPositive();
      assertThat(throughput.decodeSeconds(3, 2)).isPositive();
      List<Integer> some = List.of(1, 2, 3);
      double[] together = throughput.logProbabilities(12, 0, some);
      double[] alone = throughput.logProbabilities(12, 9, some);
      for (int i = 0; i < 3; i++) {
        assertThat(together[i]).isNegative().isCloseTo(alone[i], within(1e-4));
      }
    }
  }

  @Test
  void tokensStayWithinTheVocabulary() {
    for (int place = 0; place < 5000; place++) {
      assertThat(Throughput.token(place, 7)).isBetween(0, 6);
      assertThat(Throughput.token(place, 2000)).isBetween(100, 1899);
    }
    assertThat(Throughput.token(1, 49152)).isEqualTo(8019);
  }
}
