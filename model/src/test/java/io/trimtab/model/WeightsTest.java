package io.trimtab.model;

import static org.assertj.core.api.Assertions.assertThat;

import io.trimtab.hub.ModelConfig;
import io.trimtab.hub.Safetensors;
import io.trimtab.hub.TensorFile;
import io.trimtab.hub.TensorInfo;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Map;
import java.util.SequencedSet;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class WeightsTest {
  /** A file may have computed what it gave out; where the model has its own copy, that is freed. */
  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"F32", "BF16"})
  void whatWasCopiedIsReleased(DType dtype) {
    Path folder = Tiny.bert();
    Set<String> asked = new HashSet<>();
    Set<String> released = new HashSet<>();
    TensorFile file =
        new Listening(Safetensors.open(folder.resolve("model.safetensors")), asked, released);
    ModelConfig config = ModelConfig.read(folder.resolve("config.json"));
    try (Model model = Model.build("bert", config, file, dtype, Device.CPU)) {
      assertThat(model.dtype()).isEqualTo(dtype);
      assertThat(asked).isNotEmpty();
      assertThat(released).isEqualTo(dtype == DType.F32 ? Set.of() : asked);
    }
  }

  private record Listening(TensorFile file, Set<String> asked, Set<String> released)
      implements TensorFile {
    @Override
    public SequencedSet<String> names() {
      return file.names();
    }

    @Override
    public TensorInfo info(String name) {
      return file.info(name);
    }

    @Override
    public MemorySegment bytes(String name) {
      asked.add(name);
      return file.bytes(name);
    }

    @Override
    public void release(String name) {
      released.add(name);
      file.release(name);
    }

    @Override
    public Map<String, String> metadata() {
      return file.metadata();
    }

    @Override
    public void close() {
      file.close();
    }
  }
}
