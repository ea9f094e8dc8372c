package io.trimtab.hub;

import static org.assertj.core.api.Assertions.assertThat;

import io.trimtab.tensor.DType;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files and tensors beyond what an int can count; they take room on the disk. */
@Tag("proof")
class LargeFileProofTest {
  private static final long FIVE_GIB = 5L << 30;

  @TempDir Path directory;

  @Test
  void readsASparseFileOfFiveGibibytes() throws IOException {
    Path file = directory.resolve("sparse.safetensors");
    String header =
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[%d],\"data_offsets\":[0,%1$d]}}".formatted(FIVE_GIB);
    var front = ByteBuffer.allocate(8 + header.length()).order(ByteOrder.LITTLE_ENDIAN);
    front.putLong(header.length()).put(header.getBytes(StandardCharsets.US_ASCII)).flip();
    try (var channel =
        FileChannel.open(
            file,
            StandardOpenOption.CREATE_NEW,
            StandardOpenOption.WRITE,
            StandardOpenOption.SPARSE)) {
      channel.write(front);
      channel.write(ByteBuffer.wrap(new byte[] {42}), 8 + header.length() + FIVE_GIB - 1);
    }
    try (TensorFile read = Safetensors.open(file)) {
      MemorySegment bytes = read.bytes("a");
      assertThat(bytes.byteSize()).isEqualTo(FIVE_GIB);
      assertThat(bytes.get(ValueLayout.JAVA_BYTE, 0)).isZero();
      assertThat(bytes.get(ValueLayout.JAVA_BYTE, FIVE_GIB - 1)).isEqualTo((byte) 42);
    }
  }

  @Test
  void writesATensorOfMoreThanTwoGibibytes() {
    long elements = (1L << 29) + 3;
    Path file = directory.resolve("large.safetensors");
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment values = arena.allocate(elements * Float.BYTES, Float.BYTES);
      values.setAtIndex(ValueLayout.JAVA_FLOAT, elements - 1, 2.5f);
      var tensors = new LinkedHashMap<String, TensorData>();
      tensors.put("a", new TensorData(DType.F32, new long[] {elements}, values));
      Safetensors.write(file, tensors, Map.of());
    }
    try (TensorFile read = Safetensors.open(file)) {
      assertThat(read.info("a").elements()).isEqualTo(elements);
      assertThat(read.bytes("a").getAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, elements - 1))
          .isEqualTo(2.5f);
    }
  }
}
