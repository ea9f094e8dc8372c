package io.trimtab.delta.registry;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.stream.Stream;

/** Files and directories that others see whole or not at all. */
final class RegistryFiles {
  private static final long POLL_MILLIS = 20;

  private RegistryFiles() {}

  /** Something done while a lock is held. */
  @FunctionalInterface
  interface Work<T> {
    T run() throws IOException;
  }

  /** A new directory of a name that nobody takes for a finished one. */
  static Path newSibling(Path path) throws IOException {
    Path directory = temporary(path);
    Files.createDirectories(directory);
    return directory;
  }

  private static Path temporary(Path path) {
    return path.resolveSibling("." + path.getFileName() + "." + UUID.randomUUID() + ".tmp");
  }

  /** Copies a file and forces it to disk. */
  static void copy(Path from, Path to) throws IOException {
    Files.createDirectories(Objects.requireNonNull(to.getParent(), "a copy lies in a directory"));
    Files.copy(from, to);
    try (FileChannel channel = FileChannel.open(to, StandardOpenOption.WRITE)) {
      channel.force(true);
    }
  }

  /**
   * Moves a directory into its place.
   *
   * @return false where another writer was first, and nothing was moved
   */
  static boolean moveDirectory(Path from, Path to) throws IOException {
    if (Files.isDirectory(to)) {
      return false;
    }
    try {
      Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
      return true;
    } catch (FileAlreadyExistsException | DirectoryNotEmptyException e) {
      return false;
    } catch (IOException e) {
      if (Files.isDirectory(to)) { // not every file system says it by its own exception
        return false;
      }
      throw e;
    }
  }

  /** Deletes a directory with all below it, if it is there. */
  static void delete(Path directory) throws IOException {
    if (!Files.exists(directory)) {
      return;
    }
    List<Path> all;
    try (Stream<Path> walk = Files.walk(directory)) {
      all = walk.sorted(Comparator.reverseOrder()).toList();
    }
    for (Path one : all) {
      Files.deleteIfExists(one);
    }
  }

  /** Does something that nobody else, thread or process, may do at the same time. */
  static <T> T locked(Path root, Work<T> work) {
    try {
      Files.createDirectories(root);
      try (FileChannel channel =
              FileChannel.open(
                  root.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
          FileLock lock = lock(channel)) {
        if (!lock.isValid()) {
          throw new IOException("the lock in " + root + " was lost");
        }
        return work.run();
      }
    } catch (IOException e) {
      throw new RegistryException("cannot write to " + root + ": " + e, e);
    }
  }

  private static FileLock lock(FileChannel channel) throws IOException {
    while (true) {
      try {
        return channel.lock();
      } catch (OverlappingFileLockException e) {
        // Another thread of this process has it; the channel waits for other processes only.
        try {
          Thread.sleep(POLL_MILLIS);
        } catch (InterruptedException interrupted) {
          Thread.currentThread().interrupt();
          throw new RegistryException("interrupted while another thread writes", interrupted);
        }
      }
    }
  }
}
