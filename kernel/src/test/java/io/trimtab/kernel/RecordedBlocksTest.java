package io.trimtab.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Blocks mean what gguf's own Python says they mean (record_blocks.py). */
class RecordedBlocksTest {
  static Stream<String> lines() throws IOException {
    try (InputStream in = RecordedBlocksTest.class.getResourceAsStream("blocks.txt")) {
      return new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.UTF_8).lines();
    }
  }

  @ParameterizedTest
  @MethodSource("lines")
  void weightsAreThoseOfTheReference(String line) {
    String[] parts = line.split(" ", 3);
    Format format = Format.valueOf(parts[0]);
    MemorySegment block = MemorySegment.ofArray(HexFormat.of().parseHex(parts[1]));
    ByteBuffer expected =
        ByteBuffer.wrap(HexFormat.of().parseHex(parts[2])).order(ByteOrder.LITTLE_ENDIAN);
    for (double weight : Sample.weights(format, 1, format.block(), block)[0]) {
      float reference = expected.getFloat();
      // NumPy rounds scale times q and the minimum apart; here they are rounded once.
      assertThat((float) weight).isCloseTo(reference, within(1e-6f));
    }
    assertThat(expected.hasRemaining()).isFalse();
  }
}
