package io.trimtab.hub;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.UUID;
import java.util.stream.Stream;

/** Writes files and directories so that a reader sees either nothing or the finished whole. */
public final class AtomicFiles {

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

  /**
   * Writes beside {@code file} and moves the result into its place, replacing what was there.
   *
   * @throws FileFormatException if the disk refuses
   */
  public static void writeFile(Path file, FileFiller filler) {
    Path temporary = temporarySibling(file);
    try {
      try (var channel =
          FileChannel.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
        filler.fill(channel);
        // Without this a power cut after the move could leave a file that is whole in name only.
        channel.force(true);
      }
      move(temporary, file);
    } catch (IOException e) {
      throw new FileFormatException(file, "cannot be written (" + describe(e) + ")", e);
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
    return absolute.resolveSibling("." + absolute.getFileName() + "." + UUID.randomUUID() + ".tmp");
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
