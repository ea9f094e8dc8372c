package io.trimtab.delta.road;

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
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class RoadTest {
  @TempDir Path directory = Path.of("");
  private MethodFixture road;

  @BeforeEach
  void open() {
    road = MethodFixture.of("road", directory);
  }

  @AfterEach
  void close() {
    road.close();
  }

  @Test
  void hasAsManyNumbersAsTheOriginal() {
    assertThat(
            MethodFixture.countOnLlama(
                linear -> List.of(RoadLinear.create(linear, Road.Variant.ROAD_2, 64))))
        .isEqualTo(229_376);
  }

  @ParameterizedTest
  @EnumSource(Road.Variant.class)
  void pairsAreHalfAGroupApart(Road.Variant variant) {
    try (Scope _ = Scope.open()) {
      // A bias alone: outputs 0 … 3, in one group, so that 0 goes with 2 and 1 with 3.
      float[] bias = {1, 2, 3, 4};
      Tensor weight = Creation.zeros(DType.F32, Device.CPU, 4, 2);
      Linear linear = new Linear("layer", new Weight.Dense(weight), Creation.floats(bias, 4));
      Part part = RoadLinear.create(linear, variant, 4);
      Rng rng = Rng.seeded(1);
      for (Parameter parameter : part.parameters()) {
        parameter.assign(rng.normal(1, DType.F32, Device.CPU, parameter.value().shape()));
      }
      float[] theta = part.parameters().get(0).value().toFloats();
      float[] alpha = part.parameters().get(1).value().toFloats();
      float[] turned = part.merge("layer.bias", Creation.floats(bias, 4)).toFloats();
      for (int i = 0; i < 4; i++) {
        int along =
            switch (variant) {
              case ROAD_1 -> i % 2;
              case ROAD_2, ROAD_4 -> i;
            };
        int across = variant == Road.Variant.ROAD_4 ? 4 + i : along;
        double other = i < 2 ? -bias[i + 2] : bias[i - 2];
        double expected =
            bias[i] * alpha[along] * Math.cos(theta[along])
                + other * alpha[across] * Math.sin(theta[across]);
        assertThat((double) turned[i]).isCloseTo(expected, within(1e-5));
      }
      part.parameters().forEach(Parameter::close);
    }
  }

  @Test
  void startsAsTheBaseBitForBit() {
    try (Delta delta = road.attach(road.spec("variant=road_4"))) {
      assertThat(road.with(delta)).isEqualTo(road.plain());
      assertThat(((Road) delta.spec()).groupSize()).isEqualTo(16); // 64 divides nothing here
    }
  }

  @Test
  void optionsThatMakeNoSenseAreRefused() {
    road.refusesUnknown();
    road.refuses("road_3", "variant=road_3");
    road.refuses("group size 3", "group_size=3");
    road.refuses("16 outputs", "group_size=6");
    road.refuses("group size 0", "group_size=0");
  }
}
