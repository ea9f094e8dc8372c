package io.trimtab.model;

import io.trimtab.tensor.Tensor;
import io.trimtab.tensor.ThinProducts;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The low-rank patches of all segments at one linear layer, added to what it gives in one go: so a
 * batch under a hundred LoRAs costs hardly more than one under none. Without gradients only.
 */
final class LowRankOutputs {
  private LowRankOutputs() {}

  /** What a patch adds, where that is all it does; else null. */
  static Patch.LowRank.@Nullable Product of(Patch.Output patch) {
    return patch instanceof Patch.LowRank thin ? thin.product() : null;
  }

  /** Of which patches the work is done. */
  enum Added {
    NONE,
    /** Of the low-rank ones; there are others. */
    SOME,
    ALL
  }

  /**
   * Adds what every segment's low-rank patch adds; rows under others are left alone.
   *
   * @param output what the layer gives, which is overwritten
   */
  static Added add(Tensor output, Tensor input, Site<Patch.Output> site, Pass pass) {
    if (pass.training().isPresent()) {
      return Added.NONE;
    }
    List<ThinProducts.Segment> products = new ArrayList<>();
    boolean others = false;
    int row = 0;
    for (Pass.Segment segment : pass.segments()) {
      int start = pass.layout().start(row);
      row += segment.rows();
      int tokens = pass.layout().start(row) - start;
      Patch.Output patch = segment.patches().at(site);
      if (patch == null || tokens == 0) {
        continue;
      }
      Patch.LowRank.Product product = of(patch);
      if (product == null) {
        others = true;
      } else {
        products.add(
            new ThinProducts.Segment(start, tokens, product.down(), product.up(), product.scale()));
      }
    }
    if (products.isEmpty() || !ThinProducts.add(output, input, products)) {
      return Added.NONE;
    }
    return others ? Added.SOME : Added.ALL;
  }
}
