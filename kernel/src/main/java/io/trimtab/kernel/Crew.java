package io.trimtab.kernel;

import io.trimtab.tensor.TrimtabException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * A few threads for work of microseconds. The caller works too; a helper that finds no work spins
 * for a moment, for the next product of a decode step is near, and then parks, for libtorch's own
 * threads want the cores. Whoever is free takes the next piece: a helper that wakes late or loses
 * its core holds nobody up for more than a piece. Which thread computes a piece does not change its
 * result.
 *
 * <p>Any number of threads may {@link #run} on one crew; each waits for its own work only.
 */
public final class Crew implements AutoCloseable {
  /** Longer than the gap between two products of a step, shorter than a scheduler's notice. */
  private static final Duration SPIN = Duration.ofNanos(50_000);

  /** Turns of a loop between two looks at the clock. */
  private static final int TURNS = 64;

  private final List<Helper> helpers;
  private final long spinNanos;
  private volatile @Nullable Job job;
  private volatile boolean closed;

  private Crew(int threads, Duration spin) {
    if (threads < 1) {
      throw new TrimtabException(
          "found " + threads + " threads, expected at least 1, which is the caller's own");
    }
    spinNanos = spin.toNanos();
    helpers = IntStream.range(1, threads).mapToObj(Helper::new).toList();
    helpers.forEach(Thread::start);
  }

  /** A crew of {@code threads}, the caller among them. */
  public static Crew of(int threads) {
    return new Crew(threads, SPIN);
  }

  /** A crew of {@code threads}, the caller among them, whose helpers spin that long. */
  static Crew of(int threads, Duration spin) {
    return new Crew(threads, spin);
  }

  /** Threads at work, the caller among them. */
  public int threads() {
    return helpers.size() + 1;
  }

  /**
   * Does {@code work} for every piece from 0 up to {@code pieces}, each once, in any order and on
   * any thread, and returns when all are done. What a piece writes is visible to the caller then.
   * The first exception that a piece throws reaches the caller after all have ended. On a closed
   * crew the caller does all of it.
   */
  public void run(int pieces, IntConsumer work) {
    if (pieces < 2 || helpers.isEmpty() || closed) {
      for (int piece = 0; piece < pieces; piece++) {
        work.accept(piece);
      }
      return;
    }
    Job mine = new Job(pieces, work);
    job = mine;
    for (Helper helper : helpers) {
      helper.wake();
    }
    mine.help();
    mine.await();
  }

  /** Ends the helpers, after the pieces they are at. */
  @Override
  public void close() {
    closed = true;
    helpers.forEach(LockSupport::unpark);
  }

  /** Work and how far it is. A helper that comes to an old one finds nothing left to take. */
  private static final class Job {
    private final int pieces;
    private final IntConsumer work;
    private final AtomicInteger taken = new AtomicInteger();
    private final AtomicInteger done = new AtomicInteger();
    private final AtomicReference<@Nullable Throwable> fault = new AtomicReference<>();

    Job(int pieces, IntConsumer work) {
      this.pieces = pieces;
      this.work = work;
    }

    void help() {
      for (int piece = taken.getAndIncrement(); piece < pieces; piece = taken.getAndIncrement()) {
        try {
          work.accept(piece);
        } catch (RuntimeException | Error e) {
          fault.compareAndSet(null, e);
        }
        done.incrementAndGet();
      }
    }

    @SuppressWarnings("ThreadPriorityCheck") // A hint only: the loop ends without it as well.
    void await() {
      for (int turn = 1; done.get() < pieces; turn++) {
        if (turn % TURNS == 0) {
          Thread.yield(); // The helper may be waiting for this very core.
        } else {
          Thread.onSpinWait();
        }
      }
      switch (fault.get()) {
        case null -> {}
        case RuntimeException e -> throw e;
        case Error e -> throw e;
        case Throwable e -> throw new IllegalStateException(e);
      }
    }
  }

  private final class Helper extends Thread {
    private volatile boolean parked;

    Helper(int index) {
      super("trimtab-kernel-" + index);
      setDaemon(true);
    }

    /** Whoever publishes a job looks here after; whoever parks looks for a job after it said so. */
    void wake() {
      if (parked) {
        LockSupport.unpark(this);
      }
    }

    @Override
    public void run() {
      Job last = null;
      while (!closed) {
        Job next = job;
        if (next != last && next != null) {
          next.help();
          last = next;
        } else {
          idle(last);
        }
      }
    }

    private void idle(@Nullable Job last) {
      long until = System.nanoTime() + spinNanos;
      do {
        for (int turn = 0; turn < TURNS; turn++) {
          if (job != last || closed) {
            return;
          }
          Thread.onSpinWait();
        }
      } while (System.nanoTime() < until);
      parked = true;
      while (job == last && !closed) {
        LockSupport.park(Crew.this);
      }
      parked = false;
    }
  }
}
