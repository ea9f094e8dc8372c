package io.trimtab.jinja;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Renders a template and measures what that takes of this thread. */
final class Watched {
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  /**
   * What one rendering took.
   *
   * @param nanos of the processor, so that a machine at work elsewhere does not count
   * @param bytes that were allocated, whether or not they were in use at once
   * @param error null where there was a text
   */
  record Cost(long nanos, long bytes, @Nullable JinjaException error) {}

  private Watched() {}

  /** Anything thrown but the room's own error gets through. */
  static Cost render(String template, Map<String, Object> variables, Limits limits) {
    long start = THREADS.getCurrentThreadCpuTime();
    long allocated = THREADS.getCurrentThreadAllocatedBytes();
    JinjaException error = null;
    try {
      assertThat(Template.parse(template, limits).render(variables)).isNotNull();
    } catch (JinjaException e) {
      assertThat(e.getMessage()).isNotEmpty();
      error = e;
    }
    return new Cost(
        THREADS.getCurrentThreadCpuTime() - start,
        THREADS.getCurrentThreadAllocatedBytes() - allocated,
        error);
  }

  /** A part of the limits that are the default; time and memory go with steps and bytes. */
  static Limits part(int divisor) {
    Limits all = Limits.DEFAULT;
    return new Limits(
        all.steps() / divisor,
        all.memory() / divisor,
        all.valueSize(),
        all.output(),
        all.depth(),
        all.source());
  }
}
