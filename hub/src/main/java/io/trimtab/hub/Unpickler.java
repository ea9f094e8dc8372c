package io.trimtab.hub;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads a pickle without running it. A pickle is a program for a stack machine that may call
 * whatever function it names; this machine knows only the instructions that state dicts are made
 * of, and {@link TorchGlobals} the few names that they use, which are labels here and not code.
 * Anything else is refused. Time and memory are bounded by {@link #MAX_VALUES} and by the size of
 * the pickle, whatever it says.
 */
final class Unpickler {

  /**
   * The most values that are put on the stack: some 25 belong to a tensor and its name, so this is
   * enough for 80 000 tensors.
   */
  static final int MAX_VALUES = 1 << 21;

  private static final int MAX_PROTOCOL = 5;

  /** Module and name of a global take a line each; those that are known are much shorter. */
  private static final int MAX_LINE = 256;

  private final ByteCursor cursor;
  private final TorchGlobals globals;
  private final ArrayList<PickleValue> stack = new ArrayList<>();

  /** The height of the stack at every open mark. */
  private final Deque<Integer> marks = new ArrayDeque<>();

  private final Map<Integer, PickleValue> memo = new HashMap<>();
  private int charged;

  private final Map<String, PickleValue.Storage> storages;

  private Unpickler(Path file, ByteCursor cursor, Map<String, PickleValue.Storage> storages) {
    this.cursor = cursor;
    this.storages = storages;
    this.globals = new TorchGlobals(file);
  }

  /** Reads one pickle, which starts where the cursor is, and leaves the cursor behind it. */
  static PickleValue read(Path file, ByteCursor cursor) {
    return read(file, cursor, new HashMap<>());
  }

  /** The same, and puts the storages that the pickle mentions into the map, by their keys. */
  static PickleValue read(Path file, ByteCursor cursor, Map<String, PickleValue.Storage> storages) {
    return new Unpickler(file, cursor, storages).run();
  }

  private PickleValue run() {
    while (true) {
      int opcode = u8();
      switch (opcode) {
        case 0x80 -> protocol();
        case 0x95 -> cursor.fixed64(); // FRAME: how much could be read at once
        case 'N' -> push(new PickleValue.None());
        case 0x88 -> push(new PickleValue.Bool(true));
        case 0x89 -> push(new PickleValue.Bool(false));
        case 'J' -> push(new PickleValue.Int(cursor.fixed32()));
        case 'K' -> push(new PickleValue.Int(u8()));
        case 'M' -> push(new PickleValue.Int(u8() | u8() << 8));
        case 0x8A -> push(new PickleValue.Int(integer(u8())));
        case 'G' -> push(real());
        case 0x8C, 'U' -> push(text(u8()));
        case 'X', 'T' -> push(text(Integer.toUnsignedLong(cursor.fixed32())));
        case 0x8D -> push(text(cursor.fixed64()));
        case ')' -> push(new PickleValue.Tuple(List.of()));
        case 0x85 -> tuple(1);
        case 0x86 -> tuple(2);
        case 0x87 -> tuple(3);
        case 't' -> push(new PickleValue.Tuple(popToMark()));
        case ']' -> push(new PickleValue.Items(new ArrayList<>()));
        case 'a' -> append(List.of(pop()));
        case 'e' -> append(popToMark());
        case '}' -> push(new PickleValue.Dict(false, new LinkedHashMap<>()));
        case 's' -> setItems(pop(2));
        case 'u' -> setItems(popToMark());
        case '(' -> mark();
        case 'q' -> memorise(u8());
        case 'r' -> memorise(cursor.fixed32());
        case 0x94 -> memorise(memo.size());
        case 'h' -> recall(u8());
        case 'j' -> recall(cursor.fixed32());
        case 'c' -> push(globals.find(line(), line()));
        case 0x93 -> stackGlobal();
        case 'R' -> reduce();
        case 'b' -> build();
        case 'Q' -> storage();
        case 'i' -> throw globals.refused(line() + "." + line());
        case '.' -> {
          return result();
        }
        default ->
            throw cursor.error(
                "the pickle has the instruction 0x%02x at byte %d, which no state dict needs"
                    .formatted(opcode, cursor.position() - 1));
      }
    }
  }

  private void protocol() {
    int protocol = u8();
    if (protocol > MAX_PROTOCOL) {
      throw cursor.error("the pickle has protocol " + protocol);
    }
  }

  private PickleValue result() {
    if (stack.size() != 1 || !marks.isEmpty()) {
      throw cursor.error("the pickle ends with " + stack.size() + " values instead of one");
    }
    return stack.getFirst();
  }

  private void push(PickleValue value) {
    charge(1);
    stack.add(value);
  }

  /** Counts what is allocated, so that a small pickle cannot fill the heap. */
  private void charge(int values) {
    charged += values;
    if (charged > MAX_VALUES) {
      throw cursor.error("the pickle makes more than " + MAX_VALUES + " values");
    }
  }

  private PickleValue pop() {
    int base = marks.isEmpty() ? 0 : marks.getLast();
    if (stack.size() <= base) {
      throw cursor.error("the pickle takes a value from an empty stack");
    }
    return stack.removeLast();
  }

  private PickleValue top() {
    PickleValue top = pop();
    stack.add(top);
    return top;
  }

  /** The topmost values, the lowest of them first. */
  private List<PickleValue> pop(int count) {
    var values = new ArrayList<PickleValue>(count);
    for (int i = 0; i < count; i++) {
      values.add(pop());
    }
    return values.reversed();
  }

  private void mark() {
    // A mark takes memory as a value does.
    charge(1);
    marks.add(stack.size());
  }

  private List<PickleValue> popToMark() {
    if (marks.isEmpty()) {
      throw cursor.error("the pickle goes back to a mark that it has not set");
    }
    List<PickleValue> above = stack.subList(marks.removeLast(), stack.size());
    var values = new ArrayList<>(above);
    above.clear();
    return values;
  }

  private void tuple(int count) {
    push(new PickleValue.Tuple(pop(count)));
  }

  private void append(List<PickleValue> values) {
    if (!(top() instanceof PickleValue.Items(ArrayList<PickleValue> items))) {
      throw cursor.error("the pickle appends to " + top().kind());
    }
    items.addAll(values);
  }

  private void setItems(List<PickleValue> pairs) {
    if (!(top() instanceof PickleValue.Dict dict)) {
      throw cursor.error("the pickle sets an item of " + top().kind());
    }
    if (pairs.size() % 2 != 0) {
      throw cursor.error("the pickle has a key without a value");
    }
    for (int i = 0; i < pairs.size(); i += 2) {
      put(dict, pairs.get(i), pairs.get(i + 1));
    }
  }

  private void put(PickleValue.Dict dict, PickleValue key, PickleValue value) {
    if (!(key instanceof PickleValue.Text(String name))) {
      throw cursor.error(
          "a dict has " + key.kind() + " as a key; expected names, as in a state dict");
    }
    dict.values().put(name, value);
  }

  private void memorise(int index) {
    memo.put(index, top());
    if (memo.size() > MAX_VALUES) {
      throw cursor.error("the pickle memorises more than " + MAX_VALUES + " values");
    }
  }

  private void recall(int index) {
    PickleValue value = memo.get(index);
    if (value == null) {
      throw cursor.error(
          "the pickle recalls the value " + Integer.toUnsignedString(index) + ", never memorised");
    }
    push(value);
  }

  private void stackGlobal() {
    List<PickleValue> names = pop(2);
    if (names.get(0) instanceof PickleValue.Text(String module)
        && names.get(1) instanceof PickleValue.Text(String name)) {
      push(globals.find(module, name));
    } else {
      throw cursor.error("a global is named by " + names.get(0).kind());
    }
  }

  private void reduce() {
    List<PickleValue> call = pop(2);
    if (!(call.get(0) instanceof PickleValue.Global(String name))
        || !(call.get(1) instanceof PickleValue.Tuple(List<PickleValue> arguments))) {
      throw cursor.error(
          "the pickle calls %s with %s".formatted(call.get(0).kind(), call.get(1).kind()));
    }
    if (name.equals(TorchGlobals.ORDERED_DICT)) {
      push(orderedDict(arguments));
    } else {
      PickleValue made = globals.call(name, arguments);
      if (made instanceof PickleValue.Strided tensor) {
        charge(2 * tensor.shape().length);
      }
      push(made);
    }
  }

  /** Empty, or of one list of pairs, as Python 2 wrote it. */
  private PickleValue.Dict orderedDict(List<PickleValue> arguments) {
    var dict = new PickleValue.Dict(true, new LinkedHashMap<>());
    if (arguments.isEmpty()) {
      return dict;
    }
    if (arguments.size() != 1 || !(arguments.getFirst() instanceof PickleValue.Items pairs)) {
      throw cursor.error("an OrderedDict is made of something else than a list of pairs");
    }
    charge(pairs.values().size());
    for (PickleValue pair : pairs.values()) {
      List<PickleValue> both =
          switch (pair) {
            case PickleValue.Tuple(List<PickleValue> values) -> values;
            case PickleValue.Items(ArrayList<PickleValue> values) -> values;
            default -> List.of();
          };
      if (both.size() != 2) {
        throw cursor.error("an OrderedDict is made of something else than pairs");
      }
      put(dict, both.get(0), both.get(1));
    }
    return dict;
  }

  /** Attributes of an ordered dict ({@code _metadata}: versions of layers) are dropped. */
  private void build() {
    PickleValue state = pop();
    if (!(top() instanceof PickleValue.Dict dict && dict.ordered())
        || !(state instanceof PickleValue.Dict)) {
      throw cursor.error(
          "the pickle sets the state of %s to %s; expected only the attributes of an OrderedDict"
              .formatted(top().kind(), state.kind()));
    }
  }

  private void storage() {
    PickleValue.Storage storage = globals.storage(pop());
    PickleValue.Storage known = storages.putIfAbsent(storage.key(), storage);
    if (known != null && !known.equals(storage)) {
      throw cursor.error("the pickle has two kinds of storage '" + storage.key() + "'");
    }
    push(storage);
  }

  private int u8() {
    return Byte.toUnsignedInt(cursor.slice(1).get(ValueLayout.JAVA_BYTE, 0));
  }

  /** A signed number of so many bytes, the lowest first. */
  private long integer(int length) {
    if (length > Long.BYTES) {
      throw cursor.error("the pickle has an int of " + length + " bytes; expected at most 8");
    }
    long value = 0;
    int shift = 0;
    for (int i = 0; i < length; i++) {
      value |= (long) u8() << shift;
      shift += Byte.SIZE;
    }
    int unused = Long.SIZE - shift;
    return length == 0 ? 0 : value << unused >> unused;
  }

  private PickleValue real() {
    // The only big-endian number of the format.
    return new PickleValue.Real(Double.longBitsToDouble(Long.reverseBytes(cursor.fixed64())));
  }

  private PickleValue text(long length) {
    return new PickleValue.Text(cursor.text(cursor.slice(length)));
  }

  private String line() {
    var bytes = new byte[MAX_LINE];
    for (int i = 0; i < MAX_LINE; i++) {
      bytes[i] = (byte) u8();
      if (bytes[i] == '\n') {
        return cursor.text(MemorySegment.ofArray(bytes).asSlice(0, i));
      }
    }
    throw cursor.error("the pickle has a global with a name of more than " + MAX_LINE + " bytes");
  }
}
