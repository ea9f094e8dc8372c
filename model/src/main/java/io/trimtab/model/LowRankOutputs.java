package io.trimtab.model;

import io.trimtab.kernel.LowRankRows;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Gradients;
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
  /** Higher ranks are no thin products: the engine's own way is as fast. */
  private static final long MOST = 64;

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
    if (products.isEmpty()
        || !(addByKernel(output, input, products) || ThinProducts.add(output, input, products))) {
      return Added.NONE;
    }
    return others ? Added.SOME : Added.ALL;
  }

  /**
   * By vectors where the JVM has them: the BLAS has small products without packing for few
   * processors only, and none in 16 bits.
   *
   * @return false, and nothing done, where that is not possible or does not pay
   */
  private static boolean addByKernel(
      Tensor output, Tensor input, List<ThinProducts.Segment> segments) {
    DType type = input.dtype();
    boolean able =
        Kernels.available()
            && !Gradients.recording()
            && (type == DType.F32 || type == DType.BF16)
            && isMatrix(input, type)
            && isMatrix(output, type)
            && input.size(0) == output.size(0)
            && segments.stream().allMatch(each -> fits(each, input.size(1), output.size(1)));
    if (!able) {
      return false;
    }
    List<LowRankRows.Segment> all = new ArrayList<>();
    for (ThinProducts.Segment each : segments) {
      all.add(
          new LowRankRows.Segment(
              each.start(),
              each.rows(),
              (int) each.down().size(0),
              each.down().inPlace(),
              each.up().inPlace(),
              each.scale()));
    }
    Kernels.lowRank().add(Fused.block(input), Fused.block(output), all);
    return true;
  }

  private static boolean isMatrix(Tensor tensor, DType type) {
    return tensor.rank() == 2
        && tensor.dtype() == type
        && tensor.device().equals(Device.CPU)
        && Fused.isPlain(tensor);
  }

  private static boolean fits(ThinProducts.Segment segment, long in, long out) {
    Tensor down = segment.down();
    Tensor up = segment.up();
    return isMatrix(down, DType.F32)
        && isMatrix(up, DType.F32)
        && down.size(0) <= MOST
        && down.size(1) == in
        && up.size(0) == out
        && up.size(1) == down.size(0);
  }
}
