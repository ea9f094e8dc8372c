package io.trimtab.hub;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Writes ZIP files as PyTorch does, with or without 64-bit sizes, and wrong ones. */
final class ZipBuilder {
  private record Entry(String name, int local, long size) {}

  private final List<Entry> entries = new ArrayList<>();
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private int method;
  private int flags;

  /** The entries of a checkpoint with that pickle and no storages yet. */
  static ZipBuilder checkpoint(byte[] pickle) {
    return new ZipBuilder().entry("m/data.pkl", pickle);
  }

  ZipBuilder storage(String key, byte[] content) {
    return entry("m/data/" + key, content);
  }

  ZipBuilder entry(String name, byte[] content) {
    byte[] utf8 = name.getBytes(StandardCharsets.UTF_8);
    entries.add(new Entry(name, out.size(), content.length));
    // As PyTorch does it: sizes in front are zero, and an extra field pads to 64 bytes.
    int padding = 64 - (out.size() + 34 + utf8.length) % 64;
    out.writeBytes(
        little(34 + utf8.length + padding)
            .putInt(StoredZip.LOCAL_HEADER)
            .position(26)
            .putShort((short) utf8.length)
            .putShort((short) (4 + padding))
            .put(utf8)
            .putShort((short) 0x4246)
            .putShort((short) padding)
            .array());
    out.writeBytes(content);
    return this;
  }

  /** An entry of the directory only, for the content of the last one. */
  ZipBuilder again(String name) {
    Entry last = entries.getLast();
    entries.add(new Entry(name, last.local(), last.size()));
    return this;
  }

  ZipBuilder method(int number) {
    method = number;
    return this;
  }

  ZipBuilder flags(int bits) {
    flags = bits;
    return this;
  }

  /** Lets the directory say that the last entry has so many bytes more. */
  ZipBuilder lie(long bytes) {
    Entry last = entries.removeLast();
    entries.add(new Entry(last.name(), last.local(), last.size() + bytes));
    return this;
  }

  byte[] build() {
    return build(false);
  }

  /** The whole file; wide means that all numbers are in the 64-bit fields. */
  byte[] build(boolean wide) {
    var whole = new ByteArrayOutputStream();
    whole.writeBytes(out.toByteArray());
    int start = whole.size();
    for (Entry entry : entries) {
      whole.writeBytes(directoryEntry(entry, wide));
    }
    int end = whole.size();
    if (wide) {
      whole.writeBytes(
          little(76)
              .putInt(0x06064b50)
              .putLong(44)
              .position(24)
              .putLong(entries.size())
              .putLong(entries.size())
              .putLong(end - start)
              .putLong(start)
              .putInt(0x07064b50)
              .putInt(0)
              .putLong(end)
              .putInt(1)
              .array());
    }
    whole.writeBytes(
        little(22)
            .putInt(0x06054b50)
            .position(8)
            .putShort((short) (wide ? -1 : entries.size()))
            .putShort((short) (wide ? -1 : entries.size()))
            .putInt(wide ? -1 : end - start)
            .putInt(wide ? -1 : start)
            .array());
    return whole.toByteArray();
  }

  private byte[] directoryEntry(Entry entry, boolean wide) {
    byte[] name = entry.name().getBytes(StandardCharsets.UTF_8);
    int extra = wide ? 34 : 0;
    ByteBuffer header = ByteBuffer.allocate(46 + name.length + extra);
    header
        .order(ByteOrder.LITTLE_ENDIAN)
        .putInt(0x02014b50)
        .position(8)
        .putShort((short) flags)
        .putShort((short) method)
        .position(20)
        .putInt((int) (wide ? -1 : entry.size()))
        .putInt((int) (wide ? -1 : entry.size()))
        .putShort((short) name.length)
        .putShort((short) extra)
        .position(42)
        .putInt(wide ? -1 : entry.local())
        .put(name);
    if (wide) {
      // Another field in front, which is to be skipped.
      header.putShort((short) 0x5455).putShort((short) 2).putShort((short) 7);
      header.putShort((short) 1).putShort((short) 24);
      header.putLong(entry.size()).putLong(entry.size()).putLong(entry.local());
    }
    return header.array();
  }

  private static ByteBuffer little(int size) {
    return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
  }
}
