package io.trimtab.hub.llama2c;

import io.trimtab.hub.FileFormatException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;

/**
 * The seven numbers at the front of a checkpoint of version 0, and what follows from them: all
 * weights in single precision, each kind for all layers at once.
 *
 * @param width of a token's vector
 * @param inner of the feed-forward layers
 * @param layers how many
 * @param heads of queries
 * @param keyHeads of keys and values
 * @param vocabulary number of tokens
 * @param shared whether the head is the embedding
 * @param context the largest number of positions
 */
record Llama2cCheckpoint(
    int width,
    int inner,
    int layers,
    int heads,
    int keyHeads,
    int vocabulary,
    boolean shared,
    int context) {
  static final int HEADER = 7 * Integer.BYTES;
  private static final int MOST = 1 << 24;

  /**
   * A kind of weight: its rows and columns in one layer, and the name in Hugging Face checkpoints.
   *
   * @param name {@code {n}} stands for the layer
   * @param layers in how many layers it is; 1 for what no layer holds
   * @param rows the outer size
   * @param columns the inner size, or 0 for a vector
   * @param pairedHeads the heads whose rows turn as neighbouring pairs; 0 for none
   */
  record Kind(String name, int layers, int rows, int columns, int pairedHeads) {
    long bytes() {
      return (long) rows * Math.max(1, columns) * Float.BYTES;
    }
  }

  /** Reads the header, if the file's size is exactly what such a header asks for. */
  static Optional<Llama2cCheckpoint> read(Path file) {
    try (InputStream in = Files.newInputStream(file)) {
      byte[] bytes = in.readNBytes(HEADER);
      if (bytes.length < HEADER) {
        return Optional.empty();
      }
      ByteBuffer header = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
      int[] n = new int[7];
      for (int i = 0; i < n.length; i++) {
        n[i] = header.getInt();
      }
      // A negative vocabulary says that the head has a matrix of its own.
      int vocabulary = n[5] == Integer.MIN_VALUE ? 0 : Math.abs(n[5]);
      for (int value : new int[] {n[0], n[1], n[2], n[3], n[4], vocabulary, n[6]}) {
        if (value < 1 || value > MOST) {
          return Optional.empty();
        }
      }
      var found = new Llama2cCheckpoint(n[0], n[1], n[2], n[3], n[4], vocabulary, n[5] > 0, n[6]);
      boolean fits = found.isDivisible() && found.size() == Files.size(file);
      return fits ? Optional.of(found) : Optional.empty();
    } catch (IOException e) {
      throw new FileFormatException(file, "cannot be read (" + e.getMessage() + ")", e);
    }
  }

  private boolean isDivisible() {
    return width % heads == 0 && heads % keyHeads == 0 && headSize() % 2 == 0;
  }

  int headSize() {
    return width / heads;
  }

  /** All kinds in the order of the file, with the offset of the first layer's. */
  SequencedMap<Kind, Long> kinds() {
    int keys = keyHeads * headSize();
    String layer = "model.layers.{n}.";
    Kind[] kinds = {
      new Kind("model.embed_tokens.weight", 1, vocabulary, width, 0),
      new Kind(layer + "input_layernorm.weight", layers, width, 0, 0),
      new Kind(layer + "self_attn.q_proj.weight", layers, width, width, heads),
      new Kind(layer + "self_attn.k_proj.weight", layers, keys, width, keyHeads),
      new Kind(layer + "self_attn.v_proj.weight", layers, keys, width, 0),
      new Kind(layer + "self_attn.o_proj.weight", layers, width, width, 0),
      new Kind(layer + "post_attention_layernorm.weight", layers, width, 0, 0),
      new Kind(layer + "mlp.gate_proj.weight", layers, inner, width, 0),
      new Kind(layer + "mlp.down_proj.weight", layers, width, inner, 0),
      new Kind(layer + "mlp.up_proj.weight", layers, inner, width, 0),
      new Kind("model.norm.weight", 1, width, 0, 0),
    };
    SequencedMap<Kind, Long> out = new LinkedHashMap<>();
    long offset = HEADER;
    for (Kind kind : kinds) {
      out.put(kind, offset);
      offset += kind.layers() * kind.bytes();
    }
    if (!shared) {
      // Two tables of cosines and sines, which follow from the sizes, are between.
      out.put(new Kind("lm_head.weight", 1, vocabulary, width, 0), offset + tables());
    }
    return out;
  }

  private long tables() {
    return (long) context * headSize() * Float.BYTES;
  }

  private long size() {
    Map.Entry<Kind, Long> last = kinds().lastEntry();
    long end = last.getValue() + last.getKey().layers() * last.getKey().bytes();
    return shared ? end + tables() : end;
  }
}
