package io.trimtab.model;

import io.trimtab.kernel.Kernel;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The keys and values of tokens that have been through a decoder, so that the next tokens of the
 * same rows need not compute them again. It starts empty, is filled by passes that {@linkplain
 * Pass#caching carry it}, and belongs to one thread at a time; the model knows nothing of it.
 *
 * <p>What many rows have in common is stored once: after {@link #fork}, each row's continuations
 * share its keys and values, and attention multiplies the queries of all of them with these as one
 * matrix.
 *
 * <pre>{@code
 * try (var cache = new KeyValueCache()) {
 *   Tensor first = model.nextLogits(prompts, Pass.plain(prompts.layout()).caching(cache), null);
 *   Batch next = Batch.of(…);  // one token a row
 *   Tensor second = model.nextLogits(next, Pass.plain(next.layout()).caching(cache), null);
 * }
 * }</pre>
 */
public final class KeyValueCache implements AutoCloseable {
  /** Room is made for so many more tokens than are needed, and half as many again. */
  private static final int SPARE = 32;

  /**
   * Keys and values of one block.
   *
   * @param keys [rows or 1, key heads, tokens, size]; 1 for those that all rows share
   * @param values of the same shape
   */
  record Part(Tensor keys, Tensor values, AtomicReference<Kernel.@Nullable Stretch> place) {
    Part(Tensor keys, Tensor values) {
      this(keys, values, new AtomicReference<>());
    }

    /** Where the keys and values of a single row are. */
    Kernel.Stretch inPlace() {
      Kernel.Stretch known = place.get();
      if (known == null) {
        known =
            new Kernel.Stretch(
                keys.inPlace(),
                values.inPlace(),
                keys.stride(1) * Float.BYTES,
                values.stride(1) * Float.BYTES,
                (int) tokens());
        place.set(known);
      }
      return known;
    }

    /** Whether one row's keys and values are there in single precision, a head's in one piece. */
    boolean isPlain() {
      return keys.size(0) == 1
          && keys.dtype() == DType.F32
          && keys.device().equals(Device.CPU)
          && keys.stride(2) == keys.size(3)
          && values.stride(2) == values.size(3);
    }

    Part slice(int dimension, long first, long count) {
      return new Part(
          Indexing.slice(keys, dimension, first, count).held(),
          Indexing.slice(values, dimension, first, count).held());
    }

    Part select(Tensor rows) {
      return new Part(
          Indexing.select(keys, 0, rows).held(), Indexing.select(values, 0, rows).held());
    }

    long tokens() {
      return keys.size(2);
    }

    void close() {
      keys.close();
      values.close();
    }
  }

  /** Rows side by side that hold equally many tokens and share the same beginning. */
  private static final class Group {
    private final int rows;
    private int tokens;

    /** Of each block, how many keys in front are no tokens but a prefix. */
    private final Map<Integer, Integer> before = new HashMap<>();

    /** Of each block, stretches that nobody writes to any more. */
    private final Map<Integer, List<Part>> beginnings = new HashMap<>();

    /** Of each block, room of which the first {@link #own} places are taken. */
    private final Map<Integer, Part> rooms = new HashMap<>();

    /** Whether others see the rooms, so that what is taken must stay as it is. */
    private boolean lent;

    Group(int rows) {
      this.rows = rows;
    }

    /** How many places of a block's room are taken. */
    int own(int block) {
      long shared = beginnings(block).stream().mapToLong(Part::tokens).sum();
      return (int) (before.getOrDefault(block, 0) + tokens - shared);
    }

    List<Part> beginnings(int block) {
      return beginnings.getOrDefault(block, List.of());
    }

    Group alike(int otherRows) {
      Group other = new Group(otherRows);
      other.tokens = tokens;
      other.before.putAll(before);
      beginnings.forEach(
          (block, parts) ->
              other.beginnings.put(
                  block, parts.stream().map(part -> part.slice(2, 0, part.tokens())).toList()));
      return other;
    }

    /** Rows [first, first + count), which go on in the same room. */
    Group part(int first, int count) {
      Group part = alike(count);
      part.lent = lent;
      rooms.forEach((block, room) -> part.rooms.put(block, room.slice(0, first, count)));
      return part;
    }

    /** Copies of the given rows. */
    Group copy(long[] chosen) {
      Group copy = alike(chosen.length);
      rooms.forEach(
          (block, room) -> {
            Tensor at = Creation.longs(chosen, chosen.length).to(room.keys().device());
            Part used = room.slice(2, 0, own(block));
            copy.rooms.put(block, used.select(at));
            used.close();
          });
      return copy;
    }

    /** So many continuations of one row. */
    Group continuations(int row, int count) {
      Group fork = alike(count);
      rooms.forEach(
          (block, room) -> {
            int taken = own(block);
            if (taken > 0) {
              List<Part> all = new ArrayList<>(fork.beginnings(block));
              Part one = room.slice(0, row, 1);
              all.add(one.slice(2, 0, taken));
              one.close();
              fork.beginnings.put(block, List.copyOf(all));
              lent = true;
            }
          });
      return fork;
    }

    void cut(int length) {
      tokens = length;
      if (length == 0) {
        before.clear();
      }
      beginnings.replaceAll(
          (block, parts) -> {
            List<Part> rest = parts;
            for (int over = -own(block); over > 0; ) {
              int by = (int) Math.min(over, rest.getLast().tokens());
              rest = shortened(rest, by);
              over -= by;
            }
            return rest;
          });
      if (lent) { // what comes next must not overwrite what others see
        rooms.replaceAll(
            (block, room) -> {
              Part used = room.slice(2, 0, own(block));
              Part copy = new Part(used.keys().copy().held(), used.values().copy().held());
              used.close();
              room.close();
              return copy;
            });
        lent = false;
      }
    }

    private static List<Part> shortened(List<Part> parts, int by) {
      List<Part> rest = new ArrayList<>(parts);
      Part last = rest.removeLast();
      if (last.tokens() > by) {
        rest.add(last.slice(2, 0, last.tokens() - by));
      }
      last.close();
      return List.copyOf(rest);
    }

    List<Part> append(int block, Tensor keys, Tensor values) {
      int taken = own(block);
      long needed = taken + keys.size(2);
      Part room = rooms.get(block);
      if (room == null || room.tokens() < needed) {
        Part larger = new Part(room(keys, needed), room(values, needed));
        if (room != null) {
          Part used = room.slice(2, 0, taken);
          Indexing.overwrite(larger.keys(), 2, 0, used.keys());
          Indexing.overwrite(larger.values(), 2, 0, used.values());
          used.close();
          room.close();
        }
        rooms.put(block, larger);
        room = larger;
      }
      Indexing.overwrite(room.keys(), 2, taken, keys);
      Indexing.overwrite(room.values(), 2, taken, values);
      List<Part> all = new ArrayList<>(beginnings(block));
      all.add(
          new Part(
              Indexing.slice(room.keys(), 2, 0, needed),
              Indexing.slice(room.values(), 2, 0, needed)));
      return all;
    }

    /** The same for one token of the group's one row; null where there is no room of that kind. */
    @Nullable List<Kernel.Stretch> append(int block, float[] keys, float[] values, int heads) {
      int taken = own(block);
      Part room = rooms.get(block);
      if (room == null || room.tokens() <= taken || !room.isPlain()) {
        return null;
      }
      Kernel.Stretch place = room.inPlace();
      int size = keys.length / heads;
      for (int head = 0; head < heads; head++) {
        long at = (long) taken * size * Float.BYTES;
        MemorySegment.copy(
            keys,
            head * size,
            place.keys(),
            ValueLayout.JAVA_FLOAT,
            head * place.keyStride() + at,
            size);
        MemorySegment.copy(
            values,
            head * size,
            place.values(),
            ValueLayout.JAVA_FLOAT,
            head * place.valueStride() + at,
            size);
      }
      List<Kernel.Stretch> all = new ArrayList<>();
      for (Part part : beginnings(block)) {
        if (!part.isPlain()) {
          return null;
        }
        all.add(part.inPlace());
      }
      all.add(
          new Kernel.Stretch(
              place.keys(), place.values(), place.keyStride(), place.valueStride(), taken + 1));
      return all;
    }

    private static Tensor room(Tensor like, long needed) {
      long[] shape = like.shape();
      shape[2] = needed + needed / 2 + SPARE;
      return Creation.zeros(like.dtype(), like.device(), shape).held();
    }

    void close() {
      rooms.values().forEach(Part::close);
      beginnings.values().forEach(parts -> parts.forEach(Part::close));
    }
  }

  private List<Group> groups = new ArrayList<>();
  private EncodedKeys encoded = new EncodedKeys();

  /** A cache that holds nothing yet; the first pass that carries it decides on its rows. */
  public KeyValueCache() {}

  /** The number of rows; 0 before the first pass. */
  public int rows() {
    return groups.stream().mapToInt(group -> group.rows).sum();
  }

  /** The number of tokens that it holds of a row, with vectors that patches put in. */
  public int length(int row) {
    return group(row).tokens;
  }

  /** The bytes that its keys and values take, what rows share counted once a cache. */
  public long bytes() {
    return encoded.bytes()
        + groups.stream()
            .flatMap(
                group ->
                    java.util.stream.Stream.concat(
                        group.rooms.values().stream(),
                        group.beginnings.values().stream().flatMap(List::stream)))
            .mapToLong(part -> part.keys().byteSize() + part.values().byteSize())
            .sum();
  }

  /**
   * What it holds of a row in one block, keys of a prefix in front included. Models whose positions
   * depend on a row's length keep their keys before they are turned.
   *
   * @return [keys, key heads · size]
   */
  public Tensor keys(int block, int row) {
    return packed(block, row, Part::keys);
  }

  /** The same for values, [keys, key heads · size]. */
  public Tensor values(int block, int row) {
    return packed(block, row, Part::values);
  }

  private Tensor packed(int block, int row, Function<Part, Tensor> which) {
    Group group = group(row);
    int inside = row - firstRow(group);
    List<Tensor> stretches = new ArrayList<>();
    group.beginnings(block).forEach(part -> stretches.add(Indexing.at(which.apply(part), 0, 0)));
    Part room = group.rooms.get(block);
    if (room != null && group.own(block) > 0) {
      Tensor own = Indexing.at(which.apply(room), 0, inside);
      stretches.add(Indexing.slice(own, 1, 0, group.own(block)));
    }
    if (stretches.isEmpty()) {
      throw new ModelException(
          "found nothing kept of block " + block + ", expected a cache that a pass has filled");
    }
    Tensor all = Indexing.concat(stretches, 1).transpose(0, 1);
    return all.reshape(all.size(0), all.size(1) * all.size(2));
  }

  private Group group(int row) {
    int left = row;
    for (Group group : groups) {
      if (left < group.rows) {
        return group;
      }
      left -= group.rows;
    }
    throw new ModelException(
        "found row " + row + " of a cache, expected one of its " + rows() + " rows, from 0");
  }

  /**
   * A cache of some rows in a new order, which may repeat; this one stays as it is. A row that has
   * finished is dropped by closing this cache and going on with the others.
   */
  public KeyValueCache select(int... rows) {
    try (Scope _ = Scope.open()) {
      KeyValueCache chosen = new KeyValueCache();
      chosen.encoded = encoded.select(rows);
      int at = 0;
      while (at < rows.length) {
        Group group = group(rows[at]);
        int first = firstRow(group);
        int end = at + 1;
        while (end < rows.length && group(rows[end]) == group) {
          end++;
        }
        long[] inside = Arrays.stream(rows, at, end).mapToLong(row -> (long) row - first).toArray();
        chosen.groups.add(group.copy(inside));
        at = end;
      }
      return chosen;
    }
  }

  /**
   * A cache with {@code times} continuations of each row side by side, which share all that has
   * been kept so far. This one may be used further, or closed.
   */
  public KeyValueCache fork(int times) {
    if (times < 1) {
      throw new ModelException(
          "found " + times + " continuations of each row, expected at least one");
    }
    try (Scope _ = Scope.open()) {
      KeyValueCache fork = new KeyValueCache();
      fork.encoded = encoded.fork(times);
      for (Group group : groups) {
        for (int row = 0; row < group.rows; row++) {
          fork.groups.add(group.continuations(row, times));
        }
      }
      return fork;
    }
  }

  /**
   * Forgets the last tokens of each row.
   *
   * @param lengths how many tokens of each row to keep, no more than there are
   */
  public void cut(int... lengths) {
    if (lengths.length != rows()) {
      throw new ModelException(
          "found "
              + lengths.length
              + " lengths to cut a cache to, expected one for each of its "
              + rows()
              + " rows");
    }
    for (int row = 0; row < lengths.length; row++) {
      if (lengths[row] < 0 || lengths[row] > length(row)) {
        throw new ModelException(
            "found a length of "
                + lengths[row]
                + " to cut row "
                + row
                + " of a cache to, expected 0 to "
                + length(row)
                + ", which is what it holds");
      }
    }
    try (Scope _ = Scope.open()) {
      split(lengths);
      int row = 0;
      for (Group group : groups) {
        if (lengths[row] < group.tokens) {
          group.cut(lengths[row]);
        }
        row += group.rows;
      }
    }
  }

  private int firstRow(Group wanted) {
    int row = 0;
    for (Group group : groups) {
      if (group == wanted) {
        return row;
      }
      row += group.rows;
    }
    throw new IllegalStateException("not a group of this cache");
  }

  /** Makes rows of one group that differ in a number into groups of their own. */
  private void split(int[] perRow) {
    List<Group> next = new ArrayList<>();
    int row = 0;
    for (Group group : groups) {
      int end = row + group.rows;
      int from = row;
      List<Group> parts = new ArrayList<>();
      for (int i = row + 1; i <= end; i++) {
        if (i == end || perRow[i] != perRow[from]) {
          parts.add(i - from == group.rows ? group : group.part(from - row, i - from));
          from = i;
        }
      }
      if (parts.size() > 1) {
        group.close();
      }
      next.addAll(parts);
      row = end;
    }
    groups = next;
  }

  /** Makes ready for a pass over these new tokens: rows that go together get as many each. */
  void prepare(Pass pass) {
    Layout layout = pass.layout();
    int[] lengths = new int[layout.rows()];
    Arrays.setAll(lengths, layout::length);
    if (!groups.isEmpty()) {
      try (Scope _ = Scope.open()) {
        split(lengths);
      }
      return;
    }
    int row = 0;
    for (Pass.Segment segment : pass.segments()) {
      int end = row + segment.rows();
      while (row < end) {
        int first = row;
        do {
          row++;
        } while (row < end && lengths[row] == lengths[first]);
        groups.add(new Group(row - first));
      }
    }
  }

  /** The end of the rows after {@code row} that are kept together. */
  int endOfGroup(int row) {
    Group group = group(row);
    return firstRow(group) + group.rows;
  }

  /**
   * Keeps the keys and values of new tokens of the rows of one group.
   *
   * @param firstRow the first row of the group
   * @param keys [rows, key heads, new tokens, size]
   * @param values of the same shape
   * @param before how many keys in front are no tokens but a prefix; of the first pass
   * @return all keys and values so far, in order; those that the rows share come first
   */
  List<Part> append(int block, int firstRow, Tensor keys, Tensor values, int before) {
    checkFrozen(keys, values);
    Group group = group(firstRow);
    if (group.tokens > 0) {
      return group.append(block, keys, values);
    }
    group.before.remove(block); // what a pass that failed has left
    List<Part> parts = group.append(block, keys, values);
    group.before.put(block, before);
    return parts;
  }

  /**
   * Keeps the keys and values of one new token of the cache's one row, as {@link Kernel#attend}
   * reads them.
   *
   * @param keys [key heads · size]
   * @param values [key heads · size]
   * @return where all keys and values so far are
   */
  List<Kernel.Stretch> append(int block, float[] keys, float[] values, int heads) {
    Group group = groups.getFirst();
    List<Kernel.Stretch> known = group.append(block, keys, values, heads);
    if (known != null) {
      return known;
    }
    int size = keys.length / heads;
    try (Scope _ = Scope.open()) {
      List<Part> parts =
          group.append(
              block,
              Creation.floats(keys, 1, heads, 1, size),
              Creation.floats(values, 1, heads, 1, size));
      return parts.stream().map(Part::inPlace).toList();
    }
  }

  static void checkFrozen(Tensor keys, Tensor values) {
    if (keys.requiresGradient() || values.requiresGradient()) {
      throw new ModelException(
          "found keys or values with gradients for a cache, expected none; cache in"
              + " Gradients.none(…), and train without a cache");
    }
  }

  /** The keys and values that were made of an encoder's tokens. */
  EncodedKeys encoded() {
    return encoded;
  }

  /** How many keys of a block in front of a row's tokens are a prefix. */
  int before(int block, int row) {
    return group(row).before.getOrDefault(block, 0);
  }

  /** Counts the tokens of a pass that is through. */
  void finish(Layout layout) {
    int row = 0;
    for (Group group : groups) {
      group.tokens += layout.length(row);
      row += group.rows;
    }
  }

  /** Frees the keys and values, but for what other caches share. */
  @Override
  public void close() {
    groups.forEach(Group::close);
    groups = new ArrayList<>();
    encoded.close();
  }
}
