package io.trimtab.delta;

import io.trimtab.model.Linear;
import java.util.List;

/** For methods that put another tensor in the place of a weight: it has to be the layer's alone. */
public final class UntiedWeights {
  private UntiedWeights() {}

  /**
   * Refuses layers whose weight is another layer's too, such as a head tied to the embeddings,
   * which would change along with it.
   *
   * @param method its name, for the error
   * @return the same layers
   */
  public static List<Linear> check(List<Linear> linears, String method) {
    for (Linear linear : linears) {
      if (!linear.weightName().equals(linear.path() + ".weight")) {
        throw new DeltaException.Unsupported(
            "found "
                + linear.path()
                + " as a target of "
                + method
                + ", whose weight is also "
                + linear.weightName()
                + ", expected layers with a weight of their own; leave it out");
      }
    }
    return linears;
  }
}
