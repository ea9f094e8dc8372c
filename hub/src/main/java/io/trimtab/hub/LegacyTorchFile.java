package io.trimtab.hub;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Map;

/**
 * The file that {@code torch.save} wrote before PyTorch 1.6: four pickles (magic number, version of
 * the format, the machine, the object), a pickle of the keys of storages, and the storages in that
 * order, each behind the number of its elements. All numbers are little-endian on every machine.
 *
 * @param root the object
 * @param storages the elements of storages by their keys
 */
record LegacyTorchFile(PickleValue root, Map<String, MemorySegment> storages) {

  /** The pickle of the magic number 0x1950a86a20f9469cfc6c. */
  static final byte[] MAGIC = {
    (byte) 0x80,
    2,
    (byte) 0x8A,
    10,
    0x6C,
    (byte) 0xFC,
    (byte) 0x9C,
    0x46,
    (byte) 0xF9,
    0x20,
    0x6A,
    (byte) 0xA8,
    0x50,
    0x19,
    '.'
  };

  private static final long VERSION = 1001;

  /** Reads the pickles and finds the storages; the caller has seen the magic number. */
  static LegacyTorchFile read(Path file, MemorySegment bytes) {
    long head = Math.min(bytes.byteSize(), TorchCheckpoint.MAX_PICKLE);
    var cursor = new ByteCursor(file, bytes.asSlice(0, head));
    cursor.slice(MAGIC.length);
    if (!(Unpickler.read(file, cursor) instanceof PickleValue.Int(long version))
        || version != VERSION) {
      throw cursor.error("it is of another version than " + VERSION);
    }
    Unpickler.read(file, cursor); // the machine that wrote it; says nothing about the file
    var types = new HashMap<String, PickleValue.Storage>();
    PickleValue root = Unpickler.read(file, cursor, types);
    if (!(Unpickler.read(file, cursor) instanceof PickleValue.Items(var keys))) {
      throw cursor.error("it has no list of storages");
    }
    return new LegacyTorchFile(root, storages(file, bytes, cursor.position(), keys, types));
  }

  private static Map<String, MemorySegment> storages(
      Path file,
      MemorySegment bytes,
      long start,
      ArrayList<PickleValue> keys,
      Map<String, PickleValue.Storage> types) {
    var cursor = new ByteCursor(file, bytes.asSlice(start));
    var storages = new HashMap<String, MemorySegment>();
    for (PickleValue key : keys) {
      PickleValue.Storage storage =
          key instanceof PickleValue.Text(String text) ? types.get(text) : null;
      if (storage == null) {
        throw cursor.error("it lists a storage that no tensor uses");
      }
      long elements = cursor.fixed64();
      if (elements != storage.elements()) {
        throw cursor.error(
            "storage '%s' has %d elements instead of %d"
                .formatted(storage.key(), elements, storage.elements()));
      }
      long size = elements > bytes.byteSize() ? elements : elements * storage.dtype().bytes();
      storages.put(storage.key(), cursor.slice(size));
    }
    if (cursor.hasRemaining()) {
      throw cursor.error("it goes on after its last storage");
    }
    return storages;
  }
}
