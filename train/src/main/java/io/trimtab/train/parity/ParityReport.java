package io.trimtab.train.parity;

import java.util.List;

/**
 * How all cases came out.
 *
 * @param cases in the order of their names
 */
public record ParityReport(List<Case> cases) {
  /** Copies the list. */
  public ParityReport {
    cases = List.copyOf(cases);
  }

  /** How many came out so. */
  public int count(Case.Status status) {
    return (int) cases.stream().filter(each -> each.status() == status).count();
  }
}
