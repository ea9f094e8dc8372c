package io.trimtab.hub.llama2c;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.trimtab.hub.FileFormatException;
import io.trimtab.hub.Hub;
import io.trimtab.hub.HubException;
import io.trimtab.hub.ModelConfig;
import io.trimtab.hub.ModelDirectory;
import io.trimtab.hub.TensorFile;
import io.trimtab.hub.TextStream;
import io.trimtab.hub.Tokenizer;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class Llama2cTest {
  private static final Path STORIES =
      Path.of(System.getProperty("trimtab.data", "none"), "stories260K");

  @TempDir Path directory;

  /** Two heads of four: the rows of queries must come as 0, 2, 1, 3, 4, 6, 5, 7. */
  @Test
  void rowsOfQueriesAndKeysArePutInOrder() throws IOException {
    Path file = write(1, 8, 12, 2, 1, 5, 6);
    ModelDirectory model = ModelDirectory.of(file);
    ModelConfig config = model.config();
    assertThat(config.modelType()).isEqualTo("llama");
    assertThat(config.integer("num_key_value_heads")).isEqualTo(1);
    assertThat(config.integer("head_dim")).isEqualTo(4);
    assertThat(config.flag("tie_word_embeddings")).isTrue();
    try (TensorFile tensors = model.tensors()) {
      assertThat(tensors.names()).hasSize(11);
      // Values count from the beginning: 5 * 8 of the embedding, 8 of the norm, then the queries.
      float[] rows = first(tensors, "model.layers.0.self_attn.q_proj.weight", 8, 8);
      assertThat(rows).containsExactly(48, 64, 56, 72, 80, 96, 88, 104);
      float[] keys = first(tensors, "model.layers.0.self_attn.k_proj.weight", 4, 8);
      assertThat(keys).containsExactly(112, 128, 120, 136);
      float[] values = first(tensors, "model.layers.0.self_attn.v_proj.weight", 4, 8);
      assertThat(values).containsExactly(144, 152, 160, 168);
    }
    assertThatThrownBy(model::tokenizer)
        .isInstanceOf(HubException.NotFound.class)
        .hasMessageContaining("tok5.bin or tokenizer.bin");
  }

  @Test
  void aHeadOfItsOwnComesAfterTheTables() throws IOException {
    Path file = write(2, 8, 12, 2, 1, -5, 6);
    try (TensorFile tensors = ModelDirectory.of(file).tensors()) {
      assertThat(ModelDirectory.of(file).config().flag("tie_word_embeddings")).isFalse();
      long all = Files.size(file) / 4 - 7;
      assertThat(first(tensors, "lm_head.weight", 1, 8)).containsExactly((float) (all - 40));
    }
  }

  @Test
  void refusesFilesOfAnotherSize() throws IOException {
    Path file = write(1, 8, 12, 2, 1, 5, 6);
    byte[] bytes = Files.readAllBytes(file);
    Files.write(file, Arrays.copyOf(bytes, bytes.length - 1));
    assertThatThrownBy(() -> Llama2cModel.open(file))
        .isInstanceOf(FileFormatException.class)
        .hasMessageContaining("its size is not what its first seven numbers ask for");
    assertThatThrownBy(() -> Hub.open(file.toString()))
        .isInstanceOf(HubException.NotFound.class)
        .hasMessageContaining("holds no model that Trimtab knows");
    Files.write(file, new byte[3]);
    assertThatThrownBy(() -> Llama2cModel.open(file)).isInstanceOf(FileFormatException.class);
    for (int field = 0; field < 7; field++) {
      ByteBuffer damaged = ByteBuffer.wrap(bytes.clone()).order(ByteOrder.LITTLE_ENDIAN);
      damaged.putInt(4 * field, Integer.MIN_VALUE);
      Files.write(file, damaged.array());
      assertThatThrownBy(() -> Llama2cModel.open(file)).isInstanceOf(FileFormatException.class);
    }
  }

  @Test
  void storiesHaveTheirSizeAndTokens() {
    Path file = STORIES.resolve("stories260K.bin");
    assumeThat(file).as("the tiny model that tells stories at -Dtrimtab.data").exists();
    ModelDirectory model = ModelDirectory.of(file);
    try (TensorFile tensors = model.tensors();
        Tokenizer tokenizer = model.tokenizer()) {
      long elements = tensors.names().stream().mapToLong(n -> tensors.info(n).elements()).sum();
      assertThat(elements).isEqualTo(260_032);
      assertThat(tokenizer.vocabularySize()).isEqualTo(512);
      // What the model says first, see llama2.c's own documentation of it.
      int[] ids = {403, 407, 261, 378, 432, 383, 286, 261, 376, 298, 315, 421, 395, 317, 426};
      String text = tokenizer.decode(ids);
      assertThat(text).startsWith("Once upon a time, there was a little girl");
      int[] framed = tokenizer.encode(text).ids();
      assertThat(framed[0]).isEqualTo(1);
      assertThat(Arrays.copyOfRange(framed, 1, framed.length)).containsExactly(ids);
      String mixed = "Zo\u00eb\n saw 3  cats \u2013 \ud83d\ude42!";
      int[] mixedIds = tokenizer.encodeWithoutSpecial(mixed).ids();
      assertThat(tokenizer.decode(mixedIds)).isEqualTo(mixed);
      TextStream stream = new TextStream(tokenizer, true);
      StringBuilder told = new StringBuilder(stream.add(1));
      for (int id : mixedIds) {
        String piece = stream.add(id);
        assertThat(piece).doesNotContain("\ufffd");
        told.append(piece);
      }
      assertThat(told.append(stream.rest())).hasToString(mixed);
    }
  }

  /** The values are their own positions. */
  private Path write(
      int layers, int width, int inner, int heads, int keyHeads, int vocabulary, int context)
      throws IOException {
    int head = width / heads;
    int keys = keyHeads * head;
    int tokens = Math.abs(vocabulary);
    int layer = 2 * width + 2 * width * width + 2 * keys * width + 3 * inner * width;
    int count = tokens * width + layers * layer + width + context * head;
    count += vocabulary < 0 ? tokens * width : 0;
    ByteBuffer out = ByteBuffer.allocate(28 + 4 * count).order(ByteOrder.LITTLE_ENDIAN);
    for (int n : new int[] {width, inner, layers, heads, keyHeads, vocabulary, context}) {
      out.putInt(n);
    }
    for (int i = 0; i < count; i++) {
      out.putFloat(i);
    }
    return Files.write(directory.resolve("model.bin"), out.array());
  }

  /** The first value of each row. */
  private static float[] first(TensorFile tensors, String name, int rows, int columns) {
    float[] all = tensors.bytes(name).toArray(ValueLayout.JAVA_FLOAT_UNALIGNED);
    float[] out = new float[rows];
    for (int i = 0; i < rows; i++) {
      out[i] = all[i * columns];
    }
    return out;
  }
}
