package io.trimtab.hub;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.function.BiConsumer;

/**
 * Walks a LevelDB-format table, the container of TensorFlow's {@code variables.index}: blocks of
 * prefix-compressed key-value pairs, an index block that says where they are, and a footer that
 * says where the index is.
 */
final class TableReader {
  private static final long MAGIC = 0xdb4775248b80fb57L;
  private static final int FOOTER = 48;

  /** After each block: one byte of compression type, four of checksum. */
  private static final int TRAILER = 5;

  private static final int MAX_KEY = 1 << 15;

  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final Path file;
  private final MemorySegment bytes;
  private final long blocksEnd;

  private TableReader(Path file, MemorySegment bytes) {
    this.file = file;
    this.bytes = bytes;
    this.blocksEnd = bytes.byteSize() - FOOTER;
  }

  /** Hands every key and value of a table to {@code consumer}, in the order of the file. */
  static void forEach(Path file, MemorySegment bytes, BiConsumer<String, MemorySegment> consumer) {
    if (bytes.byteSize() < FOOTER || bytes.get(LONG, bytes.byteSize() - Long.BYTES) != MAGIC) {
      throw new FileFormatException(
          file, "is not a TensorFlow bundle index, or cut off: its last 8 bytes are wrong");
    }
    var reader = new TableReader(file, bytes);
    var footer = new ByteCursor(file, bytes.asSlice(reader.blocksEnd, FOOTER));
    // The first handle is that of the meta-index, which bundles do not use.
    footer.varint();
    footer.varint();
    MemorySegment index = reader.block(footer.varint(), footer.varint());
    reader.entries(
        index,
        (key, value) -> {
          var handle = new ByteCursor(file, value);
          MemorySegment block = reader.block(handle.varint(), handle.varint());
          reader.entries(block, (name, content) -> consumer.accept(reader.text(name), content));
        });
  }

  private MemorySegment block(long offset, long size) {
    if (offset < 0
        || size < Integer.BYTES
        || size > blocksEnd
        || offset > blocksEnd - size - TRAILER) {
      throw error("a block lies outside the file");
    }
    byte compression = bytes.get(ValueLayout.JAVA_BYTE, offset + size);
    // The checksum covers the compression byte too.
    if (bytes.get(INT, offset + size + 1) != MaskedCrc.of(bytes.asSlice(offset, size + 1))) {
      throw error("the checksum of a block is wrong");
    }
    if (compression != 0) {
      throw new FileFormatException(
          file, "has blocks of compression type " + compression + "; only plain blocks are read");
    }
    return bytes.asSlice(offset, size);
  }

  private void entries(MemorySegment block, BiConsumer<byte[], MemorySegment> consumer) {
    long restarts = Integer.toUnsignedLong(block.get(INT, block.byteSize() - Integer.BYTES));
    long end = block.byteSize() - Integer.BYTES - restarts * Integer.BYTES;
    if (end < 0) {
      throw error("a block has " + restarts + " restart points");
    }
    var cursor = new ByteCursor(file, block.asSlice(0, end));
    byte[] key = {};
    while (cursor.hasRemaining()) {
      long shared = cursor.varint();
      long unshared = cursor.varint();
      long valueLength = cursor.varint();
      if (shared < 0 || shared > key.length) {
        throw error("a key shares " + shared + " bytes with one of " + key.length);
      }
      MemorySegment rest = cursor.slice(unshared);
      if (shared + unshared > MAX_KEY) {
        throw error("a key has " + (shared + unshared) + " bytes");
      }
      key = Arrays.copyOf(key, (int) (shared + unshared));
      MemorySegment.copy(rest, ValueLayout.JAVA_BYTE, 0, key, (int) shared, (int) unshared);
      consumer.accept(key, cursor.slice(valueLength));
    }
  }

  private String text(byte[] key) {
    return new ByteCursor(file, bytes).text(MemorySegment.ofArray(key));
  }

  private FileFormatException error(String what) {
    return new FileFormatException(file, "is damaged: " + what);
  }
}
