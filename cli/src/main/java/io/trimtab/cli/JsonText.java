package io.trimtab.cli;

import java.io.StringWriter;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/**
 * Maps, lists, texts, numbers and booleans as one line of JSON, by Jackson's streaming core alone,
 * which starts much faster than its object mapper.
 */
final class JsonText {
  private JsonText() {}

  static String of(@Nullable Object value) {
    StringWriter text = new StringWriter();
    try (JsonGenerator json = new JsonFactory().createGenerator(ObjectWriteContext.empty(), text)) {
      write(json, value);
    }
    return text.toString();
  }

  private static void write(JsonGenerator json, @Nullable Object value) {
    switch (value) {
      case null -> json.writeNull();
      case Map<?, ?> map -> {
        json.writeStartObject();
        map.forEach(
            (key, inner) -> {
              json.writeName(String.valueOf(key));
              write(json, inner);
            });
        json.writeEndObject();
      }
      case List<?> list -> {
        json.writeStartArray();
        list.forEach(inner -> write(json, inner));
        json.writeEndArray();
      }
      case Boolean flag -> json.writeBoolean(flag);
      case Integer number -> json.writeNumber(number);
      case Long number -> json.writeNumber(number);
      case Number number -> {
        double plain = number.doubleValue();
        if (Double.isFinite(plain)) {
          json.writeNumber(plain);
        } else {
          json.writeNull(); // JSON has no NaN
        }
      }
      default -> json.writeString(value.toString());
    }
  }
}
