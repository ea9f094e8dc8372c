package io.trimtab.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;

class CrewTest {
  @Test
  void everyPieceIsDoneOnce() {
    try (Crew crew = Crew.of(3, Duration.ofNanos(1000))) {
      assertThat(crew.threads()).isEqualTo(3);
      for (int round = 0; round < 2000; round++) {
        int pieces = round % 37;
        AtomicIntegerArray done = new AtomicIntegerArray(37);
        crew.run(pieces, done::incrementAndGet);
        for (int piece = 0; piece < 37; piece++) {
          assertThat(done.get(piece)).isEqualTo(piece < pieces ? 1 : 0);
        }
      }
    }
  }

  @Test
  void twoCallersShareOneCrew() throws InterruptedException {
    try (Crew crew = Crew.of(2)) {
      AtomicIntegerArray done = new AtomicIntegerArray(2);
      Thread other =
          new Thread(
              () -> {
                for (int round = 0; round < 500; round++) {
                  crew.run(8, _ -> done.incrementAndGet(1));
                }
              });
      other.start();
      for (int round = 0; round < 500; round++) {
        crew.run(8, _ -> done.incrementAndGet(0));
      }
      assertThat(done.get(0)).isEqualTo(4000);
      other.join();
      assertThat(done.get(1)).isEqualTo(4000);
    }
  }

  @Test
  void aFaultReachesTheCaller() {
    try (Crew crew = Crew.of(2)) {
      assertThatThrownBy(
              () ->
                  crew.run(
                      9,
                      piece -> {
                        if (piece == 5) {
                          throw new IllegalArgumentException("five");
                        }
                      }))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("five");
    }
  }

  @Test
  void helpersParkWhenIdleAndEndWithTheCrew() throws InterruptedException {
    Crew crew = Crew.of(2);
    crew.run(4, _ -> {});
    Thread helper = helper();
    long deadline = System.nanoTime() + Duration.ofSeconds(20).toNanos();
    while (helper.getState() != Thread.State.WAITING && System.nanoTime() < deadline) {
      Thread.sleep(1);
    }
    assertThat(helper.getState()).isEqualTo(Thread.State.WAITING);
    crew.close();
    helper.join(20_000);
    assertThat(helper.isAlive()).isFalse();
    AtomicIntegerArray done = new AtomicIntegerArray(4);
    crew.run(4, done::incrementAndGet);
    assertThat(done.toString()).isEqualTo("[1, 1, 1, 1]");
  }

  private static Thread helper() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(it -> it.getName().equals("trimtab-kernel-1"))
        .findFirst()
        .orElseThrow();
  }
}
