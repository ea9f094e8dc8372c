package io.trimtab.jinja;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** No template takes more than its limits allow, whatever it does. */
class RoomProofTest {
  private static final int SEEDS = 400;

  /** With a thirty-second of the limits, and so with a bound of memory that is far below them. */
  @Test
  void templatesMadeAtRandom() throws IOException {
    RoomProof.Given given = RoomProof.given();
    Limits limits = Watched.part(32);
    for (long seed = 0; seed < SEEDS; seed++) {
      String template = RoomProof.template(seed, 30_000, given);
      Watched.Cost cost = Watched.render(template, given.variables(), limits);
      assertThat(cost.nanos()).as(template).isLessThan(RoomProof.LONGEST.toNanos());
      assertThat(cost.bytes()).as(template).isLessThan(256L << 20);
    }
  }

  /** With the default limits, in a heap of 256 MB. */
  @Test
  @Tag("proof")
  void templatesMadeAtRandomInASmallHeap() throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-XX:+ExitOnOutOfMemoryError",
                "-Dtrimtab.fixtures=" + System.getProperty("trimtab.fixtures", "missing"),
                "-cp",
                System.getProperty(
                    "surefire.test.class.path", System.getProperty("java.class.path")),
                RoomProof.class.getName(),
                "10000",
                "2000",
                "1")
            .redirectErrorStream(true)
            .start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor(1, TimeUnit.MINUTES)).isTrue();
    assertThat(process.exitValue()).as(said).isZero();
  }
}
