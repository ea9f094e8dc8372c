package io.trimtab.delta.fourierft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.trimtab.delta.Delta;
import io.trimtab.delta.MethodFixture;
import io.trimtab.delta.Part;
import io.trimtab.model.Linear;
import io.trimtab.model.weights.Weight;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FourierFtTest {
  @TempDir Path directory = Path.of("");
  private MethodFixture fourier;

  @BeforeEach
  void open() {
    fourier = MethodFixture.of("fourierft", directory);
  }

  @AfterEach
  void close() {
    fourier.close();
  }

  @Test
  void hasAsManyNumbersAsTheOriginal() {
    assertThat(
            MethodFixture.countOnLlama(
                linear ->
                    List.of(
                        FourierFtLinear.create(linear, new long[1000], 150, false, Rng.seeded(1)))))
        .isEqualTo(56_000);
  }

  @Test
  void anEntryIsACosineOverTheWholeWeight() {
    try (Scope _ = Scope.open()) {
      Tensor weight = Creation.zeros(DType.F32, Device.CPU, 3, 4);
      Linear linear = new Linear("layer", new Weight.Dense(weight), null);
      Part part = FourierFtLinear.create(linear, new long[] {6}, 24, false, Rng.seeded(1));
      part.parameters().getFirst().assign(Creation.floats(new float[] {5}, 1));
      float[] changed = part.merge("layer.weight", weight).toFloats();
      for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 4; j++) {
          // Place 6 is row 1, column 2.
          double turns = i / 3.0 + 2 * j / 4.0;
          assertThat((double) changed[i * 4 + j])
              .isCloseTo(24 * 5 * Math.cos(2 * Math.PI * turns) / 12, within(1e-5));
        }
      }
      part.parameters().getFirst().close();
    }
  }

  @Test
  void theSeedFixesThePlaces() {
    try (Delta one = fourier.moved(fourier.spec("frequencies=20", "seed=4"));
        Delta same = fourier.moved(fourier.spec("frequencies=20", "seed=4"));
        Delta other = fourier.moved(fourier.spec("frequencies=20", "seed=5"))) {
      assertThat(fourier.with(same)).isEqualTo(fourier.with(one));
      assertThat(fourier.with(other)).isNotEqualTo(fourier.with(one));
    }
  }

  @Test
  void smallWeightsStartWithFewerEntriesAndALesserScaling() {
    FourierFt spec = (FourierFt) fourier.spec();
    assertThat(spec.frequencies()).isEqualTo(256);
    assertThat(spec.scaling()).isCloseTo(150.0 * 256 / (768 * 768), within(1e-12));
  }

  @Test
  void placesThatCannotBeFoundAgainAreRefused() {
    try (Delta delta = fourier.attach(fourier.spec())) {
      fourier.refusesFile(
          delta,
          "random_loc_seed",
          text -> text.replace("random_loc_seed\" : 777", "random_loc_seed\" : null"));
      fourier.refusesFile(delta, "bias=all", text -> text.replace("none", "all"));
    }
  }

  @Test
  void optionsThatMakeNoSenseAreRefused() {
    fourier.refusesUnknown();
    fourier.refuses("0 frequencies", "frequencies=0");
    fourier.refuses("expected at most the 256", "frequencies=257");
    fourier.refuses("scaling NaN", "scaling=NaN");
    fourier.refuses("word_embeddings", "targets=cls.predictions.decoder");
  }
}
