package io.trimtab.hub;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Hashes of files. */
final class Hashes {
  private Hashes() {}

  /** The SHA-256 of {@code file} in lower-case hexadecimal digits. */
  static String sha256(Path file) {
    return hash("SHA-256", file, "");
  }

  /** The name that git gives to the content of {@code file}. */
  static String gitBlob(Path file) {
    try {
      return hash("SHA-1", file, "blob " + Files.size(file) + "\0");
    } catch (IOException e) {
      throw new HubException.Disk("cannot read " + file + ": " + e, e);
    }
  }

  /**
   * Compares {@code file} with an entity tag as Hugging Face's hub gives it: the SHA-256 of a large
   * file, the git blob name of a small one.
   *
   * @return null when it fits, or when the tag is of neither form, else what the hash is
   */
  static @Nullable String mismatch(Path file, String tag) {
    String expected = tag.toLowerCase(Locale.ROOT);
    if (!expected.matches("[0-9a-f]{40}|[0-9a-f]{64}")) {
      return null;
    }
    String found = expected.length() == 64 ? sha256(file) : gitBlob(file);
    return found.equals(expected) ? null : found;
  }

  private static String hash(String algorithm, Path file, String prefix) {
    try (InputStream in = Files.newInputStream(file)) {
      MessageDigest digest = MessageDigest.getInstance(algorithm);
      digest.update(prefix.getBytes(StandardCharsets.UTF_8));
      byte[] buffer = new byte[1 << 18];
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        digest.update(buffer, 0, n);
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (IOException e) {
      throw new HubException.Disk("cannot read " + file + ": " + e, e);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e); // every JDK must have both
    }
  }
}
