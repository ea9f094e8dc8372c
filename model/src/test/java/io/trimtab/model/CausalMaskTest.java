package io.trimtab.model;

import static org.assertj.core.api.Assertions.assertThat;

import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Scope;
import java.util.List;
import org.junit.jupiter.api.Test;

class CausalMaskTest {
  private static final float NO = Float.NEGATIVE_INFINITY;

  private static float[] mask(int window, boolean counted) {
    try (Scope _ = Scope.open()) {
      return new CausalMask(List.of(List.of(0, 1, 2)), 3, window, 2, counted)
          .tensor(DType.F32, Device.CPU)
          .toFloats();
    }
  }

  @Test
  void allTokensSeeAPrefixThatStandsNowhere() {
    assertThat(mask(2, false))
        .containsExactly(
            0, 0, 0, NO, NO, //
            0, 0, 0, 0, NO, //
            0, 0, NO, 0, 0);
  }

  /** As transformers has it of PEFT's prefixes, which are to it tokens like others. */
  @Test
  void aPrefixThatStandsAtPositionsIsLeftBehindByTheWindow() {
    assertThat(mask(2, true))
        .containsExactly(
            NO, 0, 0, NO, NO, //
            NO, NO, 0, 0, NO, //
            NO, NO, NO, 0, 0);
  }

  @Test
  void withoutAWindowBothAreSeen() {
    assertThat(mask(0, true))
        .containsExactly(mask(0, false))
        .containsExactly(
            0, 0, 0, NO, NO, //
            0, 0, 0, 0, NO, //
            0, 0, 0, 0, 0);
  }
}
