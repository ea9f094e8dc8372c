package io.trimtab.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class CreationTest {
  @ParameterizedTest
  @EnumSource(DType.class)
  void bytesOfEveryTypeComeBackAsTheyWere(DType dtype) {
    try (Scope _ = Scope.open()) {
      Tensor tensor = Creation.doubles(new double[] {0, 1, 1, 0, 1}, 5).to(dtype);
      assertThat(tensor.dtype()).isEqualTo(dtype);
      assertThat(tensor.byteSize()).isEqualTo(5L * dtype.bytes());
      MemorySegment bytes = tensor.toBytes();
      assertThat(bytes.byteSize()).isEqualTo(tensor.byteSize());
      Tensor back = Creation.copyOf(bytes, dtype, 5);
      assertThat(back.toDoubles()).containsExactly(0, 1, 1, 0, 1);
      assertThat(back.toLongs()).containsExactly(0, 1, 1, 0, 1);
    }
  }

  @Test
  void halfTypesHaveTheirOwnBits() {
    try (Scope _ = Scope.open()) {
      Tensor values = Creation.floats(new float[] {1.5f, -2, 0.1f}, 3);
      MemorySegment half = values.to(DType.F16).toBytes();
      MemorySegment brain = values.to(DType.BF16).toBytes();
      float[] floats = {1.5f, -2, 0.1f};
      for (int i = 0; i < 3; i++) {
        assertThat(half.get(ValueLayout.JAVA_SHORT_UNALIGNED, 2L * i))
            .isEqualTo(Float.floatToFloat16(floats[i]));
        int bits = Float.floatToIntBits(floats[i]);
        int rounded = (bits + 0x7FFF + ((bits >>> 16) & 1)) >>> 16; // to the nearest, ties to even
        assertThat(brain.get(ValueLayout.JAVA_SHORT_UNALIGNED, 2L * i)).isEqualTo((short) rounded);
      }
    }
  }

  @Test
  void makesWhatItsNamesSay() {
    try (Scope _ = Scope.open()) {
      assertThat(Creation.zeros(DType.I32, Device.CPU, 2).toLongs()).containsExactly(0, 0);
      assertThat(Creation.full(2.5, DType.F64, Device.CPU, 2).toDoubles())
          .containsExactly(2.5, 2.5);
      assertThat(Creation.range(3, Device.CPU).toLongs()).containsExactly(0, 1, 2);
      assertThat(Creation.scalar(4, DType.F32, Device.CPU).shape()).isEmpty();
      assertThat(Creation.zeros(DType.F32, Device.CPU, 0, 3).toFloats()).isEmpty();
      assertThat(Creation.floats(new float[0], 0).toBytes().byteSize()).isZero();
    }
  }

  @Test
  void aBorrowedFileStaysMappedWhileAnyViewOrGraphUsesIt(@TempDir Path directory)
      throws IOException, InterruptedException {
    int before = BorrowedMemory.inUse();
    Path file = directory.resolve("weights");
    ByteBuffer bytes = ByteBuffer.allocate(1 << 20).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < bytes.capacity() / 4; i++) {
      bytes.putFloat(4 * i, i);
    }
    Files.write(file, bytes.array());
    try (Scope _ = Scope.open()) {
      Tensor x = Gradients.variable(Creation.floats(new float[] {1, 1}, 1, 2));
      Tensor loss;
      Tensor view;
      try (Scope scope = Scope.open()) {
        Tensor whole = borrowed(file);
        view = scope.keep(Indexing.slice(whole, 0, 100, 2));
        loss = scope.keep(Reduction.sum(LinearAlgebra.linear(x, view.reshape(1, 2), null)));
      }
      for (int i = 0; i < 5; i++) {
        System.gc();
        Thread.sleep(20);
      }
      assertThat(BorrowedMemory.inUse()).isEqualTo(before + 1);
      assertThat(view.toFloats()).containsExactly(100, 101);
      view.close();
      assertThat(BorrowedMemory.inUse()).isEqualTo(before + 1); // the graph reads it yet
      Tensor one = Creation.scalar(1, DType.F32, Device.CPU);
      assertThat(
              Gradients.of(java.util.List.of(loss), java.util.List.of(one), java.util.List.of(x))
                  .get(0)
                  .toFloats())
          .containsExactly(100, 101);
    }
    assertThat(BorrowedMemory.inUse()).isEqualTo(before);
  }

  private static Tensor borrowed(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file)) {
      MemorySegment map =
          channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), Arena.ofAuto());
      return Creation.borrow(map, DType.F32, map.byteSize() / 4);
    }
  }

  @Test
  void theSameAddressMayBeBorrowedTwice() {
    int before = BorrowedMemory.inUse();
    MemorySegment bytes = Arena.ofAuto().allocate(16, 8);
    bytes.set(ValueLayout.JAVA_INT, 4, 7);
    try (Scope _ = Scope.open()) {
      Tensor whole = Creation.borrow(bytes, DType.I32, 2, 2);
      try (Scope _ = Scope.open()) {
        assertThat(Creation.borrow(bytes.asSlice(0, 8), DType.I32, 2).toLongs())
            .containsExactly(0, 7);
      }
      assertThat(BorrowedMemory.inUse()).isEqualTo(before + 1);
      assertThat(whole.toLongs()).containsExactly(0, 7, 0, 0);
    }
    assertThat(BorrowedMemory.inUse()).isEqualTo(before);
  }

  @Test
  void whatIsMisalignedOrOnTheHeapIsCopied() {
    int before = BorrowedMemory.inUse();
    MemorySegment bytes = Arena.ofAuto().allocate(16, 8);
    bytes.set(ValueLayout.JAVA_INT_UNALIGNED, 1, 7);
    try (Scope _ = Scope.open()) {
      assertThat(Creation.borrow(bytes.asSlice(1, 4), DType.I32, 1).toLongs()).containsExactly(7);
      MemorySegment heap = MemorySegment.ofArray(new int[] {5});
      assertThat(Creation.borrow(heap, DType.I32, 1).toLongs()).containsExactly(5);
      assertThat(BorrowedMemory.inUse()).isEqualTo(before);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "gpu", "cuda:", "cuda:x", "cpu:0", "cuda:1234"})
  void unknownDevicesAreRefused(String text) {
    assertThatThrownBy(() -> Device.parse(text))
        .isInstanceOf(TensorException.class)
        .hasMessageContaining("expected cpu, cuda or cuda:N");
  }

  @Test
  void devicesAreReadAndWritten() {
    assertThat(Device.parse(" CPU ")).isEqualTo(Device.CPU).hasToString("cpu");
    assertThat(Device.parse("cuda")).isEqualTo(new Device(Device.Kind.CUDA, 0));
    assertThat(Device.parse("cuda:3")).hasToString("cuda:3");
  }
}
