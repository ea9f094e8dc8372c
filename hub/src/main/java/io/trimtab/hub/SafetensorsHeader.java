package io.trimtab.hub;

import io.trimtab.tensor.DType;
import java.io.ByteArrayInputStream;
import java.io.InputStreamReader;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.json.JsonFactory;

/**
 * The directory at the front of a safetensors file, read and checked: eight bytes of length
 * (little-endian), then one JSON object {@code {"name": {"dtype", "shape", "data_offsets"}, ...,
 * "__metadata__": {...}}}, then the elements.
 */
final class SafetensorsHeader {

  /** The longest header that is read, in bytes; the reference implementation has the same limit. */
  static final long MAX_LENGTH = 100_000_000;

  static final String METADATA = "__metadata__";

  /** Element types of the format for which {@link DType} has no counterpart. */
  private static final Set<String> UNSUPPORTED =
      Set.of(
          "I16",
          "U16",
          "U32",
          "U64",
          "C64",
          "F4",
          "F6_E2M3",
          "F6_E3M2",
          "F8_E5M2",
          "F8_E4M3",
          "F8_E8M0",
          "F8_E4M3FNUZ",
          "F8_E5M2FNUZ");

  private static final byte[] LFS_POINTER =
      "version https://git-lfs".getBytes(StandardCharsets.US_ASCII);
  private static final ValueLayout.OfLong LENGTH =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final JsonFactory JSON = new JsonFactory();

  private record Entry(TensorInfo info, long begin, long end) {}

  private final Path file;
  private final Map<String, String> metadata = new LinkedHashMap<>();
  private final SequencedMap<String, Entry> entries = new LinkedHashMap<>();
  private boolean metadataSeen;
  private long dataStart;

  private SafetensorsHeader(Path file) {
    this.file = file;
  }

  /** Reads the header of a mapped file and checks that it accounts for every byte that follows. */
  static SafetensorsHeader read(Path file, MemorySegment bytes) {
    var header = new SafetensorsHeader(file);
    long size = bytes.byteSize();
    if (size < Long.BYTES) {
      throw header.error(
          "has %d bytes, too few for a safetensors file, which starts with 8 bytes of length"
              .formatted(size));
    }
    if (startsWith(bytes, LFS_POINTER)) {
      throw header.error("is a Git LFS pointer, not the weights themselves; run git lfs pull");
    }
    long length = bytes.get(LENGTH, 0);
    if (length < 0 || length > MAX_LENGTH) {
      throw header.error(
          "announces a header of %s bytes, more than the %d allowed; is it a safetensors file?"
              .formatted(Long.toUnsignedString(length), MAX_LENGTH));
    }
    if (length > size - Long.BYTES) {
      throw header.error(
          "announces a header of %d bytes but only %d follow; the file is cut off"
              .formatted(length, size - Long.BYTES));
    }
    if (length < 2 || bytes.get(ValueLayout.JAVA_BYTE, Long.BYTES) != '{') {
      throw header.error("header does not start with '{'; is it a safetensors file?");
    }
    header.parse(bytes.asSlice(Long.BYTES, length).toArray(ValueLayout.JAVA_BYTE));
    header.checkCover(size - Long.BYTES - length);
    header.dataStart = Long.BYTES + length;
    return header;
  }

  /** Free text stored under {@code __metadata__}. */
  Map<String, String> metadata() {
    return metadata;
  }

  /** The tensors in the order of the header, as slices of the mapped file. */
  SequencedMap<String, MappedTensors.Stored> tensors(MemorySegment bytes) {
    var tensors = new LinkedHashMap<String, MappedTensors.Stored>();
    entries.forEach(
        (name, entry) ->
            tensors.put(
                name,
                new MappedTensors.Stored(
                    entry.info(),
                    bytes.asSlice(dataStart + entry.begin(), entry.end() - entry.begin()))));
    return tensors;
  }

  private static boolean startsWith(MemorySegment bytes, byte[] prefix) {
    return bytes.byteSize() >= prefix.length
        && bytes.asSlice(0, prefix.length).mismatch(MemorySegment.ofArray(prefix)) < 0;
  }

  private void parse(byte[] json) {
    // An own decoder: Jackson would guess UTF-16 or UTF-32, and the format is UTF-8 only.
    var decoder =
        StandardCharsets.UTF_8
            .newDecoder()
            .onMalformedInput(CodingErrorAction.REPORT)
            .onUnmappableCharacter(CodingErrorAction.REPORT);
    var reader = new InputStreamReader(new ByteArrayInputStream(json), decoder);
    try (JsonParser parser = JSON.createParser(ObjectReadContext.empty(), reader)) {
      expect(parser, parser.nextToken(), JsonToken.START_OBJECT, "the header");
      while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
        String name = parser.currentName();
        if (name.equals(METADATA)) {
          parseMetadata(parser);
        } else if (entries.putIfAbsent(name, parseEntry(parser, name)) != null) {
          throw error("header names the tensor '" + name + "' twice (duplicate key)");
        }
      }
      if (parser.nextToken() != null) {
        throw error("header goes on after its JSON object; only blanks may follow");
      }
    } catch (JacksonException e) {
      throw new FileFormatException(
          file, "header is not valid JSON in UTF-8 (" + e.getOriginalMessage() + ")", e);
    }
  }

  private void parseMetadata(JsonParser parser) {
    if (metadataSeen) {
      throw error("header has " + METADATA + " twice (duplicate key)");
    }
    metadataSeen = true;
    expect(parser, parser.nextToken(), JsonToken.START_OBJECT, METADATA);
    while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
      String key = parser.currentName();
      expect(parser, parser.nextToken(), JsonToken.VALUE_STRING, METADATA + " '" + key + "'");
      if (metadata.putIfAbsent(key, parser.getString()) != null) {
        throw error(METADATA + " has '" + key + "' twice (duplicate key)");
      }
    }
  }

  private Entry parseEntry(JsonParser parser, String name) {
    expect(parser, parser.nextToken(), JsonToken.START_OBJECT, "tensor '" + name + "'");
    @Nullable DType dtype = null;
    @Nullable List<Long> shape = null;
    @Nullable List<Long> offsets = null;
    while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
      String key = parser.currentName();
      boolean repeated;
      switch (key) {
        case "dtype" -> {
          repeated = dtype != null;
          dtype = parseDType(parser, name);
        }
        case "shape" -> {
          repeated = shape != null;
          shape = parseNumbers(parser, name, key);
        }
        case "data_offsets" -> {
          repeated = offsets != null;
          offsets = parseNumbers(parser, name, key);
        }
        default -> throw error("tensor '" + name + "' has the unknown key '" + key + "'");
      }
      if (repeated) {
        throw error("tensor '" + name + "' has '" + key + "' twice (duplicate key)");
      }
    }
    if (dtype == null || shape == null || offsets == null) {
      throw error("tensor '" + name + "' lacks one of dtype, shape, data_offsets");
    }
    return entry(name, dtype, shape, offsets);
  }

  private Entry entry(String name, DType dtype, List<Long> shape, List<Long> offsets) {
    if (offsets.size() != 2 || offsets.get(0) > offsets.get(1)) {
      throw error("tensor '" + name + "': data_offsets are not [begin, end] with begin <= end");
    }
    TensorInfo info = TensorInfo.in(file, name, dtype, shape);
    long begin = offsets.get(0);
    long end = offsets.get(1);
    if (info.byteSize() != end - begin) {
      throw error(
          "tensor '%s' takes %d bytes by shape, %d by data_offsets"
              .formatted(info, info.byteSize(), end - begin));
    }
    return new Entry(info, begin, end);
  }

  private DType parseDType(JsonParser parser, String name) {
    expect(parser, parser.nextToken(), JsonToken.VALUE_STRING, "dtype of '" + name + "'");
    String text = parser.getString();
    for (DType dtype : DType.values()) {
      if (dtype.name().equals(text)) {
        return dtype;
      }
    }
    throw error(
        "tensor '%s' has the %s dtype %s; supported are %s"
            .formatted(
                name,
                UNSUPPORTED.contains(text) ? "unsupported" : "unknown",
                text,
                List.of(DType.values())));
  }

  private List<Long> parseNumbers(JsonParser parser, String name, String key) {
    String what = key + " of '" + name + "'";
    expect(parser, parser.nextToken(), JsonToken.START_ARRAY, what);
    var numbers = new ArrayList<Long>();
    while (parser.nextToken() != JsonToken.END_ARRAY) {
      expect(parser, parser.currentToken(), JsonToken.VALUE_NUMBER_INT, what);
      long number = parser.getLongValue();
      if (number < 0) {
        throw error(what + " has the negative number " + number);
      }
      if (numbers.size() == TensorInfo.MAX_RANK) {
        throw error(what + " has more than " + TensorInfo.MAX_RANK + " numbers");
      }
      numbers.add(number);
    }
    return numbers;
  }

  /** Every byte must belong to exactly one tensor, so that nothing can hide in the file. */
  private void checkCover(long available) {
    List<Entry> sorted = new ArrayList<>(entries.values());
    sorted.sort(Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::end));
    long position = 0;
    for (Entry entry : sorted) {
      if (entry.begin() != position) {
        throw error(
            "tensor '%s' starts at offset %d where %d was expected: there is %s"
                .formatted(
                    entry.info().name(),
                    entry.begin(),
                    position,
                    entry.begin() > position ? "a hole" : "an overlap"));
      }
      position = entry.end();
    }
    if (position > available) {
      throw error(
          "tensors take %d bytes but only %d follow the header; the file is cut off"
              .formatted(position, available));
    }
    if (position < available) {
      throw error(
          "%d bytes follow the header but its tensors take only %d: trailing bytes"
              .formatted(available, position));
    }
  }

  private void expect(
      JsonParser parser, @Nullable JsonToken found, JsonToken expected, String what) {
    if (found != expected) {
      throw error(
          "%s: expected %s, found %s at %s"
              .formatted(
                  what,
                  expected,
                  found == null ? "the end" : found,
                  "byte " + parser.currentTokenLocation().getCharOffset()));
    }
  }

  private FileFormatException error(String message) {
    return new FileFormatException(file, message);
  }
}
