package io.trimtab.hub;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Where a cached model came from: the file {@code source.json} beside it.
 *
 * @param source the exact source, such as {@code hub:google-bert/bert-base-uncased@<commit>}
 * @param licence the licence as far as it is known, else empty
 * @param imported when it was fetched
 * @param sha256 the hash of every file by name
 */
record Origin(String source, String licence, Instant imported, Map<String, String> sha256) {
  static final String FILE = "source.json";

  Origin {
    sha256 = java.util.Collections.unmodifiableMap(new TreeMap<>(sha256));
  }

  /** Hashes the files of {@code directory} and writes the record beside them. */
  static Origin write(Path directory, String source, String licence) {
    Map<String, String> hashes = new TreeMap<>();
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        String name = directory.relativize(file).toString().replace('\\', '/');
        if (!name.equals(FILE)) {
          hashes.put(name, Hashes.sha256(file));
        }
      }
      Origin origin = new Origin(source, licence, Instant.now(), hashes);
      Map<String, Object> fields = new LinkedHashMap<>();
      fields.put("source", source);
      fields.put("licence", licence);
      fields.put("imported", origin.imported().toString());
      fields.put("sha256", hashes);
      Files.writeString(directory.resolve(FILE), Json.write(fields));
      return origin;
    } catch (IOException e) {
      throw new HubException.Disk("cannot record the source in " + directory + ": " + e, e);
    }
  }

  /** Reads the record of {@code directory}; null where it has none. */
  static @Nullable Origin read(Path directory) {
    Path file = directory.resolve(FILE);
    if (!Files.isRegularFile(file)) {
      return null;
    }
    Map<String, @Nullable Object> fields = Json.readObject(file);
    Map<String, String> hashes = new TreeMap<>();
    if (fields.get("source") instanceof String source
        && fields.get("licence") instanceof String licence
        && fields.get("imported") instanceof String imported
        && fields.get("sha256") instanceof Map<?, ?> map) {
      map.forEach((name, hash) -> hashes.put(String.valueOf(name), String.valueOf(hash)));
      return new Origin(source, licence, Instant.parse(imported), hashes);
    }
    throw new HubException.Malformed(
        file
            + ": expected source, licence, imported and sha256; delete its directory and fetch"
            + " anew");
  }
}
