package io.trimtab.hub.gguf;

import static org.assertj.core.api.Assertions.assertThat;

import io.trimtab.hub.TensorFile;
import io.trimtab.hub.TensorInfo;
import io.trimtab.hub.blocks.BlockFormat;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SequencedSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GgufSourceTest {
  @TempDir Path directory;

  /** A model that is packed is unpacked tensor by tensor, and never whole. */
  @Test
  void frees() {
    Path packed = directory.resolve("packed.gguf");
    TinyGguf.of("mixtral").write(packed);
    List<String> released = new ArrayList<>();
    try (TensorFile tensors = GgufModel.open(packed).tensors()) {
      TensorFile listening = new Listening(tensors, released);
      String name = "model.layers.0.block_sparse_moe.experts.%d.w1.weight";
      List<GgufSource.Part> parts = new ArrayList<>();
      for (int expert = 0; expert < 4; expert++) {
        parts.add(new GgufSource.Part(expert, tensors.info(name.formatted(expert))));
      }
      TensorRule rule = new TensorRule("blk.{n}.ffn_gate_exps", name, Layout.EXPERTS);
      GgufSource source = GgufSource.of(listening, parts, rule, 1, BlockFormat.F32);
      try (Arena arena = Arena.ofConfined()) {
        assertThat(source.blocks(arena).byteSize()).isEqualTo(4L * 32 * 32 * Float.BYTES);
      }
      assertThat(released).hasSize(4).doesNotHaveDuplicates();
    }
  }

  /** Writes down what was released. */
  private record Listening(TensorFile file, List<String> released) implements TensorFile {
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
