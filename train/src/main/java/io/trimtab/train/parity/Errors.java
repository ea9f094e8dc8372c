package io.trimtab.train.parity;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/** The errors measured in one case, each with what is allowed. */
final class Errors {
  /** One comparison. */
  record Measured(String what, double error, double allowed) {
    boolean within() {
      return error <= allowed; // not where the error is NaN
    }

    double share() {
      return Double.isNaN(error) ? Double.POSITIVE_INFINITY : error / allowed;
    }
  }

  private final List<Measured> all = new ArrayList<>();

  void add(String what, double error, double allowed) {
    all.add(new Measured(what, error, allowed));
  }

  /** The error that comes closest to, or goes furthest beyond, what is allowed. */
  double worst() {
    return all.stream().max(Comparator.comparingDouble(Measured::share)).orElseThrow().error();
  }

  /** Whether something is off, and nothing by more than ten times what is allowed. */
  boolean mayBeRounding() {
    return all.stream().anyMatch(each -> !each.within())
        && all.stream().allMatch(each -> each.share() <= 10);
  }

  Case toCase(String name) {
    if (all.isEmpty()) {
      throw new ParityException(
          "found nothing recorded to compare with, expected logits, hidden states or losses");
    }
    double worst = worst();
    List<Measured> wrong = all.stream().filter(each -> !each.within()).toList();
    if (wrong.isEmpty()) {
      return new Case(name, Case.Status.OK, worst, "");
    }
    Measured first = wrong.getFirst();
    String more = wrong.size() == 1 ? "" : ", and " + (wrong.size() - 1) + " more";
    String why =
        String.format(
            Locale.ROOT,
            "%s off by %.1e, allowed %.0e%s",
            first.what(),
            first.error(),
            first.allowed(),
            more);
    return new Case(name, Case.Status.WRONG, worst, why);
  }
}
