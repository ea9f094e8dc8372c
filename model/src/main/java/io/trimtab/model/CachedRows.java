package io.trimtab.model;

import io.trimtab.kernel.Kernel;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The keys and values of rows side by side that hold equally many tokens and share the same
 * beginning. It is written as the rows grow; those that share a beginning with others have a room
 * of their own for what comes after.
 */
final class CachedRows {
  /** Room is made for so many more tokens than are needed, and half as many again. */
  private static final int SPARE = 32;

  private final int rows;
  private int tokens;

  /** Of each block, how many keys in front are no tokens but a prefix. */
  private final Map<Integer, Integer> before = new HashMap<>();

  /** Of each block, stretches that nobody writes to any more. */
  private final Map<Integer, List<KeyValues>> beginnings = new HashMap<>();

  /** Of each block, room of which the first {@link #own} places are taken. */
  private final Map<Integer, KeyValues> rooms = new HashMap<>();

  /** Whether others see the rooms, so that what is taken must stay as it is. */
  private boolean lent;

  /** So many rows of which nothing is kept yet. */
  CachedRows(int rows) {
    this.rows = rows;
  }

  int rows() {
    return rows;
  }

  /** How many tokens it holds of each row. */
  int tokens() {
    return tokens;
  }

  /** Counts tokens whose keys and values all blocks have appended. */
  void grow(int more) {
    tokens += more;
  }

  /** How many keys of a block in front of a row's tokens are a prefix. */
  int before(int block) {
    return before.getOrDefault(block, 0);
  }

  long bytes() {
    return Stream.concat(
            rooms.values().stream(), beginnings.values().stream().flatMap(List::stream))
        .mapToLong(KeyValues::bytes)
        .sum();
  }

  /**
   * What is kept of one row in one block, in order.
   *
   * @return views, [1, key heads, tokens, size] each
   */
  List<KeyValues> ofRow(int block, int row) {
    List<KeyValues> stretches = new ArrayList<>(beginnings(block));
    KeyValues room = rooms.get(block);
    int taken = own(block);
    if (room != null && taken > 0) {
      stretches.add(
          new KeyValues(stretch(room.keys(), row, taken), stretch(room.values(), row, taken)));
    }
    return stretches;
  }

  private static Tensor stretch(Tensor room, int row, int taken) {
    return Indexing.slice(Indexing.slice(room, 0, row, 1), 2, 0, taken);
  }

  /** How many places of a block's room are taken. */
  private int own(int block) {
    long shared = beginnings(block).stream().mapToLong(KeyValues::tokens).sum();
    return (int) (before(block) + tokens - shared);
  }

  private List<KeyValues> beginnings(int block) {
    return beginnings.getOrDefault(block, List.of());
  }

  private CachedRows alike(int otherRows) {
    CachedRows other = new CachedRows(otherRows);
    other.tokens = tokens;
    other.before.putAll(before);
    beginnings.forEach(
        (block, parts) ->
            other.beginnings.put(
                block, parts.stream().map(part -> part.slice(2, 0, part.tokens())).toList()));
    return other;
  }

  /** Rows [first, first + count), which go on in the same room. */
  CachedRows part(int first, int count) {
    CachedRows part = alike(count);
    part.lent = lent;
    rooms.forEach((block, room) -> part.rooms.put(block, room.slice(0, first, count)));
    return part;
  }

  /** Copies of the given rows. */
  CachedRows copy(long[] chosen) {
    CachedRows copy = alike(chosen.length);
    rooms.forEach(
        (block, room) -> {
          Tensor at = Creation.longs(chosen, chosen.length).to(room.keys().device());
          KeyValues used = room.slice(2, 0, own(block));
          copy.rooms.put(block, used.select(at));
          used.close();
        });
    return copy;
  }

  /** So many continuations of one row, which read what is kept of it where it is. */
  CachedRows continuations(int row, int count) {
    CachedRows fork = alike(count);
    rooms.forEach(
        (block, room) -> {
          int taken = own(block);
          if (taken > 0) {
            List<KeyValues> all = new ArrayList<>(fork.beginnings(block));
            KeyValues one = room.slice(0, row, 1);
            all.add(one.slice(2, 0, taken));
            one.close();
            fork.beginnings.put(block, List.copyOf(all));
            lent = true;
          }
        });
    return fork;
  }

  /** Forgets all but the first {@code length} tokens. */
  void cut(int length) {
    tokens = length;
    if (length == 0) {
      before.clear();
    }
    beginnings.replaceAll(
        (block, parts) -> {
          List<KeyValues> rest = parts;
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
            KeyValues used = room.slice(2, 0, own(block));
            KeyValues copy = used.copy();
            used.close();
            room.close();
            return copy;
          });
      lent = false;
    }
  }

  private static List<KeyValues> shortened(List<KeyValues> parts, int by) {
    List<KeyValues> rest = new ArrayList<>(parts);
    KeyValues last = rest.removeLast();
    if (last.tokens() > by) {
      rest.add(last.slice(2, 0, last.tokens() - by));
    }
    last.close();
    return List.copyOf(rest);
  }

  /**
   * Keeps the keys and values of new tokens.
   *
   * @param keys [rows, key heads, new tokens, size]
   * @param values of the same shape
   * @param prefix how many of them in front are no tokens but a prefix, where nothing is kept yet
   * @return all keys and values so far, in order; those that the rows share come first
   */
  List<KeyValues> append(int block, Tensor keys, Tensor values, int prefix) {
    if (tokens == 0) {
      before.remove(block); // what a pass that failed has left
    }
    List<KeyValues> all = append(block, keys, values);
    if (tokens == 0) {
      before.put(block, prefix);
    }
    return all;
  }

  private List<KeyValues> append(int block, Tensor keys, Tensor values) {
    int taken = own(block);
    long needed = taken + keys.size(2);
    KeyValues room = rooms.get(block);
    if (room == null || room.tokens() < needed) {
      KeyValues larger = new KeyValues(room(keys, needed), room(values, needed));
      if (room != null) {
        KeyValues used = room.slice(2, 0, taken);
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
    List<KeyValues> all = new ArrayList<>(beginnings(block));
    all.add(
        new KeyValues(
            Indexing.slice(room.keys(), 2, 0, needed),
            Indexing.slice(room.values(), 2, 0, needed)));
    return all;
  }

  /**
   * Keeps the keys and values of one new token of one row, before which there is no prefix.
   *
   * @param keys [key heads · size]
   * @param values [key heads · size]
   * @return where all keys and values so far are
   */
  List<Kernel.Stretch> append(int block, float[] keys, float[] values, int heads) {
    List<Kernel.Stretch> known = written(block, keys, values, heads);
    if (known != null) {
      return known;
    }
    int size = keys.length / heads;
    try (Scope _ = Scope.open()) {
      List<KeyValues> parts =
          append(
              block,
              Creation.floats(keys, 1, heads, 1, size),
              Creation.floats(values, 1, heads, 1, size),
              0);
      return parts.stream().map(KeyValues::inPlace).toList();
    }
  }

  /** The same where there is room that can be written to in place; else null. */
  private @Nullable List<Kernel.Stretch> written(
      int block, float[] keys, float[] values, int heads) {
    int taken = own(block);
    KeyValues room = rooms.get(block);
    if (tokens == 0
        || room == null
        || room.tokens() <= taken
        || !room.isPlain()
        || !beginnings(block).stream().allMatch(KeyValues::isPlain)) {
      return null;
    }
    Kernel.Stretch place = room.inPlace();
    int size = keys.length / heads;
    long at = (long) taken * size * Float.BYTES;
    for (int head = 0; head < heads; head++) {
      write(keys, head * size, size, place.keys(), head * place.keyStride() + at);
      write(values, head * size, size, place.values(), head * place.valueStride() + at);
    }
    List<Kernel.Stretch> all = new ArrayList<>();
    beginnings(block).forEach(part -> all.add(part.inPlace()));
    all.add(
        new Kernel.Stretch(
            place.keys(), place.values(), place.keyStride(), place.valueStride(), taken + 1));
    return all;
  }

  private static void write(float[] from, int start, int count, MemorySegment to, long at) {
    MemorySegment.copy(from, start, to, ValueLayout.JAVA_FLOAT, at, count);
  }

  private static Tensor room(Tensor like, long needed) {
    long[] shape = like.shape();
    shape[2] = needed + needed / 2 + SPARE;
    return Creation.zeros(like.dtype(), like.device(), shape).held();
  }

  void close() {
    rooms.values().forEach(KeyValues::close);
    beginnings.values().forEach(parts -> parts.forEach(KeyValues::close));
  }
}
