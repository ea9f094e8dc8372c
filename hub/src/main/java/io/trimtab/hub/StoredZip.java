package io.trimtab.hub;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.SequencedMap;
import java.util.TreeMap;

/**
 * The entries of a ZIP file that compresses nothing, as slices of the mapped file. {@link
 * java.util.zip.ZipFile} would hand out streams, and copies of weights are what mapping avoids. The
 * checksums are not compared: that would read all weights at once, and PyTorch can leave them out.
 */
final class StoredZip {
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  static final int LOCAL_HEADER = 0x04034b50;
  private static final int DIRECTORY_HEADER = 0x02014b50;
  private static final int END = 0x06054b50;
  private static final int END_64 = 0x06064b50;
  private static final int LOCATOR_64 = 0x07064b50;

  private static final int LOCAL_HEADER_SIZE = 30;
  private static final int DIRECTORY_HEADER_SIZE = 46;
  private static final int END_SIZE = 22;
  private static final int END_64_SIZE = 56;
  private static final int LOCATOR_64_SIZE = 20;

  /** More entries than this are taken for damage, before they can fill the heap. */
  private static final int MAX_ENTRIES = 1 << 18;

  private static final int MAX_COMMENT = 0xFFFF;
  private static final long SATURATED = 0xFFFFFFFFL;
  private static final int ENCRYPTED = 1;

  private final Path file;
  private final MemorySegment bytes;
  private final SequencedMap<String, MemorySegment> entries = new LinkedHashMap<>();

  /** Where entries end, by where they begin. */
  private final TreeMap<Long, Long> ranges = new TreeMap<>();

  /** Where the directory begins, which is behind all entries. */
  private long directoryStart;

  private StoredZip(Path file, MemorySegment bytes) {
    this.file = file;
    this.bytes = bytes;
  }

  /**
   * The entries by name, in the order of the directory.
   *
   * @throws FileFormatException if the file is damaged, or an entry is compressed, encrypted, there
   *     twice, or shares bytes with another one
   */
  static SequencedMap<String, MemorySegment> read(Path file, MemorySegment bytes) {
    var zip = new StoredZip(file, bytes);
    zip.readDirectory();
    zip.checkOverlaps();
    return Collections.unmodifiableSequencedMap(zip.entries);
  }

  private void readDirectory() {
    long end = findEnd();
    long count = u16(end + 10);
    long size = u32(end + 12);
    long position = u32(end + 16);
    long limit = end;
    long locator = end - LOCATOR_64_SIZE;
    if (locator >= 0 && bytes.get(INT, locator) == LOCATOR_64) {
      limit = bytes.get(LONG, locator + 8);
      require(limit, END_64_SIZE, locator, "the end of the directory");
      if (bytes.get(INT, limit) != END_64) {
        throw error("the end of its directory is not where the file says");
      }
      count = bytes.get(LONG, limit + 32);
      size = bytes.get(LONG, limit + 40);
      position = bytes.get(LONG, limit + 48);
    }
    require(position, size, limit, "the directory");
    if (count < 0 || count > MAX_ENTRIES) {
      throw error("it has " + Long.toUnsignedString(count) + " entries");
    }
    directoryStart = position;
    long directoryEnd = position + size;
    for (long i = 0; i < count; i++) {
      position = readEntry(position, directoryEnd);
    }
    if (position != directoryEnd) {
      throw error("its directory has %d bytes too many".formatted(directoryEnd - position));
    }
  }

  private long findEnd() {
    long first = Math.max(0, bytes.byteSize() - END_SIZE - MAX_COMMENT);
    for (long at = bytes.byteSize() - END_SIZE; at >= first; at--) {
      if (bytes.get(INT, at) == END && at + END_SIZE + u16(at + 20) == bytes.byteSize()) {
        return at;
      }
    }
    throw error("it has no directory at its end; the file is cut off");
  }

  /** Reads an entry of the directory and returns where the next one is. */
  private long readEntry(long at, long directoryEnd) {
    require(at, DIRECTORY_HEADER_SIZE, directoryEnd, "an entry of the directory");
    if (bytes.get(INT, at) != DIRECTORY_HEADER) {
      throw error("its directory has no entry at byte " + at);
    }
    int flags = u16(at + 8);
    int method = u16(at + 10);
    int nameSize = u16(at + 28);
    int extraSize = u16(at + 30);
    long next = at + DIRECTORY_HEADER_SIZE + nameSize + extraSize + u16(at + 32);
    require(at, next - at, directoryEnd, "an entry of the directory");
    MemorySegment rawName = bytes.asSlice(at + DIRECTORY_HEADER_SIZE, nameSize);
    String name = new ByteCursor(file, rawName).text(rawName);
    if (method != 0 || (flags & ENCRYPTED) != 0) {
      throw error("'" + name + "' is compressed or encrypted; PyTorch stores entries plainly");
    }
    long extra = at + DIRECTORY_HEADER_SIZE + nameSize;
    var wide = new WideNumbers(extra, extra + extraSize);
    long size = wide.orElse(u32(at + 24));
    long packed = wide.orElse(u32(at + 20));
    long local = wide.orElse(u32(at + 42));
    if (size != packed) {
      throw error("'%s' has %d bytes but takes %d".formatted(name, size, packed));
    }
    if (entries.putIfAbsent(name, content(name, rawName, local, size)) != null) {
      throw error("it holds the entry '" + name + "' twice");
    }
    return next;
  }

  private MemorySegment content(String name, MemorySegment rawName, long local, long size) {
    String what = "'" + name + "'";
    require(local, LOCAL_HEADER_SIZE, directoryStart, what);
    if (bytes.get(INT, local) != LOCAL_HEADER) {
      throw error(what + " is not where the directory says");
    }
    int nameSize = u16(local + 26);
    long start = local + LOCAL_HEADER_SIZE + nameSize + u16(local + 28);
    require(start, size, directoryStart, what);
    if (rawName.mismatch(bytes.asSlice(local + LOCAL_HEADER_SIZE, nameSize)) >= 0) {
      throw error(what + " has another name in front of its content");
    }
    if (ranges.putIfAbsent(local, start + size) != null) {
      throw error(what + " shares its bytes with another entry");
    }
    return bytes.asSlice(start, size);
  }

  /** Entries that share bytes would let a small file stand for endless weights. */
  private void checkOverlaps() {
    long position = 0;
    for (var range : ranges.entrySet()) {
      if (range.getKey() < position) {
        throw error("two of its entries share bytes");
      }
      position = range.getValue();
    }
  }

  /** The 64-bit numbers of an entry, which follow it in the order in which they are missed. */
  private final class WideNumbers {
    private long position;
    private long end;

    WideNumbers(long extra, long extraEnd) {
      long at = extra;
      while (at <= extraEnd - 4) {
        int size = u16(at + 2);
        require(at + 4, size, extraEnd, "an extra field");
        if (u16(at) == 1) {
          position = at + 4;
          end = position + size;
          return;
        }
        at += 4 + size;
      }
    }

    long orElse(long narrow) {
      if (narrow != SATURATED) {
        return narrow;
      }
      require(position, Long.BYTES, end, "a 64-bit size");
      position += Long.BYTES;
      return bytes.get(LONG, position - Long.BYTES);
    }
  }

  private int u16(long at) {
    return Short.toUnsignedInt(bytes.get(SHORT, at));
  }

  private long u32(long at) {
    return Integer.toUnsignedLong(bytes.get(INT, at));
  }

  private void require(long start, long size, long limit, String what) {
    if (start < 0 || size < 0 || limit > bytes.byteSize() || start > limit - size) {
      throw error(
          "%s has %s bytes at %s where the limit is %d"
              .formatted(what, Long.toUnsignedString(size), Long.toUnsignedString(start), limit));
    }
  }

  private FileFormatException error(String what) {
    return new FileFormatException(file, "is damaged or of another format: " + what);
  }
}
