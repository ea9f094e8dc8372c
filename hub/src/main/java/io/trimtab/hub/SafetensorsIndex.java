package io.trimtab.hub;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.SequencedMap;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.json.JsonFactory;

/**
 * The index of a checkpoint in several files: which tensor is in which file. Safetensors and
 * PyTorch files are indexed in the same way.
 */
final class SafetensorsIndex {
  private static final JsonFactory JSON = new JsonFactory();

  private final Path file;
  private final TensorDirectory.Reader reader;
  private final SequencedMap<String, String> shardOf = new LinkedHashMap<>();
  private final Map<String, String> metadata = new LinkedHashMap<>();
  private boolean weightMapSeen;

  private SafetensorsIndex(Path file, TensorDirectory.Reader reader) {
    this.file = file;
    this.reader = reader;
  }

  /** Opens the index and, with the reader of their format, the files that it names. */
  static TensorFile open(Path file, TensorDirectory.Reader reader) {
    var index = new SafetensorsIndex(file, reader);
    index.parse();
    return MappedTensors.inNewArena(index::openShards);
  }

  private TensorFile openShards(Arena arena) {
    var found = new LinkedHashMap<String, MappedTensors.Stored>();
    for (String shard : new LinkedHashSet<>(shardOf.values())) {
      Path path = file.resolveSibling(shard);
      if (!Files.exists(path)) {
        throw error("names the shard " + shard + ", which is missing; download it again");
      }
      TensorDirectory directory = reader.read(path, arena);
      directory.metadata().forEach(metadata::putIfAbsent);
      directory
          .tensors()
          .forEach(
              (name, stored) -> {
                String expected = shardOf.get(name);
                if (expected == null) {
                  throw error("does not name the tensor '" + name + "' that " + shard + " holds");
                }
                if (!expected.equals(shard)) {
                  throw error(
                      "puts the tensor '%s' into %s but %s holds it (too)"
                          .formatted(name, expected, shard));
                }
                found.put(name, stored);
              });
    }
    var ordered = new LinkedHashMap<String, MappedTensors.Stored>();
    shardOf.forEach(
        (name, shard) -> {
          MappedTensors.Stored stored = found.get(name);
          if (stored == null) {
            throw error("puts the tensor '" + name + "' into " + shard + ", which lacks it");
          }
          ordered.put(name, stored);
        });
    return new MappedTensors(file, arena, ordered, metadata);
  }

  private void parse() {
    MappedTensors.requireFile(file);
    try (JsonParser parser = JSON.createParser(ObjectReadContext.empty(), text())) {
      if (parser.nextToken() != JsonToken.START_OBJECT) {
        throw error("is not a JSON object");
      }
      while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
        String key = parser.currentName();
        JsonToken value = parser.nextToken();
        if (key.equals("weight_map") && value == JsonToken.START_OBJECT && !weightMapSeen) {
          weightMapSeen = true;
          parseWeightMap(parser);
        } else if (key.equals("weight_map")) {
          throw error("weight_map is not one JSON object");
        } else if (key.equals("metadata") && value == JsonToken.START_OBJECT) {
          parseMetadata(parser);
        } else {
          parser.skipChildren();
        }
      }
      if (parser.nextToken() != null) {
        throw error("goes on after its JSON object");
      }
    } catch (JacksonException e) {
      throw new FileFormatException(file, "is not valid JSON (" + e.getOriginalMessage() + ")", e);
    } catch (CharacterCodingException e) {
      throw new FileFormatException(file, "is not valid JSON (not UTF-8)", e);
    } catch (IOException e) {
      throw new FileFormatException(file, "cannot be read (" + e + ")", e);
    }
    if (shardOf.isEmpty()) {
      throw error("has no weight_map, or an empty one");
    }
  }

  private String text() throws IOException {
    if (Files.size(file) > SafetensorsHeader.MAX_LENGTH) {
      throw error("has more than " + SafetensorsHeader.MAX_LENGTH + " bytes; is it an index?");
    }
    return Files.readString(file);
  }

  private void parseWeightMap(JsonParser parser) {
    while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
      String name = parser.currentName();
      if (parser.nextToken() != JsonToken.VALUE_STRING) {
        throw error("weight_map gives no file name for '" + name + "'");
      }
      String shard = parser.getString();
      // A shard lies next to its index; anything else could read files it has no business with.
      if (shard.isEmpty() || shard.startsWith(".") || !shard.matches("[^/\\\\:\\x00]+")) {
        throw error("weight_map has '" + shard + "', which is not the name of a file next to it");
      }
      if (shardOf.putIfAbsent(name, shard) != null) {
        throw error("weight_map names the tensor '" + name + "' twice (duplicate key)");
      }
    }
  }

  private void parseMetadata(JsonParser parser) {
    while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
      String key = parser.currentName();
      if (!parser.nextToken().isScalarValue()) {
        parser.skipChildren();
      } else if (metadata.putIfAbsent(key, parser.getString()) != null) {
        throw error("metadata has '" + key + "' twice (duplicate key)");
      }
    }
  }

  private FileFormatException error(String message) {
    return new FileFormatException(file, message);
  }
}
