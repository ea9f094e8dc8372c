package io.trimtab.hub.gguf;

import io.trimtab.hub.AtomicFiles;
import io.trimtab.hub.FileFormatException;
import io.trimtab.hub.blocks.BlockFormat;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.SequencedMap;

/** Writes GGUF files of version 3, tensor by tensor, so that they are whole or not there at all. */
public final class GgufWriter {
  private static final int VERSION = 3;
  private static final long NATIVE_CHUNK = 1L << 26;
  private static final long HEAP_CHUNK = 1L << 20;

  private GgufWriter() {}

  /** A tensor whose blocks are fetched or computed only when their turn comes. */
  public interface Source {
    /** How the values are packed. */
    BlockFormat format();

    /** The sizes of the dimensions, outermost first. */
    long[] shape();

    /** The blocks; what has to be computed may live in {@code scratch}, freed after writing. */
    MemorySegment blocks(Arena scratch);
  }

  /**
   * Writes a file, replacing an existing one. The same input gives the same bytes.
   *
   * @throws FileFormatException if a tensor has no whole number of blocks a row or too many
   *     dimensions, or the file cannot be written
   */
  public static void write(
      Path file,
      SequencedMap<String, GgufValue> metadata,
      SequencedMap<String, ? extends Source> tensors) {
    int alignment =
        metadata.get(GgufFile.ALIGNMENT) instanceof GgufValue.Whole(GgufType _, long value)
            ? Math.toIntExact(value)
            : GgufFile.DEFAULT_ALIGNMENT;
    var head = new Head();
    head.integer(GgufFile.MAGIC);
    head.integer(VERSION);
    head.wide(tensors.size());
    head.wide(metadata.size());
    for (Map.Entry<String, GgufValue> entry : metadata.entrySet()) {
      head.text(entry.getKey());
      head.integer(entry.getValue().type().number());
      head.value(entry.getValue());
    }
    long offset = 0;
    for (Map.Entry<String, ? extends Source> entry : tensors.entrySet()) {
      Source source = entry.getValue();
      long[] shape = source.shape();
      head.text(entry.getKey());
      head.integer(shape.length);
      for (int i = shape.length - 1; i >= 0; i--) {
        head.wide(shape[i]);
      }
      head.integer(source.format().ggmlType());
      head.wide(offset);
      offset = aligned(offset + size(file, entry.getKey(), source), alignment);
    }
    AtomicFiles.writeFile(
        file,
        channel -> {
          pad(channel, write(channel, MemorySegment.ofArray(head.bytes())), alignment);
          for (Map.Entry<String, ? extends Source> entry : tensors.entrySet()) {
            try (Arena scratch = Arena.ofConfined()) {
              MemorySegment blocks = entry.getValue().blocks(scratch);
              if (blocks.byteSize() != size(file, entry.getKey(), entry.getValue())) {
                throw new FileFormatException(
                    file, "tensor '" + entry.getKey() + "' has another size than its shape");
              }
              pad(channel, write(channel, blocks), alignment);
            }
          }
        });
  }

  private static long size(Path file, String name, Source source) {
    long[] shape = source.shape();
    BlockFormat format = source.format();
    if (shape.length < 1 || shape.length > 4 || shape[shape.length - 1] % format.blockSize() != 0) {
      throw new FileFormatException(
          file,
          "tensor '%s' of shape %s cannot be packed as %s"
              .formatted(name, Arrays.toString(shape), format));
    }
    return format.bytes(Arrays.stream(shape).reduce(1, Math::multiplyExact));
  }

  private static long aligned(long offset, int alignment) {
    return (offset + alignment - 1) / alignment * alignment;
  }

  private static void pad(FileChannel channel, long written, int alignment) throws IOException {
    write(channel, MemorySegment.ofArray(new byte[(int) (aligned(written, alignment) - written)]));
  }

  private static long write(FileChannel channel, MemorySegment bytes) throws IOException {
    // Arrays of Java cannot be seen as byte buffers, so they go through small copies.
    long chunk = bytes.isNative() ? NATIVE_CHUNK : HEAP_CHUNK;
    for (long from = 0; from < bytes.byteSize(); from += chunk) {
      MemorySegment part = bytes.asSlice(from, Math.min(chunk, bytes.byteSize() - from));
      ByteBuffer buffer =
          bytes.isNative()
              ? part.asByteBuffer()
              : ByteBuffer.wrap(part.toArray(ValueLayout.JAVA_BYTE));
      while (buffer.hasRemaining()) {
        channel.write(buffer);
      }
    }
    return bytes.byteSize();
  }

  /** What comes before the tensors, little-endian. */
  private static final class Head {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteBuffer buffer = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);

    byte[] bytes() {
      return out.toByteArray();
    }

    void integer(int value) {
      buffer.putInt(0, value);
      out.write(buffer.array(), 0, Integer.BYTES);
    }

    void wide(long value) {
      buffer.putLong(0, value);
      out.write(buffer.array(), 0, Long.BYTES);
    }

    void text(String value) {
      byte[] utf8 = value.getBytes(StandardCharsets.UTF_8);
      wide(utf8.length);
      out.writeBytes(utf8);
    }

    void value(GgufValue value) {
      switch (value) {
        case GgufValue.Whole(GgufType type, long whole) -> {
          buffer.putLong(0, whole);
          out.write(buffer.array(), 0, type.leastBytes());
        }
        case GgufValue.Real(GgufType type, double real) -> {
          if (type == GgufType.F32) {
            integer(Float.floatToRawIntBits((float) real));
          } else {
            wide(Double.doubleToRawLongBits(real));
          }
        }
        case GgufValue.Flag(boolean flag) -> out.write(flag ? 1 : 0);
        case GgufValue.Text(String text) -> text(text);
        case GgufValue.Items(GgufType element, var values) -> {
          integer(element.number());
          wide(values.size());
          values.forEach(this::value);
        }
      }
    }
  }
}
