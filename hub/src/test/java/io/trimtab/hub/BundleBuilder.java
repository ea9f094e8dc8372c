package io.trimtab.hub;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Writes small TensorFlow bundles, with prefix-compressed keys and right checksums. */
final class BundleBuilder {
  private static final int ENTRIES_A_BLOCK = 3;

  private final TreeMap<String, byte[]> entries = new TreeMap<>();
  private final List<ByteArrayOutputStream> shards = new ArrayList<>();

  BundleBuilder(int shardCount) {
    for (int i = 0; i < shardCount; i++) {
      shards.add(new ByteArrayOutputStream());
    }
    entries.put("", new ProtoBuilder().number(1, shardCount).build());
  }

  BundleBuilder tensor(String name, int shard, long[] shape, float... values) {
    byte[] bytes = ProtoBuilder.floats(values);
    ProtoBuilder entry = entry(1, shape, shard, shards.get(shard).size(), bytes.length);
    entry.fixed32(6, MaskedCrc.of(MemorySegment.ofArray(bytes)));
    shards.get(shard).writeBytes(bytes);
    return entry(name, entry);
  }

  BundleBuilder entry(String name, ProtoBuilder entry) {
    entries.put(name, entry.build());
    return this;
  }

  static ProtoBuilder entry(int type, long[] shape, int shard, long offset, long size) {
    var dimensions = new ProtoBuilder();
    for (long dimension : shape) {
      dimensions.message(2, new ProtoBuilder().number(1, dimension));
    }
    return new ProtoBuilder()
        .number(1, type)
        .message(2, dimensions)
        .number(3, shard)
        .number(4, offset)
        .number(5, size);
  }

  /** Writes {@code variables.index} and its shards and returns the index. */
  Path write(Path directory) throws IOException {
    Files.createDirectories(directory);
    for (int i = 0; i < shards.size(); i++) {
      Files.write(
          directory.resolve("variables.data-%05d-of-%05d".formatted(i, shards.size())),
          shards.get(i).toByteArray());
    }
    return Files.write(directory.resolve("variables.index"), index(0));
  }

  /** The index, its blocks marked with a compression type. */
  byte[] index(int compression) {
    var table = new ProtoBuilder();
    var index = new TreeMap<String, byte[]>();
    var rest = new ArrayList<>(entries.entrySet());
    while (!rest.isEmpty()) {
      var part = rest.subList(0, Math.min(ENTRIES_A_BLOCK, rest.size()));
      index.put(part.getLast().getKey(), block(table, part, compression));
      part.clear();
    }
    byte[] indexHandle = block(table, index.entrySet(), compression);
    byte[] metaHandle = block(table, List.of(), compression);
    var footer = ByteBuffer.allocate(48).order(ByteOrder.LITTLE_ENDIAN);
    footer.put(metaHandle).put(indexHandle).putLong(40, 0xdb4775248b80fb57L);
    return table.raw(footer.array()).build();
  }

  /** Appends a block and returns its handle. */
  private static byte[] block(
      ProtoBuilder table, Iterable<Map.Entry<String, byte[]>> entries, int compression) {
    var block = new ProtoBuilder();
    byte[] previous = {};
    for (Map.Entry<String, byte[]> entry : entries) {
      byte[] key = entry.getKey().getBytes(StandardCharsets.UTF_8);
      int mismatch = Arrays.mismatch(previous, key);
      int shared = mismatch < 0 ? key.length : mismatch;
      block.varint(shared).varint(key.length - shared).varint(entry.getValue().length);
      block.raw(Arrays.copyOfRange(key, shared, key.length)).raw(entry.getValue());
      previous = key;
    }
    block.raw(new byte[] {0, 0, 0, 0, 1, 0, 0, 0, (byte) compression});
    byte[] bytes = block.build();
    byte[] handle = new ProtoBuilder().varint(table.size()).varint(bytes.length - 1).build();
    int crc = MaskedCrc.of(MemorySegment.ofArray(bytes));
    table.raw(bytes);
    table.raw((byte) crc, (byte) (crc >> 8), (byte) (crc >> 16), (byte) (crc >> 24));
    return handle;
  }
}
