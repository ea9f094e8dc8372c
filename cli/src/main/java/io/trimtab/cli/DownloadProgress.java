package io.trimtab.cli;

import io.trimtab.hub.Progress;
import java.io.PrintWriter;
import java.util.Locale;

/** Tells how a download goes, a line at every tenth of a file that takes a while. */
final class DownloadProgress implements Progress {
  private static final long WORTH_TELLING = 4 << 20;

  private final PrintWriter out;
  private String file = "";
  private long told;

  DownloadProgress(PrintWriter out) {
    this.out = out;
  }

  @Override
  public void update(String name, long done, long total) {
    if (!name.equals(file)) {
      file = name;
      told = 0;
    }
    long step = Math.max(WORTH_TELLING, total / 10);
    if (done - told >= step || (done == total && told > 0 && told < total)) {
      told = done;
      String of = total < 0 ? "" : String.format(Locale.ROOT, " of %.0f", total / 1e6);
      out.printf(Locale.ROOT, "%s: %.0f%s MB%n", name, done / 1e6, of);
      out.flush();
    }
  }
}
