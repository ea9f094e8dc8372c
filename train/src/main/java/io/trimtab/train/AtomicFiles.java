package io.trimtab.train;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.ThreadLocalRandom;

/** Files that are either there whole or not at all, also when the process is killed. */
final class AtomicFiles {
  private static final String SUFFIX = ".tmp";

  private AtomicFiles() {}

  /** Something that writes a file's bytes. */
  @FunctionalInterface
  interface Content {
    void writeTo(OutputStream out) throws IOException;
  }

  /** Writes to a temporary name beside {@code file}, forces it to disk and moves it into place. */
  static void write(Path file, Content content) throws IOException {
    Path target = file.toAbsolutePath();
    // Not Files.createTempFile: its files are readable by their owner only, and would stay so.
    Path temporary =
        target.resolveSibling(
            "."
                + target.getFileName()
                + "."
                + Long.toHexString(ThreadLocalRandom.current().nextLong())
                + SUFFIX);
    try {
      try (FileChannel channel =
          FileChannel.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
        try (OutputStream out = Channels.newOutputStream(channel)) {
          content.writeTo(out);
          out.flush();
          channel.force(true);
        }
      }
      Files.move(
          temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(temporary);
    }
  }

  /**
   * Writes text as UTF-8.
   *
   * @throws CharacterCodingException if the text holds a lone surrogate, which UTF-8 cannot express
   */
  static void write(Path file, String text) throws IOException {
    ByteBuffer bytes = encode(text);
    write(file, out -> out.write(bytes.array(), bytes.arrayOffset(), bytes.remaining()));
  }

  /** UTF-8 bytes of the text; never a silent question mark. */
  static ByteBuffer encode(String text) throws CharacterCodingException {
    return StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(text));
  }

  /** Whether the name is one that an interrupted write may have left behind. */
  static boolean isLeftover(Path file) {
    String name = String.valueOf(file.getFileName());
    return name.startsWith(".") && name.endsWith(SUFFIX);
  }
}
