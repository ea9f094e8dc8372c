package io.trimtab.hub;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads the state dicts that {@code torch.save} writes, such as {@code pytorch_model.bin} and
 * {@code adapter_model.bin}: the ZIP files of PyTorch 1.6 and later, and the plain ones before.
 *
 * <p>Such a file holds a pickle, a program that PyTorch could run. Nothing is run here: a small
 * interpreter knows only what builds a flat dict of names and tensors, and refuses a file that asks
 * for anything else. Tensors are slices of the mapped file; those that do not lie in row-major
 * order, or are stored big-endian, are copied outside the heap when the file is opened.
 */
public final class TorchCheckpoint {

  /** The longest pickle that is read, in bytes; a tensor takes some 150. */
  static final long MAX_PICKLE = 1L << 26;

  private static final String PICKLE = "data.pkl";
  private static final byte[] LFS_POINTER =
      "version https://git-lfs".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] ZIP = {'P', 'K', 3, 4};

  private TorchCheckpoint() {}

  /**
   * Opens one file of any size and checks all that it says about its tensors. Numbers and texts
   * that stand among the tensors become metadata.
   *
   * @throws FileFormatException if the file is missing, damaged, has a type that {@link
   *     io.trimtab.tensor.DType} does not have, is no flat dict of names and tensors, or names a
   *     class or function that no state dict needs
   */
  public static TensorFile open(Path file) {
    return MappedTensors.inNewArena(
        arena -> {
          TensorDirectory directory = read(file, arena);
          return new MappedTensors(file, arena, directory.tensors(), directory.metadata());
        });
  }

  /**
   * Opens a checkpoint that is split into several files, by its {@code
   * pytorch_model.bin.index.json}, as {@link Safetensors#openSharded(Path)} does it.
   *
   * @throws FileFormatException if the index is damaged or names a file outside its directory, if a
   *     file cannot be opened by itself, or if the index and the files do not hold the same
   *     tensors, each once
   */
  public static TensorFile openSharded(Path indexJson) {
    return SafetensorsIndex.open(indexJson, TorchCheckpoint::read);
  }

  private static TensorDirectory read(Path file, Arena arena) {
    MemorySegment bytes = MappedTensors.map(file, arena);
    if (startsWith(bytes, ZIP)) {
      return readZip(file, bytes, arena);
    }
    if (startsWith(bytes, LegacyTorchFile.MAGIC)) {
      LegacyTorchFile legacy = LegacyTorchFile.read(file, bytes);
      var strided = new StridedTensors(file, arena, bytes.byteSize(), false);
      return directory(file, legacy.root(), legacy.storages(), strided);
    }
    throw new FileFormatException(
        file,
        startsWith(bytes, LFS_POINTER)
            ? "is a Git LFS pointer, not the weights themselves; run git lfs pull"
            : "is no PyTorch checkpoint: it starts neither as a ZIP file nor with PyTorch's magic"
                + " number");
  }

  private static boolean startsWith(MemorySegment bytes, byte[] prefix) {
    return bytes.byteSize() >= prefix.length
        && bytes.asSlice(0, prefix.length).mismatch(MemorySegment.ofArray(prefix)) < 0;
  }

  private static TensorDirectory readZip(Path file, MemorySegment bytes, Arena arena) {
    Map<String, MemorySegment> entries = StoredZip.read(file, bytes);
    String folder = folder(file, entries);
    MemorySegment pickle = entry(file, entries, folder + PICKLE);
    if (pickle.byteSize() > MAX_PICKLE) {
      throw new FileFormatException(
          file,
          "has a pickle of %d bytes, more than the %d allowed"
              .formatted(pickle.byteSize(), MAX_PICKLE));
    }
    var cursor = new ByteCursor(file, pickle);
    PickleValue root = Unpickler.read(file, cursor);
    if (cursor.hasRemaining()) {
      throw cursor.error("the pickle goes on after its end");
    }
    var storages = new HashMap<String, MemorySegment>();
    String prefix = folder + "data/";
    entries.forEach(
        (name, content) -> {
          if (name.startsWith(prefix)) {
            storages.put(name.substring(prefix.length()), content);
          }
        });
    boolean bigEndian = isBigEndian(file, entries.get(folder + "byteorder"));
    var strided = new StridedTensors(file, arena, bytes.byteSize(), bigEndian);
    return directory(file, root, storages, strided);
  }

  /** All entries lie in one folder, which is named after the file when it was written. */
  private static String folder(Path file, Map<String, MemorySegment> entries) {
    for (String name : entries.keySet()) {
      int slash = name.indexOf('/');
      if (slash >= 0 && name.substring(slash + 1).equals(PICKLE)) {
        return name.substring(0, slash + 1);
      }
    }
    throw new FileFormatException(
        file, "is a ZIP file without a " + PICKLE + ", so no PyTorch checkpoint");
  }

  private static MemorySegment entry(Path file, Map<String, MemorySegment> entries, String name) {
    MemorySegment entry = entries.get(name);
    if (entry == null) {
      throw new FileFormatException(file, "is damaged: it has no entry '" + name + "'");
    }
    return entry;
  }

  /** Files of before 2023 do not say it, and are little-endian. */
  private static boolean isBigEndian(Path file, @Nullable MemorySegment byteOrder) {
    if (byteOrder == null) {
      return false;
    }
    var cursor = new ByteCursor(file, byteOrder);
    String order = cursor.text(byteOrder);
    return switch (order) {
      case "little" -> false;
      case "big" -> true;
      default -> throw cursor.error("its byte order is '" + order + "'");
    };
  }

  private static TensorDirectory directory(
      Path file, PickleValue root, Map<String, MemorySegment> storages, StridedTensors strided) {
    if (!(root instanceof PickleValue.Dict dict)) {
      throw new FileFormatException(
          file, "holds " + root.kind() + "; expected a state dict, a dict of names and tensors");
    }
    var tensors = new LinkedHashMap<String, MappedTensors.Stored>();
    var metadata = new LinkedHashMap<String, String>();
    dict.values()
        .forEach(
            (name, value) -> {
              switch (value) {
                case PickleValue.Strided view ->
                    tensors.put(name, strided.stored(name, view, content(file, view, storages)));
                case PickleValue.Text(String text) -> metadata.put(name, text);
                case PickleValue.Int(long number) -> metadata.put(name, Long.toString(number));
                case PickleValue.Real(double number) -> metadata.put(name, Double.toString(number));
                case PickleValue.Bool(boolean flag) -> metadata.put(name, Boolean.toString(flag));
                case PickleValue.None _ -> {}
                default ->
                    throw new FileFormatException(
                        file,
                        "has %s at '%s'; expected a flat dict of names and tensors, save the state"
                                .formatted(value.kind(), name)
                            + " dict alone");
              }
            });
    return new TensorDirectory(tensors, metadata);
  }

  private static MemorySegment content(
      Path file, PickleValue.Strided view, Map<String, MemorySegment> storages) {
    MemorySegment content = storages.get(view.storage().key());
    if (content == null) {
      throw new FileFormatException(
          file, "is damaged: it has no storage '" + view.storage().key() + "'");
    }
    return content;
  }
}
