package io.trimtab.tensor;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/**
 * Runs work of this room's own on so many threads at once: the caller's and others, which wait a
 * minute for more work and end then. Not the JVM's common pool, which has as many threads as the
 * machine has cores, whatever {@link Engine#setThreads} says.
 */
final class SideBySide {
  private static final ExecutorService OTHERS =
      Executors.newCachedThreadPool(
          Thread.ofPlatform().daemon().name("trimtab-products-", 0).factory());

  private SideBySide() {}

  /** Runs {@code work} on each of {@code threads} threads and waits for all of them. */
  static void run(int threads, Runnable work) {
    List<Future<?>> others = new ArrayList<>();
    for (int i = 1; i < threads; i++) {
      others.add(OTHERS.submit(work));
    }
    RuntimeException failure = null;
    try {
      work.run();
    } catch (RuntimeException e) {
      failure = e;
    }
    for (Future<?> other : others) {
      RuntimeException its = await(other);
      failure = failure == null ? its : failure;
    }
    if (failure != null) {
      throw failure;
    }
  }

  /** Waits, whatever interrupts: the work writes to memory that is freed afterwards. */
  private static @Nullable RuntimeException await(Future<?> other) {
    boolean interrupted = false;
    try {
      while (true) {
        try {
          other.get();
          return null;
        } catch (InterruptedException e) {
          interrupted = true;
        } catch (ExecutionException e) {
          return new IllegalStateException("work of another thread failed", e.getCause());
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
