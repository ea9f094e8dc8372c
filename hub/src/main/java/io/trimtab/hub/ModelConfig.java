package io.trimtab.hub;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * An immutable view of a model's {@code config.json}. A field that is absent and a field that is
 * {@code null} are the same. Every getter comes in two forms: without a default, where an absent
 * field is an error, and with one. A field of the wrong type is always an error that names the
 * file, the field, what was found and what was expected.
 */
public final class ModelConfig {
  private final Path path;
  private final String prefix;
  private final Map<String, @Nullable Object> fields;
  private final Consumer<String> asked;

  private ModelConfig(
      Path path, String prefix, Map<String, @Nullable Object> fields, Consumer<String> asked) {
    this.path = path;
    this.prefix = prefix;
    this.fields = fields;
    this.asked = asked;
  }

  private static ModelConfig of(Path path, String prefix, Map<String, @Nullable Object> fields) {
    return new ModelConfig(path, prefix, fields, field -> {});
  }

  /**
   * The same view, which tells of every field that it is asked for: how one finds out which fields
   * a reader does not know. Of a nested object it tells once, when that is asked for.
   */
  public ModelConfig telling(Consumer<String> listener) {
    return new ModelConfig(path, prefix, fields, listener);
  }

  private @Nullable Object get(String field) {
    asked.accept(field);
    return fields.get(field);
  }

  /**
   * Reads {@code file}.
   *
   * @throws HubException.NotFound when there is no such file
   * @throws HubException.Malformed when it is not a JSON object
   */
  public static ModelConfig read(Path file) {
    return of(file, "", Json.readObject(file));
  }

  /** The configuration in {@code json}; {@code path} is where it is said to come from. */
  public static ModelConfig parse(String json, Path path) {
    byte[] bytes = json.getBytes(StandardCharsets.UTF_8);
    return of(path, "", Json.parseObject(bytes, path.toString()));
  }

  /**
   * The configuration with these fields, which are texts, numbers, booleans, lists and maps.
   *
   * @param path where it is said to come from
   */
  public static ModelConfig of(Map<String, @Nullable Object> fields, Path path) {
    return of(path, "", new LinkedHashMap<>(fields));
  }

  /** The same with other fields. */
  ModelConfig with(Map<String, @Nullable Object> others) {
    return new ModelConfig(path, prefix, new LinkedHashMap<>(others), asked);
  }

  /** The fields as they were read. */
  Map<String, @Nullable Object> raw() {
    return java.util.Collections.unmodifiableMap(fields);
  }

  /** All fields as JSON text. */
  public String json() {
    return Json.write(fields);
  }

  /** The file that this was read from. */
  public Path path() {
    return path;
  }

  /** The names of all fields, in the order of the file, those that are {@code null} too. */
  public Set<String> fields() {
    return java.util.Collections.unmodifiableSet(fields.keySet());
  }

  /** Whether {@code field} is there and not {@code null}. */
  public boolean has(String field) {
    return get(field) != null;
  }

  /** Whether {@code field} is there as a string: some fields may be one or a list. */
  public boolean isText(String field) {
    return get(field) instanceof String;
  }

  /** Whether {@code field} is there as a number: some fields may be one or a list. */
  public boolean isNumber(String field) {
    return get(field) instanceof Number;
  }

  /** Whether {@code field} is there as a list: some fields may be one or an object. */
  public boolean isList(String field) {
    return get(field) instanceof List;
  }

  /** Whether {@code field} is there as a list of nothing. */
  public boolean isEmptyList(String field) {
    return fields.get(field) instanceof List<?> items && items.isEmpty();
  }

  /**
   * The first of {@code names} that the file has, and the first of all where it has none: for
   * fields that changed their name, such as {@code dtype}, once {@code torch_dtype}.
   */
  public String firstOf(String... names) {
    for (String name : names) {
      if (has(name)) {
        return name;
      }
    }
    return names[0];
  }

  /** A whole number that fits an {@code int}. */
  public int integer(String field) {
    return toInt(field, require(field, "an integer"));
  }

  /** A whole number that fits an {@code int}, or {@code fallback} where the field is absent. */
  public int integer(String field, int fallback) {
    Object value = get(field);
    return value == null ? fallback : toInt(field, value);
  }

  /** A number. */
  public double decimal(String field) {
    return toDouble(field, require(field, "a number"));
  }

  /** A number, or {@code fallback} where the field is absent. */
  public double decimal(String field, double fallback) {
    Object value = get(field);
    return value == null ? fallback : toDouble(field, value);
  }

  /** A string. */
  public String text(String field) {
    return toText(field, require(field, "a string"));
  }

  /** A string, or {@code fallback} where the field is absent. */
  public String text(String field, String fallback) {
    Object value = get(field);
    return value == null ? fallback : toText(field, value);
  }

  /** A boolean. */
  public boolean flag(String field) {
    return toFlag(field, require(field, "true or false"));
  }

  /** A boolean, or {@code fallback} where the field is absent. */
  public boolean flag(String field, boolean fallback) {
    Object value = get(field);
    return value == null ? fallback : toFlag(field, value);
  }

  /** A list of strings; empty where the field is absent. */
  public List<String> texts(String field) {
    List<String> out = new ArrayList<>();
    for (Object item : list(field)) {
      out.add(toText(field, item));
    }
    return List.copyOf(out);
  }

  /** A list of whole numbers; empty where the field is absent. */
  public List<Integer> integers(String field) {
    List<Integer> out = new ArrayList<>();
    for (Object item : list(field)) {
      out.add(toInt(field, item));
    }
    return List.copyOf(out);
  }

  /** A list of lists of whole numbers; empty where the field is absent. */
  public List<List<Integer>> integerLists(String field) {
    List<List<Integer>> out = new ArrayList<>();
    for (Object item : list(field)) {
      if (!(item instanceof List<?> numbers)) {
        throw wrong(field, item, "a list of lists");
      }
      List<Integer> row = new ArrayList<>();
      for (Object number : numbers) {
        row.add(toInt(field, java.util.Objects.requireNonNull(number)));
      }
      out.add(List.copyOf(row));
    }
    return List.copyOf(out);
  }

  /** A list of numbers; empty where the field is absent. */
  public List<Double> decimals(String field) {
    List<Double> out = new ArrayList<>();
    for (Object item : list(field)) {
      out.add(toDouble(field, item));
    }
    return List.copyOf(out);
  }

  /** A list of booleans; empty where the field is absent. */
  public List<Boolean> flags(String field) {
    List<Boolean> out = new ArrayList<>();
    for (Object item : list(field)) {
      out.add(toFlag(field, item));
    }
    return List.copyOf(out);
  }

  /**
   * Whether a field says nothing: it is absent, {@code null}, {@code false}, or an empty list,
   * object or string.
   */
  public boolean isOff(String field) {
    return switch (fields.get(field)) {
      case null -> true;
      case Boolean flag -> !flag;
      case List<?> list -> list.isEmpty();
      case Map<?, ?> map -> map.isEmpty();
      case String text -> text.isEmpty();
      default -> false;
    };
  }

  /** A nested object, for example {@code rope_scaling} or {@code text_config}. */
  @SuppressWarnings("unchecked") // Json builds every object as Map<String, Object>
  public ModelConfig section(String field) {
    Object value = require(field, "an object");
    if (value instanceof Map<?, ?> map) {
      return of(path, prefix + field + ".", (Map<String, @Nullable Object>) map);
    }
    throw wrong(field, value, "an object");
  }

  /** A list of nested objects; empty where the field is absent. */
  @SuppressWarnings("unchecked") // Json builds every object as Map<String, Object>
  public List<ModelConfig> sections(String field) {
    List<ModelConfig> out = new ArrayList<>();
    for (Object item : list(field)) {
      if (!(item instanceof Map<?, ?> map)) {
        throw wrong(field, item, "a list of objects");
      }
      String at = prefix + field + "[" + out.size() + "].";
      out.add(of(path, at, (Map<String, @Nullable Object>) map));
    }
    return List.copyOf(out);
  }

  /** The architecture family, such as {@code bert}: the field {@code model_type}. */
  public String modelType() {
    return text("model_type");
  }

  /**
   * The classes that the checkpoint was saved from, such as {@code BertForMaskedLM}; may be empty.
   */
  public List<String> architectures() {
    return texts("architectures");
  }

  /**
   * The label names of a classifier by class number, from 0 on without gaps. Where the file has
   * none, {@code num_labels} classes (2 where that is absent too) are called {@code LABEL_0},
   * {@code LABEL_1} and so on, as transformers does.
   */
  public SortedMap<Integer, String> id2label() {
    SortedMap<Integer, String> out = new TreeMap<>();
    if (!has("id2label")) {
      int count = integer("num_labels", 2);
      for (int i = 0; i < count; i++) {
        out.put(i, "LABEL_" + i);
      }
      return java.util.Collections.unmodifiableSortedMap(out);
    }
    ModelConfig labels = section("id2label");
    for (String key : labels.fields()) {
      try {
        out.put(Integer.valueOf(key), labels.text(key));
      } catch (NumberFormatException e) {
        throw new HubException.Malformed(
            where("id2label") + ": expected class numbers as keys, found \"" + key + "\"", e);
      }
    }
    if (!out.isEmpty() && (out.firstKey() != 0 || out.lastKey() != out.size() - 1)) {
      throw new HubException.Malformed(
          where("id2label") + ": expected classes 0 to " + (out.size() - 1) + ", found " + out);
    }
    return java.util.Collections.unmodifiableSortedMap(out);
  }

  private List<Object> list(String field) {
    Object value = get(field);
    if (value == null) {
      return List.of();
    }
    if (!(value instanceof List<?> items)) {
      throw wrong(field, value, "a list");
    }
    List<Object> out = new ArrayList<>();
    for (Object item : items) {
      if (item == null) {
        throw new HubException.Malformed(where(field) + ": expected a list without null");
      }
      out.add(item);
    }
    return out;
  }

  private Object require(String field, String expected) {
    Object value = get(field);
    if (value == null) {
      throw new HubException.Malformed(
          where(field) + " is missing; expected " + expected + ". The file has " + fields.keySet());
    }
    return value;
  }

  private int toInt(String field, Object value) {
    if (value instanceof Number number
        && number.doubleValue() == Math.rint(number.doubleValue())
        && Math.abs(number.doubleValue()) <= Integer.MAX_VALUE) {
      return number.intValue();
    }
    throw wrong(field, value, "an integer");
  }

  private double toDouble(String field, Object value) {
    if (value instanceof Number number) {
      return number.doubleValue();
    }
    throw wrong(field, value, "a number");
  }

  private String toText(String field, Object value) {
    if (value instanceof String text) {
      return text;
    }
    throw wrong(field, value, "a string");
  }

  private boolean toFlag(String field, Object value) {
    if (value instanceof Boolean flag) {
      return flag;
    }
    throw wrong(field, value, "true or false");
  }

  private HubException.Malformed wrong(String field, Object value, String expected) {
    String found =
        switch (value) {
          case String text -> "the string \"" + text + "\"";
          case Map<?, ?> map -> "an object with " + map.size() + " fields";
          case List<?> list -> "a list of " + list.size();
          default -> value.toString();
        };
    return new HubException.Malformed(
        where(field) + ": expected " + expected + ", found " + found + "; correct the file");
  }

  private String where(String field) {
    return path + ": field " + prefix + field;
  }

  @Override
  public String toString() {
    return "ModelConfig[" + path + ", " + fields.size() + " fields]";
  }
}
