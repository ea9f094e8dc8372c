package io.trimtab.hub;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The own cache: {@code models/FOLDER} for every complete model, {@code models/FOLDER.part} while
 * it is fetched, {@code locks/FOLDER.lock} so that two processes do not fetch the same at once.
 */
final class HubCache {
  private static final long LOCK_POLL_MILLIS = 50;

  private final Path models;
  private final Path locks;

  HubCache(Path root) {
    this.models = root.resolve("models");
    this.locks = root.resolve("locks");
  }

  /** The model of {@code source}, if it is here. */
  Optional<ModelDirectory> find(Source source) {
    Path directory = models.resolve(source.folder());
    Origin origin = Origin.read(directory);
    return origin == null
        ? Optional.empty()
        : Optional.of(new ModelDirectory(directory, origin.source(), origin));
  }

  /** The model of {@code source}, fetched where it is not here. */
  ModelDirectory obtain(Source source) {
    Path lockFile = locks.resolve(source.folder() + ".lock");
    try {
      Files.createDirectories(models);
      Files.createDirectories(locks);
      try (FileChannel channel =
              FileChannel.open(lockFile, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
          FileLock lock = lock(channel)) {
        if (!lock.isValid()) {
          throw new IOException("the lock " + lockFile + " was lost");
        }
        Optional<ModelDirectory> present = find(source);
        return present.isPresent() ? present.get() : fetch(source);
      }
    } catch (IOException e) {
      throw new HubException.Disk(
          "cannot write to the cache " + models + ": " + e + "; set TRIMTAB_HOME to another place",
          e);
    }
  }

  private ModelDirectory fetch(Source source) throws IOException {
    Path part = models.resolve(source.folder() + ".part");
    Path directory = models.resolve(source.folder());
    if (!(source instanceof HubSource)) {
      // Only the hub's files are resumed; a conversion starts anew.
      delete(part);
    }
    Files.createDirectories(part);
    String exact = source.fetch(part);
    Origin origin = Origin.write(part, exact, source.licence());
    // Without source.json it is no model, but would be in the way.
    delete(directory);
    Files.move(part, directory, StandardCopyOption.ATOMIC_MOVE);
    return new ModelDirectory(directory, exact, origin);
  }

  private static FileLock lock(FileChannel channel) throws IOException {
    while (true) {
      try {
        return channel.lock();
      } catch (OverlappingFileLockException e) {
        // Another thread of this process has it; the channel waits for other processes only.
        try {
          Thread.sleep(LOCK_POLL_MILLIS);
        } catch (InterruptedException interrupted) {
          Thread.currentThread().interrupt();
          throw new HubException.Interrupted(
              "interrupted while another thread fetches", interrupted);
        }
      }
    }
  }

  /** Deletes {@code path} with all below it, if it is there. */
  static void delete(Path path) throws IOException {
    if (!Files.exists(path)) {
      return;
    }
    List<Path> all;
    try (Stream<Path> walk = Files.walk(path)) {
      all = walk.sorted(Comparator.reverseOrder()).toList();
    }
    for (Path one : all) {
      Files.delete(one);
    }
  }
}
