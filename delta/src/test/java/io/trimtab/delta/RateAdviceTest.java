package io.trimtab.delta;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class RateAdviceTest {
  @Test
  void ratesFarOffAreWorthAWord() {
    DeltaMethod lora = DeltaMethods.named("lora"); // 0.001
    assertThat(RateAdvice.of(lora, 1e-3)).isEmpty();
    assertThat(RateAdvice.of(lora, 0.09)).isEmpty();
    assertThat(RateAdvice.of(lora, 1.1e-5)).isEmpty();
    assertThat(RateAdvice.of(lora, 0.2).orElseThrow()).contains("200 times above", "0.001", "lora");
    assertThat(RateAdvice.of(lora, 5e-6).orElseThrow()).contains("200 times below", "0.001");
    // What is usual for one method is far off for another.
    assertThat(RateAdvice.of(DeltaMethods.named("full"), 3e-2)).isPresent();
    assertThat(RateAdvice.of(DeltaMethods.named("prompt"), 3e-2)).isEmpty();
  }
}
