package io.trimtab.hub;

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
import java.util.Comparator;
import java.util.UUID;
import java.util.stream.Stream;

/**
 * Writes files and directories so that a reader sees either nothing or the finished whole, also
 * when the process is killed.
 */
public final class AtomicFiles {
  private static final String SUFFIX = ".tmp";

  /** Something that writes a file's bytes. */
  @FunctionalInterface
  public interface Content {
    /** Writes all of them; the stream is closed by who gave it. */
    void writeTo(OutputStream out) throws IOException;
  }

  /** Writes the contents of a new file. */
  @FunctionalInterface
  public interface FileFiller {
    /** Writes everything to a channel that is at the beginning of an empty file. */
    void fill(FileChannel channel) throws IOException;
  }

  /** Puts files into a new directory. */
  @FunctionalInterface
  interface DirectoryFiller {
    void fill(Path directory) throws IOException;
  }

  private AtomicFiles() {}

  /** Writes beside {@code file} and moves the result into its place, replacing what was there. */
  public static void write(Path file, Content content) throws IOException {
    replace(
        file,
        channel -> {
          OutputStream out = Channels.newOutputStream(channel);
          content.writeTo(out);
          out.flush();
        });
  }

  /**
   * The same for a text as UTF-8.
   *
   * @throws CharacterCodingException if the text holds a lone surrogate, which UTF-8 cannot express
   */
  public static void write(Path file, String text) throws IOException {
    ByteBuffer bytes = encode(text);
    write(file, out -> out.write(bytes.array(), bytes.arrayOffset(), bytes.remaining()));
  }

  /**
   * The UTF-8 bytes of a text; never a silent question mark.
   *
   * @throws CharacterCodingException if the text holds a lone surrogate
   */
  public static ByteBuffer encode(String text) throws CharacterCodingException {
    return StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(text));
  }

  /** Whether the name is one that an interrupted write may have left behind. */
  public static boolean isLeftover(Path file) {
    String name = String.valueOf(file.getFileName());
    return name.startsWith(".") && name.endsWith(SUFFIX);
  }

  /**
   * The same for a file of a format of this room.
   *
   * @throws FileFormatException if the disk refuses
   */
  public static void writeFile(Path file, FileFiller filler) {
    try {
      replace(file, filler);
    } catch (IOException e) {
      throw new FileFormatException(file, "cannot be written (" + describe(e) + ")", e);
    }
  }

  private static void replace(Path file, FileFiller filler) throws IOException {
    // Not Files.createTempFile: its files are readable by their owner only, and would stay so.
    Path temporary = temporarySibling(file);
    try {
      try (var channel =
          FileChannel.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
        filler.fill(channel);
        // Without this a power cut after the move could leave a file that is whole in name only.
        channel.force(true);
      }
      move(temporary, file);
    } finally {
      deleteQuietly(temporary);
    }
  }

  /**
   * Builds a directory beside {@code directory} and moves it into place; refuses to replace one
   * that has files in it.
   */
  static void writeDirectory(Path directory, DirectoryFiller filler) {
    Path temporary = temporarySibling(directory);
    try {
      requireAbsentOrEmpty(directory);
      Files.createDirectories(temporary);
      filler.fill(temporary);
      requireAbsentOrEmpty(directory);
      Files.deleteIfExists(directory);
      move(temporary, directory);
    } catch (IOException e) {
      throw new FileFormatException(directory, "cannot be written (" + describe(e) + ")", e);
    } finally {
      deleteQuietly(temporary);
    }
  }

  /** Lends a directory beside {@code path} for what is needed on the way, and deletes it after. */
  static void inTemporarySibling(Path path, DirectoryFiller user) {
    Path temporary = temporarySibling(path);
    try {
      requireAbsentOrEmpty(path);
      Files.createDirectories(temporary);
      user.fill(temporary);
    } catch (IOException e) {
      throw new FileFormatException(path, "cannot be written (" + describe(e) + ")", e);
    } finally {
      deleteQuietly(temporary);
    }
  }

  private static void requireAbsentOrEmpty(Path directory) throws IOException {
    if (!Files.exists(directory)) {
      return;
    }
    if (!Files.isDirectory(directory)) {
      throw new FileFormatException(directory, "is a file where a new directory should go");
    }
    try (Stream<Path> children = Files.list(directory)) {
      if (children.findAny().isPresent()) {
        throw new FileFormatException(
            directory, "exists and is not empty; delete it or name another directory");
      }
    }
  }

  private static Path temporarySibling(Path path) {
    Path absolute = path.toAbsolutePath();
    return absolute.resolveSibling("." + absolute.getFileName() + "." + UUID.randomUUID() + SUFFIX);
  }

  private static void move(Path from, Path to) throws IOException {
    Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
  }

  private static String describe(IOException e) {
    return e.getClass().getSimpleName() + ": " + e.getMessage();
  }

  /** Deletes what a failure left behind; a second failure must not hide the first. */
  private static void deleteQuietly(Path path) {
    if (!Files.exists(path)) {
      return;
    }
    try (Stream<Path> walk = Files.walk(path)) {
      for (Path each : walk.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(each);
      }
    } catch (IOException e) {
      path.toFile().deleteOnExit();
    }
  }
}
