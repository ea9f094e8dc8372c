package io.trimtab.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What {@code value.name} and {@code value[index]} are. */
final class Attributes {
  private static final Set<String> CHANGING =
      Set.of(
          "append",
          "clear",
          "extend",
          "insert",
          "pop",
          "popitem",
          "remove",
          "reverse",
          "setdefault",
          "sort",
          "update");

  private Attributes() {}

  /** {@code object.name}: the attribute, else the item of that name. */
  static Object attribute(Object object, String name, Budget budget) {
    if (object instanceof Undefined undefined) {
      throw undefined.used();
    }
    Object attribute = own(object, name, budget);
    if (attribute != null) {
      return attribute;
    }
    Object item = object instanceof Dict dict ? dict.get(name, budget) : null;
    return orMissing(item, object, name, budget);
  }

  private static Object orMissing(
      @Nullable Object found, Object object, String name, Budget budget) {
    if (found != null) {
      return found;
    }
    budget.objects(4);
    return missing(object, Undefined.shown(name));
  }

  /** {@code object[index]}: the item, else the attribute of that name. */
  static Object item(Object object, Object index, Budget budget) {
    if (object instanceof Undefined undefined) {
      throw undefined.used();
    }
    if (object instanceof Dict dict) {
      Object item = dict.find(index, budget);
      if (item != null) {
        return item;
      }
    } else if (Numbers.isInteger(index)) {
      Object item = at(object, Numbers.index(index, "an index"), budget);
      if (item != null) {
        return item;
      }
    }
    String name = Values.asText(index);
    if (name == null) {
      return index instanceof Undefined
          ? Undefined.of(described(object) + " has no element Undefined")
          : Undefined.of(
              described(object) + " has no element " + Undefined.shown(Repr.repr(index, budget)));
    }
    return orMissing(own(object, name, budget), object, name, budget);
  }

  private static Undefined missing(Object object, String name) {
    return name.startsWith("__") && name.endsWith("__") && name.length() > 4
        ? new Undefined("access to the attribute " + name + " is not allowed", true)
        : Undefined.of("'" + described(object) + "' has no attribute '" + name + "'");
  }

  private static String described(Object object) {
    return object == None.NONE ? "None" : Values.type(object) + " object";
  }

  private static @Nullable Object at(Object object, int index, Budget budget) {
    String text = Values.asText(object);
    if (text != null) {
      boolean plain =
          text.length() < 64 && text.chars().noneMatch(c -> Character.isSurrogate((char) c));
      budget.work(plain ? 0 : text.length());
      int length = plain ? text.length() : text.codePointCount(0, text.length());
      int place = index < 0 ? index + length : index;
      if (place < 0 || place >= length) {
        return null;
      }
      budget.objects(1);
      return Strings.character(text.codePointAt(text.offsetByCodePoints(0, place)));
    }
    List<Object> items = Values.asSequence(object);
    if (items == null) {
      return null;
    }
    int place = index < 0 ? index + items.size() : index;
    return place < 0 || place >= items.size() ? null : items.get(place);
  }

  private static @Nullable Object own(Object object, String name, Budget budget) {
    budget.work(name.length());
    Object own = ownOf(object, name, budget);
    if (own instanceof Callable) {
      budget.objects(2);
    }
    return own;
  }

  private static @Nullable Object ownOf(Object object, String name, Budget budget) {
    return switch (object) {
      case String text -> TextMethods.method(text, name, budget);
      case Markup markup -> MarkupMethods.method(markup, name, budget);
      case Dict dict ->
          CHANGING.contains(name)
                  && !Set.of("append", "extend", "insert", "remove", "reverse", "sort")
                      .contains(name)
              ? changing(object, name)
              : ContainerMethods.ofDict(dict, name, budget);
      case List<?> list ->
          CHANGING.contains(name) && !Set.of("popitem", "setdefault", "update").contains(name)
              ? changing(object, name)
              : ContainerMethods.ofSequence(list, "list", name, budget);
      case Tuple tuple when tuple.grouped() && name.equals("grouper") -> tuple.items().get(0);
      case Tuple tuple when tuple.grouped() && name.equals("list") -> tuple.items().get(1);
      case Tuple tuple -> ContainerMethods.ofSequence(tuple.items(), "tuple", name, budget);
      case Range range ->
          switch (name) {
            case "start" -> range.start();
            case "stop" -> range.stop();
            case "step" -> range.step();
            default -> ContainerMethods.ofSequence(range.items(), "range", name, budget);
          };
      case Namespace namespace -> namespace.get(name);
      case LoopState loop -> loop.attribute(name, budget);
      case Macro macro -> macro.attribute(name);
      case Globals.Cycler cycler -> cycler.attribute(name);
      case Globals.DictFunction function ->
          name.equals("fromkeys")
              ? Callable.of(name, args -> ContainerMethods.fromKeys(args, budget))
              : null;
      case Number number -> ofNumber(number, name);
      case Boolean flag -> ofNumber(flag ? 1L : 0L, name);
      default -> null;
    };
  }

  private static @Nullable Object ofNumber(Number number, String name) {
    return switch (name) {
      case "real" -> number;
      case "imag" -> number instanceof Double ? (Object) 0.0 : (Object) 0L;
      case "numerator" -> number instanceof Double ? null : number;
      case "denominator" -> number instanceof Double ? null : (Object) 1L;
      case "is_integer" ->
          Callable.of(
              name,
              args ->
                  !(number instanceof Double real)
                      || (real == Math.rint(real) && !Double.isInfinite(real)));
      case "bit_length" ->
          number instanceof Double
              ? null
              : Callable.of(name, args -> (long) Numbers.big(number).abs().bitLength());
      default -> null;
    };
  }

  private static Undefined changing(Object object, String name) {
    return new Undefined(
        "a "
            + Values.type(object)
            + " cannot be changed by "
            + name
            + " in a template; make a new one, or use a namespace",
        true);
  }

  /** {@code object[start:stop:step]}, each bound an integer or none. */
  static Object slice(Object object, Object start, Object stop, Object step, Budget budget) {
    if (object instanceof Undefined undefined) {
      throw undefined.used();
    }
    String text = Values.asText(object);
    List<Object> items = Values.asSequence(object);
    if (text == null && items == null) {
      return Undefined.of(described(object) + " has no element slice");
    }
    budget.work(text == null ? 0 : 2L * text.length());
    int size =
        text != null ? text.codePointCount(0, text.length()) : items == null ? 0 : items.size();
    long by = step == None.NONE ? 1 : Numbers.index(step, "the step of a slice");
    if (by == 0) {
      throw new JinjaException.WrongValue("slice step cannot be zero");
    }
    long first = bound(start, by > 0 ? 0 : size - 1, by, size);
    long end = bound(stop, by > 0 ? size : -1, by, size);
    long count = Math.max(0, by > 0 ? (end - first + by - 1) / by : (first - end - by - 1) / -by);
    if (text != null) {
      return sliceText(object, text, first, by, count, budget);
    }
    budget.items(count);
    List<Object> out = new ArrayList<>((int) count);
    for (long i = 0; i < count; i++) {
      out.add(java.util.Objects.requireNonNull(items).get((int) (first + i * by)));
    }
    return object instanceof Tuple ? new Tuple(out) : out;
  }

  private static long bound(Object bound, long fallback, long step, long size) {
    if (bound == None.NONE) {
      return fallback;
    }
    long place = Numbers.index(bound, "a bound of a slice");
    place = place < 0 ? place + size : place;
    return Math.clamp(place, step > 0 ? 0 : -1, step > 0 ? size : size - 1);
  }

  private static Object sliceText(
      Object object, String text, long first, long by, long count, Budget budget) {
    budget.text(2 * count);
    String out;
    if (count == 0) {
      out = "";
    } else if (by == 1) {
      int start = text.offsetByCodePoints(0, (int) first);
      out = text.substring(start, text.offsetByCodePoints(start, (int) count));
    } else {
      budget.items(text.length());
      int[] characters = text.codePoints().toArray();
      StringBuilder made = new StringBuilder();
      for (long i = 0; i < count; i++) {
        made.appendCodePoint(characters[(int) (first + i * by)]);
      }
      out = made.toString();
    }
    return object instanceof Markup ? new Markup(out) : out;
  }
}
