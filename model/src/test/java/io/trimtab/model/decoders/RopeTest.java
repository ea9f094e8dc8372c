package io.trimtab.model.decoders;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.trimtab.hub.DecoderDefaults;
import io.trimtab.hub.ModelConfig;
import io.trimtab.model.Layout;
import io.trimtab.model.ModelException;
import io.trimtab.model.Pass;
import io.trimtab.model.Rotary;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Scope;
import java.nio.file.Path;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Speeds of heads of 8 numbers, as transformers computes them, in the spellings of its versions 4
 * and 5.
 */
class RopeTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "'rope_type': 'default'|10000|10|1,0.1,0.01,0.001|1",
        "'rope_type': 'linear', 'factor':"
            + " 3|10000|10|0.333333343,0.0333333351,0.00333333318,3.33333359e-4|1",
        "'rope_type': 'dynamic', 'factor': 2.0|10000|10|1,0.1,0.01,0.001|1",
        "'type': 'dynamic', 'factor': 2.0|10000|100|1,0.0777822211,0.00605007401,4.70588246e-4|1",
        "'rope_type': 'yarn', 'factor': 4, 'original_max_position_embeddings': 16, 'beta_fast': 4,"
            + " 'beta_slow': 1|500|10|1,0.05286856,0.0111803403,0.00236435398|1.138629436111989",
        "'rope_type': 'yarn', 'factor': 4, 'original_max_position_embeddings': 16, 'mscale': 0.7,"
            + " 'mscale_all_dim': 1.3, 'truncate': false"
            + "|500|10|1,0.05286856,0.0111803403,0.00236435398|0.9295234923939468",
        "'rope_type': 'longrope', 'factor': 4, 'original_max_position_embeddings': 16,"
            + " 'short_factor': [1, 1.5, 2, 3], 'long_factor': [2, 3, 4, 8]"
            + "|10000|10|1,0.0666666701,0.005,3.3333333e-4|1.224744871391589",
        "'type': 'longrope', 'factor': 4, 'original_max_position_embeddings': 16,"
            + " 'short_factor': [1, 1.5, 2, 3], 'long_factor': [2, 3, 4, 8]"
            + "|10000|100|0.5,0.0333333351,0.0025,1.25000006e-4|1.224744871391589",
        "'rope_type': 'llama3', 'factor': 4, 'low_freq_factor': 1, 'high_freq_factor': 4,"
            + " 'original_max_position_embeddings': 40"
            + "|300|10|1,0.0918881446,0.0144337555,0.00346815959|1",
      })
  void speedsAreThoseOfTransformers(
      String scaling, double theta, int rowLength, String speeds, double factor) {
    String fields = scaling.replace('\'', '"');
    String old = "\"rope_theta\": " + theta + ", \"rope_scaling\": {" + fields + "}";
    String now = "\"rope_parameters\": {\"rope_theta\": " + theta + ", " + fields + "}";
    check(old, rowLength, speeds, factor);
    check(now, rowLength, speeds, factor);
  }

  private static void check(String fields, int rowLength, String speeds, double factor) {
    Rotary rotary = Rope.read(config(fields), 8);
    try (Scope _ = Scope.open()) {
      Pass pass = Pass.plain(Layout.ofLengths(rowLength));
      Rotary.Angles angles = rotary.angles(pass, new int[1], DType.F32, Device.CPU);
      float[] sines = angles.sine().toFloats();
      float[] cosines = angles.cosine().toFloats();
      String[] expected = speeds.split(",", -1);
      for (int i = 0; i < expected.length; i++) {
        double turn = 3 * Double.parseDouble(expected[i]);
        assertThat((double) sines[3 * expected.length + i])
            .isCloseTo(factor * Math.sin(turn), within(1e-6));
        assertThat((double) cosines[3 * expected.length + i])
            .isCloseTo(factor * Math.cos(turn), within(1e-6));
      }
    }
  }

  private static ModelConfig config(String fields) {
    String config =
        """
        {"model_type": "llama", "hidden_size": 32, "num_attention_heads": 4,
         "max_position_embeddings": 64, %s}
        """
            .formatted(fields);
    return DecoderDefaults.complete(ModelConfig.parse(config, Path.of("config.json")));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"rope_type\": \"mrope\"}",
        "{\"rope_type\": \"linear\", \"factor\": 2, \"new_field\": 1}",
        "{\"rope_type\": \"longrope\", \"short_factor\": [1], \"long_factor\": [1, 1, 1, 1]}",
        "{\"rope_type\": \"default\", \"partial_rotary_factor\": 0.4}"
      })
  void whatIsNotComputedIsRefused(String section) {
    ModelConfig config = config("\"rope_parameters\": " + section);
    assertThatThrownBy(() -> Rope.read(config, 8))
        .isInstanceOf(ModelException.Unsupported.class)
        .hasMessageStartingWith("found ")
        .hasMessageContaining("config.json");
  }
}
