package io.trimtab.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.bytedeco.javacpp.Pointer;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever is called first in a process, the binding's memory limits are off by then. */
class NativeLimitsTest {
  @ParameterizedTest
  @ValueSource(strings = {"scope", "full", "rng", "threads", "none"})
  void areSetBeforeTheBindingReadsThem(String first) throws IOException, InterruptedException {
    Process child =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty(
                    "surefire.test.class.path", System.getProperty("java.class.path")),
                Child.class.getName(),
                first)
            .redirectErrorStream(true)
            .start();
    String output = new String(child.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(child.waitFor()).as(output).isZero();
    assertThat(output).contains("limits 0 0");
  }

  /** A process of its own that starts with one call. */
  static final class Child {
    private Child() {}

    public static void main(String[] args) {
      switch (args[0]) {
        case "scope" -> Scope.open().close();
        case "full" -> Creation.full(1, DType.F32, Device.CPU, 1);
        case "rng" -> Rng.seeded(1).normal(1, DType.F32, Device.CPU, 1);
        case "threads" -> Engine.threads();
        case "none" -> Gradients.none(() -> args);
        default -> throw new IllegalArgumentException(args[0]);
      }
      System.out.println("limits " + Pointer.maxBytes() + " " + Pointer.maxPhysicalBytes());
    }
  }
}
