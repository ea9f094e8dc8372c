package io.trimtab.train;

import java.io.Flushable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.Locale;
import java.util.function.LongSupplier;

/**
 * Progress as one line of text: {@code epoch 1/2 step 120/434 loss 0.412 381 tok/s ETA 2:13}. On a
 * terminal the line is rewritten in place a few times a second; elsewhere (a file, a build log) a
 * new line is written now and then, ever more rarely. Speed and remaining time are measured since
 * the bar was made, so that they are right after a resume too. Not for use by several threads.
 */
public final class ProgressBar implements Progress {
  private static final long REDRAW = Duration.ofMillis(100).toNanos();
  private static final long FIRST_LINE = Duration.ofSeconds(2).toNanos();
  private static final long LONGEST_PAUSE = Duration.ofMinutes(5).toNanos();

  private final Appendable out;
  private final boolean terminal;
  private final LongSupplier clock;
  private final long start;
  private long firstStep = -1;
  private long nextDraw;
  private String pending = "";
  private int drawn;

  /**
   * A bar that starts its clock now.
   *
   * @param out where to write, usually standard error
   * @param terminal whether {@code out} is a terminal, which honours carriage returns
   */
  public ProgressBar(Appendable out, boolean terminal) {
    this(out, terminal, System::nanoTime);
  }

  /**
   * A bar with a clock of its own.
   *
   * @param out where to write
   * @param terminal whether {@code out} honours carriage returns
   * @param clock nanoseconds from any origin
   */
  public ProgressBar(Appendable out, boolean terminal, LongSupplier clock) {
    this.out = out;
    this.terminal = terminal;
    this.clock = clock;
    this.start = clock.getAsLong();
    this.nextDraw = terminal ? 0 : FIRST_LINE;
  }

  @Override
  public void step(Step step) {
    if (firstStep < 0) {
      firstStep = step.step();
    }
    long elapsed = clock.getAsLong() - start;
    pending = render(step, elapsed);
    if (elapsed >= nextDraw || step.step() == step.steps()) {
      draw();
      nextDraw = terminal ? elapsed + REDRAW : elapsed + Math.min(elapsed, LONGEST_PAUSE);
    }
  }

  @Override
  public void note(String line) {
    if (terminal) {
      write("\r" + line + " ".repeat(Math.max(0, drawn - line.length())) + "\n");
      drawn = 0;
    } else {
      write(line + "\n");
    }
  }

  @Override
  public void close() {
    if (!pending.isEmpty()) {
      draw();
    }
    if (drawn > 0) {
      write("\n");
      drawn = 0;
    }
  }

  private String render(Step step, long elapsed) {
    double seconds = elapsed / 1e9;
    long done = step.step() - firstStep + 1;
    StringBuilder line = new StringBuilder();
    line.append(
        String.format(
            Locale.ROOT,
            "epoch %d/%d  step %d/%d  loss %.3f",
            step.epoch(),
            step.epochs(),
            step.step(),
            step.steps(),
            step.loss()));
    if (seconds > 0) {
      line.append(String.format(Locale.ROOT, "  %.0f tok/s", step.tokens() / seconds));
      if (step.step() < step.steps()) {
        long left = Math.round(seconds / done * (step.steps() - step.step()));
        line.append("  ETA ").append(clockTime(left));
      } else {
        line.append("  in ").append(clockTime(Math.round(seconds)));
      }
    }
    return line.toString();
  }

  /** Seconds as 2:13, or 1:02:13 from an hour on. */
  static String clockTime(long seconds) {
    long hours = seconds / 3600;
    long minutes = seconds / 60 % 60;
    return hours > 0
        ? String.format(Locale.ROOT, "%d:%02d:%02d", hours, minutes, seconds % 60)
        : String.format(Locale.ROOT, "%d:%02d", minutes, seconds % 60);
  }

  private void draw() {
    if (terminal) {
      write("\r" + pending + " ".repeat(Math.max(0, drawn - pending.length())));
      drawn = pending.length();
    } else {
      write(pending + "\n");
    }
    pending = "";
  }

  private void write(String text) {
    try {
      out.append(text);
      if (out instanceof Flushable flushable) {
        flushable.flush();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
