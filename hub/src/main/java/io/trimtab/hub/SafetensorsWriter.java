package io.trimtab.hub;

import io.trimtab.tensor.DType;
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
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonEncoding;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/**
 * Writes safetensors files tensor by tensor, byte for byte as the reference implementation does.
 */
final class SafetensorsWriter {

  /** A tensor whose elements are fetched or computed only when their turn comes. */
  interface Source {
    DType dtype();

    long[] shape();

    /** The elements; what has to be computed may live in {@code scratch}, freed after writing. */
    MemorySegment bytes(Arena scratch);
  }

  /**
   * Element types as the reference implementation orders them, the last coming first in the file:
   * wide types first keeps every tensor aligned to its own element size.
   */
  private static final List<DType> ORDER =
      List.of(
          DType.BOOL,
          DType.U8,
          DType.I8,
          DType.F16,
          DType.BF16,
          DType.I32,
          DType.F32,
          DType.F64,
          DType.I64);

  private static final int ALIGNMENT = 8;
  private static final long NATIVE_CHUNK = 1L << 26;
  private static final long HEAP_CHUNK = 1L << 20;
  private static final JsonFactory JSON = new JsonFactory();

  private SafetensorsWriter() {}

  static void write(
      Path file, Map<String, ? extends Source> tensors, Map<String, String> metadata) {
    List<String> names = new ArrayList<>(tensors.keySet());
    Comparator<String> byType =
        Comparator.comparingInt(name -> -ORDER.indexOf(of(tensors, name).dtype()));
    names.sort(byType.thenComparing(SafetensorsWriter::utf8, Arrays::compareUnsigned));
    byte[] header = header(file, names, tensors, metadata);
    AtomicFiles.writeFile(
        file,
        channel -> {
          var length = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
          writeAll(channel, length.putLong(0, header.length));
          writeAll(channel, ByteBuffer.wrap(header));
          for (String name : names) {
            try (Arena scratch = Arena.ofConfined()) {
              writeAll(channel, of(tensors, name).bytes(scratch));
            }
          }
        });
  }

  private static Source of(Map<String, ? extends Source> tensors, String name) {
    Source source = tensors.get(name);
    if (source == null) {
      throw new FileFormatException("tensor '" + name + "' has no value");
    }
    return source;
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static byte[] header(
      Path file,
      List<String> names,
      Map<String, ? extends Source> tensors,
      Map<String, String> metadata) {
    var out = new ByteArrayOutputStream();
    try (JsonGenerator json =
        JSON.createGenerator(ObjectWriteContext.empty(), out, JsonEncoding.UTF8)) {
      json.writeStartObject();
      if (!metadata.isEmpty()) {
        json.writeName(SafetensorsHeader.METADATA).writeStartObject();
        metadata.forEach(json::writeStringProperty);
        json.writeEndObject();
      }
      long offset = 0;
      for (String name : names) {
        if (name.equals(SafetensorsHeader.METADATA)) {
          throw new FileFormatException(file, "no tensor can be called " + name);
        }
        Source source = of(tensors, name);
        var info = new TensorInfo(name, source.dtype(), source.shape());
        json.writeName(name).writeStartObject();
        json.writeStringProperty("dtype", info.dtype().name());
        long[] shape = info.shape();
        json.writeName("shape").writeArray(shape, 0, shape.length);
        long end = Math.addExact(offset, info.byteSize());
        json.writeName("data_offsets").writeArray(new long[] {offset, end}, 0, 2);
        json.writeEndObject();
        offset = end;
      }
      json.writeEndObject();
    } catch (JacksonException e) {
      throw new FileFormatException(
          file, "a name or metadata text is not valid Unicode (" + e.getOriginalMessage() + ")", e);
    }
    while (out.size() % ALIGNMENT != 0) {
      out.write(' ');
    }
    if (out.size() > SafetensorsHeader.MAX_LENGTH) {
      throw new FileFormatException(
          file,
          "needs a header of %d bytes, more than the %d allowed; split it into several files"
              .formatted(out.size(), SafetensorsHeader.MAX_LENGTH));
    }
    return out.toByteArray();
  }

  private static void writeAll(FileChannel channel, MemorySegment bytes) throws IOException {
    // Arrays of Java cannot be seen as byte buffers, so they go through small copies.
    long chunk = bytes.isNative() ? NATIVE_CHUNK : HEAP_CHUNK;
    for (long from = 0; from < bytes.byteSize(); from += chunk) {
      MemorySegment part = bytes.asSlice(from, Math.min(chunk, bytes.byteSize() - from));
      writeAll(
          channel,
          bytes.isNative()
              ? part.asByteBuffer()
              : ByteBuffer.wrap(part.toArray(ValueLayout.JAVA_BYTE)));
    }
  }

  private static void writeAll(FileChannel channel, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }
}
