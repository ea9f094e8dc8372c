package io.trimtab.jinja;

import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The variable {@code loop} inside a loop. */
final class LoopState implements Callable {
  private final List<Object> items;
  private final int depth;
  private final @Nullable Function<Object, Object> again;
  private int index = -1;
  private @Nullable List<Object> lastChanged;

  /**
   * @param depth how many recursive loops are around this one
   * @param again renders the loop's body over other items, for recursive loops
   */
  LoopState(List<Object> items, int depth, @Nullable Function<Object, Object> again) {
    this.items = items;
    this.depth = depth;
    this.again = again;
  }

  /** Goes on to the next item, if there is one; else it stays at the last. */
  boolean next() {
    boolean more = index + 1 < items.size();
    index += more ? 1 : 0;
    return more;
  }

  Object item() {
    return items.get(index);
  }

  int length() {
    return items.size();
  }

  @Nullable Object attribute(String name, Budget budget) {
    return switch (name) {
      case "index" -> index + 1L;
      case "index0" -> (long) index;
      case "revindex" -> (long) items.size() - index;
      case "revindex0" -> items.size() - index - 1L;
      case "first" -> index == 0;
      case "last" -> index == items.size() - 1;
      case "length" -> (long) items.size();
      case "depth" -> depth + 1L;
      case "depth0" -> (long) depth;
      case "previtem" ->
          index == 0 ? Undefined.of("there is no previous item") : items.get(index - 1);
      case "nextitem" ->
          index == items.size() - 1 ? Undefined.of("there is no next item") : items.get(index + 1);
      case "cycle" ->
          Callable.of(
              name,
              args -> {
                if (args.positional().isEmpty()) {
                  throw new JinjaException.WrongValue("no items for cycling given");
                }
                return args.positional().get(index % args.positional().size());
              });
      case "changed" -> Callable.of(name, args -> changed(args.positional(), budget));
      default -> null;
    };
  }

  private boolean changed(List<Object> values, Budget budget) {
    boolean same = lastChanged != null && Values.equal(lastChanged, values, budget);
    lastChanged = values;
    return !same;
  }

  @Override
  public String name() {
    return "loop";
  }

  @Override
  public Object call(Args args) {
    if (again == null) {
      throw new JinjaException.WrongValue(
          "the loop must have the 'recursive' marker to be called recursively");
    }
    return again.apply(args.bind("loop", 1, "iterable").get(0));
  }

  @Override
  public String toString() {
    return (index + 1) + "/" + items.size();
  }
}
