package io.trimtab.model;

import io.trimtab.kernel.Backend;
import io.trimtab.kernel.Crew;
import io.trimtab.kernel.FusedRows;
import io.trimtab.kernel.Kernel;
import io.trimtab.kernel.LowRankRows;
import io.trimtab.tensor.Engine;
import org.jspecify.annotations.Nullable;

/**
 * The kernels that all models of a process share, as they share the engine's threads: they have as
 * many of their own, which sleep when there is nothing to do.
 */
final class Kernels {
  private static final Backend BACKEND = Backend.fastest();

  private static volatile @Nullable Kernel current;

  private Kernels() {}

  /** Whether single rows are computed by them: not without vectors, where the engine is faster. */
  static boolean available() {
    return BACKEND.vectors();
  }

  /** A kernel with as many threads as {@link Engine#threads}. */
  static Kernel current() {
    int threads = Engine.threads();
    Kernel known = current;
    return known != null && known.crew().threads() == threads ? known : renewed(threads);
  }

  /** Fused passes by the same threads. */
  static FusedRows fused() {
    return new FusedRows(current().crew(), BACKEND);
  }

  /** Low-rank products by the same threads. */
  static LowRankRows lowRank() {
    return new LowRankRows(current().crew(), BACKEND);
  }

  private static synchronized Kernel renewed(int threads) {
    Kernel known = current;
    if (known != null && known.crew().threads() == threads) {
      return known;
    }
    Kernel made = new Kernel(Crew.of(threads), BACKEND);
    current = made;
    if (known != null) {
      known.crew().close(); // whoever is at work with it finishes alone
    }
    return made;
  }
}
