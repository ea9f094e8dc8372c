package io.trimtab.hub;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.json.JsonFactory;

/**
 * JSON as plain maps, lists, strings, numbers, booleans and nulls. It stands on Jackson's streaming
 * core alone, because the object mapper costs some 200 ms at its first use, which a command that
 * only needs a configuration would feel.
 */
final class Json {
  private static final int MAX_DEPTH = 200;

  private Json() {}

  /**
   * The object in {@code file}.
   *
   * @throws HubException.NotFound when there is no such file
   * @throws HubException.Malformed when it is not JSON, or its outermost value is not an object
   */
  static Map<String, @Nullable Object> readObject(Path file) {
    try {
      return parseObject(Files.readAllBytes(file), file.toString());
    } catch (NoSuchFileException e) {
      throw new HubException.NotFound("no file " + file + "; expected a JSON file there", e);
    } catch (IOException e) {
      throw new HubException.Disk("cannot read " + file + ": " + e, e);
    }
  }

  /** The object in {@code bytes}; {@code name} is what error messages call it. */
  @SuppressWarnings("unchecked") // objects are always built as Map<String, Object> below
  static Map<String, @Nullable Object> parseObject(byte[] bytes, String name) {
    try (JsonParser parser = new JsonFactory().createParser(ObjectReadContext.empty(), bytes)) {
      if (parser.nextToken() != JsonToken.START_OBJECT) {
        throw new HubException.Malformed(
            name + ": expected a JSON object, found " + kind(parser.currentToken()));
      }
      Object value = value(parser, 0);
      if (parser.nextToken() != null) {
        throw new HubException.Malformed(
            name + ": expected the end of the file after the JSON object, found more text");
      }
      return (Map<String, @Nullable Object>) java.util.Objects.requireNonNull(value);
    } catch (JacksonException e) {
      throw new HubException.Malformed(name + " is not valid JSON: " + e.getOriginalMessage(), e);
    }
  }

  private static @Nullable Object value(JsonParser parser, int depth) {
    if (depth > MAX_DEPTH) {
      throw new HubException.Malformed("JSON nested deeper than " + MAX_DEPTH + " levels");
    }
    return switch (parser.currentToken()) {
      case START_OBJECT -> {
        Map<String, @Nullable Object> map = new LinkedHashMap<>();
        while (parser.nextToken() != JsonToken.END_OBJECT) {
          String key = parser.currentName();
          parser.nextToken();
          map.put(key, value(parser, depth + 1));
        }
        yield map;
      }
      case START_ARRAY -> {
        List<@Nullable Object> list = new ArrayList<>();
        while (parser.nextToken() != JsonToken.END_ARRAY) {
          list.add(value(parser, depth + 1));
        }
        yield list;
      }
      case VALUE_STRING -> parser.getString();
      case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> parser.getNumberValue();
      case VALUE_TRUE -> true;
      case VALUE_FALSE -> false;
      default -> null;
    };
  }

  private static String kind(@Nullable JsonToken token) {
    return token == null ? "nothing" : token.toString();
  }

  /** {@code value} as JSON text, indented by two blanks a level. */
  static String write(Object value) {
    StringBuilder out = new StringBuilder();
    write(value, "\n", out);
    return out.append('\n').toString();
  }

  /** {@code value} as JSON text on one line, without a line end. */
  static String line(Object value) {
    StringBuilder out = new StringBuilder();
    write(value, "", out);
    return out.toString();
  }

  /** Begins lines by {@code newLine} and two blanks a level, or none where it is empty. */
  private static void write(@Nullable Object value, String newLine, StringBuilder out) {
    String inner = newLine.isEmpty() ? "" : newLine + "  ";
    switch (value) {
      case Map<?, ?> map -> {
        out.append('{');
        String separator = inner;
        for (Map.Entry<?, ?> entry : map.entrySet()) {
          out.append(separator);
          quote(String.valueOf(entry.getKey()), out);
          out.append(": ");
          write(entry.getValue(), inner, out);
          separator = "," + inner;
        }
        out.append(map.isEmpty() ? "}" : newLine + "}");
      }
      case List<?> list -> {
        out.append('[');
        String separator = inner;
        for (Object item : list) {
          out.append(separator);
          write(item, inner, out);
          separator = "," + inner;
        }
        out.append(list.isEmpty() ? "]" : newLine + "]");
      }
      case String text -> quote(text, out);
      case null -> out.append("null");
      default -> out.append(value);
    }
  }

  private static void quote(String text, StringBuilder out) {
    out.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '"' || c == '\\') {
        out.append('\\').append(c);
      } else if (c < 0x20 || Character.isSurrogate(c) || c == '\u2028' || c == '\u2029') {
        // Surrogates as escapes survive any encoding of the file, also unpaired ones.
        out.append("\\u").append(java.util.HexFormat.of().toHexDigits(c));
      } else {
        out.append(c);
      }
    }
    out.append('"');
  }
}
