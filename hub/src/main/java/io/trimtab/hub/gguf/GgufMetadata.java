package io.trimtab.hub.gguf;

import io.trimtab.hub.HubException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * The metadata of a GGUF file. Getters without a default want the key to be there; all want its
 * type to fit, and say otherwise what was found and what was expected.
 */
public final class GgufMetadata {
  private final Path path;
  private final Map<String, GgufValue> values;

  GgufMetadata(Path path, Map<String, GgufValue> values) {
    this.path = path;
    this.values = Collections.unmodifiableMap(new LinkedHashMap<>(values));
  }

  /** All values by key, in the order of the file. */
  public Map<String, GgufValue> values() {
    return values;
  }

  /** Whether the key is there. */
  public boolean has(String key) {
    return values.containsKey(key);
  }

  /** A text. */
  public String text(String key) {
    return asText(key, require(key));
  }

  /** A text, or {@code fallback} where the key is absent. */
  public String text(String key, String fallback) {
    GgufValue value = values.get(key);
    return value == null ? fallback : asText(key, value);
  }

  /** A whole number. */
  public long whole(String key) {
    return asWhole(key, require(key));
  }

  /** A whole number, or {@code fallback} where the key is absent. */
  public long whole(String key, long fallback) {
    GgufValue value = values.get(key);
    return value == null ? fallback : asWhole(key, value);
  }

  /** A count of at least {@code least} that fits an {@code int}. */
  int count(String key, int least) {
    long count = whole(key);
    if (count < least || count > Integer.MAX_VALUE) {
      throw new HubException.Malformed(
          "%s: metadata %s: expected a count of at least %d, found %s"
              .formatted(path, key, least, Long.toUnsignedString(count)));
    }
    return (int) count;
  }

  /** The same, or {@code fallback} where the key is absent. */
  int count(String key, int least, int fallback) {
    return has(key) ? count(key, least) : fallback;
  }

  /** The number of a token; empty where the key is absent, or says by -1 that there is none. */
  OptionalInt token(String key) {
    long id = whole(key, -1);
    // -1 in 32 bits without sign, which most files have
    return id == -1 || id == 0xFFFF_FFFFL ? OptionalInt.empty() : OptionalInt.of(count(key, 0));
  }

  /** A floating-point number, in single precision the shortest decimal that means it. */
  public double real(String key) {
    return asReal(key, require(key));
  }

  /** The same, or {@code fallback} where the key is absent. */
  public double real(String key, double fallback) {
    GgufValue value = values.get(key);
    return value == null ? fallback : asReal(key, value);
  }

  /** True or false, or {@code fallback} where the key is absent. */
  public boolean flag(String key, boolean fallback) {
    return switch (values.get(key)) {
      case null -> fallback;
      case GgufValue.Flag flag -> flag.value();
      case GgufValue other -> throw wrong(key, other, "true or false");
    };
  }

  /** A list of texts. */
  public List<String> texts(String key) {
    List<String> out = new ArrayList<>();
    for (GgufValue value : items(key)) {
      out.add(asText(key, value));
    }
    return out;
  }

  /** A list of whole numbers. */
  public List<Long> wholes(String key) {
    List<Long> out = new ArrayList<>();
    for (GgufValue value : items(key)) {
      out.add(asWhole(key, value));
    }
    return out;
  }

  /** A list of floating-point numbers. */
  public List<Double> reals(String key) {
    List<Double> out = new ArrayList<>();
    for (GgufValue value : items(key)) {
      out.add(asReal(key, value));
    }
    return out;
  }

  /** A list of truth values. */
  public List<Boolean> flags(String key) {
    List<Boolean> out = new ArrayList<>();
    for (GgufValue value : items(key)) {
      if (!(value instanceof GgufValue.Flag(boolean flag))) {
        throw wrong(key, value, "true or false");
      }
      out.add(flag);
    }
    return out;
  }

  /** Whether the key holds a list: some keys hold one value, or one for each block. */
  public boolean isList(String key) {
    return values.get(key) instanceof GgufValue.Items;
  }

  private List<GgufValue> items(String key) {
    if (require(key) instanceof GgufValue.Items(GgufType _, List<GgufValue> list)) {
      return list;
    }
    throw wrong(key, require(key), "a list");
  }

  private GgufValue require(String key) {
    GgufValue value = values.get(key);
    if (value == null) {
      throw new HubException.Malformed(path + ": expected the metadata " + key + ", found none");
    }
    return value;
  }

  private String asText(String key, GgufValue value) {
    if (value instanceof GgufValue.Text(String text)) {
      return text;
    }
    throw wrong(key, value, "a text");
  }

  private long asWhole(String key, GgufValue value) {
    if (value instanceof GgufValue.Whole(GgufType _, long whole)) {
      return whole;
    }
    throw wrong(key, value, "a whole number");
  }

  private double asReal(String key, GgufValue value) {
    if (value instanceof GgufValue.Real(GgufType type, double real)) {
      // 1e-5 in single precision would else be 9.999999747378752e-6.
      return type == GgufType.F32 ? Double.parseDouble(Float.toString((float) real)) : real;
    }
    throw wrong(key, value, "a floating-point number");
  }

  private HubException wrong(String key, @Nullable GgufValue value, String expected) {
    String found =
        switch (value) {
          case null -> "nothing";
          case GgufValue.Items items ->
              "a list of " + items.values().size() + " " + items.element();
          default -> value.type().toString();
        };
    return new HubException.Malformed(
        path + ": metadata " + key + ": expected " + expected + ", found " + found);
  }

  @Override
  public String toString() {
    return "GgufMetadata[" + path + ", " + values.size() + " entries]";
  }
}
