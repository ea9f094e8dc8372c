package io.trimtab.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trimtab.tensor.DType;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which files the weights are read from. */
class ModelDirectoryTest {
  private static final String INDEX =
      """
      {"metadata": {"total_size": 2},
       "weight_map": {"b": "pytorch_model-2.bin", "a": "pytorch_model-1.bin"}}
      """;

  @TempDir Path directory;

  @BeforeEach
  void writeConfiguration() throws IOException {
    Files.writeString(directory.resolve("config.json"), "{}");
  }

  @Test
  void readsPyTorchFiles() throws IOException {
    torch("pytorch_model.bin", "a", 1);
    ModelDirectory model = ModelDirectory.of(directory);
    assertThat(model.weightFiles()).containsExactly(directory.resolve("pytorch_model.bin"));
    assertHolds(model, Map.of("a", 1));
  }

  @Test
  void readsShardsOfPyTorchFiles() throws IOException {
    torch("pytorch_model-1.bin", "a", 1);
    torch("pytorch_model-2.bin", "b", 2);
    Files.writeString(directory.resolve("pytorch_model.bin.index.json"), INDEX);
    ModelDirectory model = ModelDirectory.of(directory);
    assertThat(model.weightFiles())
        .containsExactly(
            directory.resolve("pytorch_model-1.bin"), directory.resolve("pytorch_model-2.bin"));
    assertHolds(model, Map.of("b", 2, "a", 1));
    try (TensorFile file = model.tensors()) {
      assertThat(file.names()).containsExactly("b", "a");
      assertThat(file.metadata()).containsEntry("total_size", "2");
    }
    torch("pytorch_model-2.bin", "c", 2);
    assertThatThrownBy(() -> model.tensors().close())
        .isInstanceOf(FileFormatException.class)
        .hasMessageContaining("does not name the tensor 'c' that pytorch_model-2.bin holds");
    Files.delete(directory.resolve("pytorch_model-2.bin"));
    assertThatThrownBy(model::weightFiles)
        .isInstanceOf(HubException.NotFound.class)
        .hasMessageContaining("pytorch_model.bin.index.json names pytorch_model-2.bin, which is");
  }

  @Test
  void prefersSafetensors() throws IOException {
    torch("pytorch_model.bin", "a", 1);
    var tensors = new LinkedHashMap<String, TensorData>();
    tensors.put("s", new TensorData(DType.U8, new long[] {1}, MemorySegment.ofArray(bytes(3))));
    Safetensors.write(directory.resolve("model.safetensors"), tensors, Map.of());
    assertHolds(ModelDirectory.of(directory), Map.of("s", 3));
  }

  @Test
  void saysWhichFilesItLooksFor() {
    ModelDirectory model = ModelDirectory.of(directory);
    assertThatThrownBy(() -> model.tensors().close())
        .isInstanceOf(HubException.NotFound.class)
        .hasMessageContaining("no model.safetensors, no model.safetensors.index.json and no pyt")
        .hasMessageContaining("found [config.json]");
  }

  private static void assertHolds(ModelDirectory model, Map<String, Integer> expected) {
    try (TensorFile file = model.tensors()) {
      assertThat(file.names()).containsExactlyInAnyOrderElementsOf(expected.keySet());
      expected.forEach(
          (name, value) ->
              assertThat(file.bytes(name).toArray(ValueLayout.JAVA_BYTE))
                  .containsExactly(bytes(value)));
    }
  }

  private void torch(String name, String tensor, int value) throws IOException {
    byte[] pickle =
        PickleBuilder.stateDict()
            .text(tensor)
            .tensor("ByteStorage", "0", 1, 0, new long[] {1}, new long[] {1})
            .items();
    Files.write(
        directory.resolve(name), ZipBuilder.checkpoint(pickle).storage("0", bytes(value)).build());
  }

  private static byte[] bytes(int value) {
    return new byte[] {(byte) value};
  }
}
