package io.trimtab.hub;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/**
 * Turns views of storages into tensors: slices where the elements lie in row-major order without
 * gaps, which is nearly always, and copies where they do not.
 */
final class StridedTensors {

  /** What may be copied beyond twice the size of the file; views can repeat elements endlessly. */
  static final long SPARE_BYTES = 64L << 20;

  private final Path file;
  private final Arena arena;
  private final boolean bigEndian;
  private final Map<PickleValue.Storage, MemorySegment> swapped = new HashMap<>();
  private long mayCopy;

  /** Makes tensors of a file of that size; copies are made in the arena. */
  StridedTensors(Path file, Arena arena, long fileSize, boolean bigEndian) {
    this.file = file;
    this.arena = arena;
    this.bigEndian = bigEndian;
    this.mayCopy = 2 * fileSize + SPARE_BYTES;
  }

  /**
   * Checks a view against its storage and gives its elements.
   *
   * @param content the elements of the storage
   * @throws FileFormatException if the view reaches beyond the storage
   */
  MappedTensors.Stored stored(String name, PickleValue.Strided view, MemorySegment content) {
    PickleValue.Storage storage = view.storage();
    TensorInfo info = info(name, view);
    int width = storage.dtype().bytes();
    if (content.byteSize() % width != 0 || content.byteSize() / width != storage.elements()) {
      throw error(
          "'%s' is in storage '%s' of %d elements of %s, which has %d bytes"
              .formatted(
                  name, storage.key(), storage.elements(), storage.dtype(), content.byteSize()));
    }
    long last = last(name, view, info.elements());
    if (last >= storage.elements()) {
      throw error(
          "'%s' reaches to element %d of storage '%s', which has %d"
              .formatted(info, last, storage.key(), storage.elements()));
    }
    if (info.elements() == 0) {
      return new MappedTensors.Stored(info, content.asSlice(0, 0));
    }
    MemorySegment elements = bigEndian && width > 1 ? littleEndian(storage, content) : content;
    MemorySegment bytes =
        isContiguous(view)
            ? elements.asSlice(view.offset() * width, info.byteSize())
            : gather(view, info, elements);
    return new MappedTensors.Stored(info, bytes.asReadOnly());
  }

  private TensorInfo info(String name, PickleValue.Strided view) {
    try {
      return new TensorInfo(name, view.storage().dtype(), view.shape());
    } catch (FileFormatException e) {
      throw new FileFormatException(file, String.valueOf(e.getMessage()), e);
    }
  }

  /** The index of the last element in the storage; -1 for a tensor that has none. */
  private long last(String name, PickleValue.Strided view, long elements) {
    long[] shape = view.shape();
    long[] strides = view.strides();
    if (strides.length != shape.length || view.offset() < 0) {
      throw error(
          "'%s' has %d dimensions, %d strides and the offset %d"
              .formatted(name, shape.length, strides.length, view.offset()));
    }
    try {
      long last = view.offset();
      for (int i = 0; i < shape.length; i++) {
        if (strides[i] < 0) {
          throw error("'%s' has the negative stride %d".formatted(name, strides[i]));
        }
        last = Math.addExact(last, Math.multiplyExact(Math.max(shape[i] - 1, 0), strides[i]));
      }
      return elements == 0 ? -1 : last;
    } catch (ArithmeticException e) {
      throw new FileFormatException(
          file, "is damaged: the strides of '" + name + "' overflow 63 bits", e);
    }
  }

  /** Whether every step is the product of the sizes behind it; the step of a size 1 is not used. */
  private static boolean isContiguous(PickleValue.Strided view) {
    long[] shape = view.shape();
    long step = 1;
    for (int i = shape.length - 1; i >= 0; i--) {
      if (shape[i] != 1 && view.strides()[i] != step) {
        return false;
      }
      step *= shape[i];
    }
    return true;
  }

  /** Copies the elements into row-major order, a row of the last dimension at a time. */
  private MemorySegment gather(PickleValue.Strided view, TensorInfo info, MemorySegment from) {
    long[] shape = view.shape();
    long[] strides = view.strides();
    int width = info.dtype().bytes();
    MemorySegment to = allocate(info.name(), info.byteSize());
    int inner = shape.length - 1;
    long[] index = new long[shape.length];
    long row = view.offset();
    for (long at = 0; at < to.byteSize(); at += shape[inner] * width) {
      copyRow(from, row * width, strides[inner] * width, to, at, shape[inner], width);
      for (int i = inner - 1; i >= 0; i--) {
        row += strides[i];
        if (++index[i] < shape[i]) {
          break;
        }
        row -= shape[i] * strides[i];
        index[i] = 0;
      }
    }
    return to;
  }

  private static void copyRow(
      MemorySegment from, long start, long step, MemorySegment to, long at, long count, int width) {
    if (step == width) {
      MemorySegment.copy(from, start, to, at, count * width);
      return;
    }
    long source = start;
    long target = at;
    for (long i = 0; i < count; i++) {
      switch (width) {
        case 1 -> to.set(ValueLayout.JAVA_BYTE, target, from.get(ValueLayout.JAVA_BYTE, source));
        case 2 ->
            to.set(
                ValueLayout.JAVA_SHORT_UNALIGNED,
                target,
                from.get(ValueLayout.JAVA_SHORT_UNALIGNED, source));
        case 4 ->
            to.set(
                ValueLayout.JAVA_INT_UNALIGNED,
                target,
                from.get(ValueLayout.JAVA_INT_UNALIGNED, source));
        default ->
            to.set(
                ValueLayout.JAVA_LONG_UNALIGNED,
                target,
                from.get(ValueLayout.JAVA_LONG_UNALIGNED, source));
      }
      source += step;
      target += width;
    }
  }

  /** The elements of a storage with the bytes of each turned round, once for all its tensors. */
  private MemorySegment littleEndian(PickleValue.Storage storage, MemorySegment content) {
    MemorySegment known = swapped.get(storage);
    if (known != null) {
      return known;
    }
    MemorySegment to = allocate("storage " + storage.key(), content.byteSize());
    switch (storage.dtype().bytes()) {
      case 2 ->
          copy(
              content,
              ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN),
              to,
              ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN));
      case 4 ->
          copy(
              content,
              ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN),
              to,
              ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN));
      default ->
          copy(
              content,
              ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN),
              to,
              ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN));
    }
    swapped.put(storage, to);
    return to;
  }

  /** Copies all elements, each read in one order of bytes and written in the other. */
  private static void copy(
      MemorySegment from, ValueLayout big, MemorySegment to, ValueLayout little) {
    MemorySegment.copy(from, big, 0, to, little, 0, from.byteSize() / big.byteSize());
  }

  private MemorySegment allocate(String what, long size) {
    if (size > mayCopy) {
      throw error(
          "'%s' would be copied into %d bytes because its elements do not lie in order; the file"
                  .formatted(what, size)
              + " is too small to need that much");
    }
    mayCopy -= size;
    try {
      return arena.allocate(size, Long.BYTES);
    } catch (OutOfMemoryError e) {
      throw new FileFormatException(
          file,
          "needs %d bytes outside the heap for '%s', whose elements do not lie in order; raise"
                  .formatted(size, what)
              + " -XX:MaxDirectMemorySize",
          e);
    }
  }

  private FileFormatException error(String what) {
    return new FileFormatException(file, "is damaged: " + what);
  }
}
