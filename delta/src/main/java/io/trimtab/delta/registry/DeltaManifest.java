package io.trimtab.delta.registry;

import io.trimtab.delta.DeltaFiles;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The files of a delta with their hashes. Its text, one line a file sorted by name, is what the
 * delta's own id is the hash of: {@code SHA-256, two blanks, bytes, two blanks, name}.
 *
 * @param files by name; a name has slashes where the file is in a directory below
 */
public record DeltaManifest(SortedMap<String, Content> files) {
  /** What is written about a delta, not part of it. */
  private static final Set<String> BESIDE = Set.of(ModelCard.FILE, EntryJson.FILE);

  /** Keeps an unmodifiable copy. */
  public DeltaManifest {
    files = Collections.unmodifiableSortedMap(new TreeMap<>(files));
  }

  /**
   * The bytes of a file.
   *
   * @param sha256 their hash in lower-case hexadecimal digits
   * @param bytes how many they are
   */
  public record Content(String sha256, long bytes) {}

  /**
   * Reads all files of a directory but the model card, the registry's own notes, and hidden ones.
   *
   * @throws RegistryException where there is no {@code adapter_config.json}, or a file cannot be
   *     read
   */
  public static DeltaManifest of(Path directory) {
    SortedMap<String, Content> files = new TreeMap<>();
    for (Path file : files(directory)) {
      files.put(name(directory, file), content(file));
    }
    return new DeltaManifest(files);
  }

  /** The files of a delta, those that a manifest lists. */
  static List<Path> files(Path directory) {
    if (!Files.isRegularFile(directory.resolve(DeltaFiles.CONFIG))) {
      throw new RegistryException(
          "found no "
              + DeltaFiles.CONFIG
              + " in "
              + directory
              + ", expected a delta's files; name a run's directory, its delta/, or another with"
              + " such files");
    }
    try (Stream<Path> walk = Files.walk(directory)) {
      return walk.filter(Files::isRegularFile)
          .filter(file -> isPart(name(directory, file)))
          .sorted()
          .toList();
    } catch (IOException e) {
      throw new RegistryException("cannot read " + directory + ": " + e, e);
    }
  }

  static String name(Path directory, Path file) {
    return directory.relativize(file).toString().replace('\\', '/');
  }

  private static boolean isPart(String name) {
    return !BESIDE.contains(name) && Stream.of(name.split("/")).noneMatch(s -> s.startsWith("."));
  }

  private static Content content(Path file) {
    MessageDigest digest = sha256();
    long bytes = 0;
    try (InputStream in = Files.newInputStream(file)) {
      byte[] buffer = new byte[1 << 18];
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        digest.update(buffer, 0, n);
        bytes += n;
      }
    } catch (IOException e) {
      throw new RegistryException("cannot read " + file + ": " + e, e);
    }
    return new Content(HexFormat.of().formatHex(digest.digest()), bytes);
  }

  /** The canonical text. */
  public String text() {
    return files.entrySet().stream()
        .map(DeltaManifest::line)
        .collect(Collectors.joining("\n", "", "\n"));
  }

  private static String line(Map.Entry<String, Content> file) {
    return file.getValue().sha256() + "  " + file.getValue().bytes() + "  " + file.getKey();
  }

  /** The SHA-256 of the canonical text: what the delta is kept under. */
  public String id() {
    return HexFormat.of().formatHex(sha256().digest(text().getBytes(StandardCharsets.UTF_8)));
  }

  /** The bytes of all files together. */
  public long bytes() {
    return files.values().stream().mapToLong(Content::bytes).sum();
  }

  /** The SHA-256 of one file. */
  static String sha256(Path file) {
    return content(file).sha256();
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
