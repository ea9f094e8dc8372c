package io.trimtab.delta.boft;

import io.trimtab.delta.Address;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaMethod;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.Part;
import io.trimtab.delta.Targets;
import io.trimtab.model.Linear;
import io.trimtab.model.Model;
import io.trimtab.tensor.Rng;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Settings of BOFT (Liu et al., 2023, section 4): s ⊙ (W R x) + b, R a product of m butterfly
 * factors, each a block-diagonal rotation between a permutation and its inverse, so that m factors
 * of blocks of size b mix b · 2ᵐ⁻¹ inputs; s, one at the start, rescales each output.
 *
 * @param blockSize the size b of a block; 0 where {@code blocks} says it
 * @param blocks how many blocks a factor has; 0 where {@code blockSize} says it
 * @param factors the number m of butterfly factors
 * @param dropout the share of blocks of one factor that rotate nothing in a step of training
 * @param targets the linear layers it goes on
 */
public record Boft(int blockSize, int blocks, int factors, double dropout, Targets targets)
    implements DeltaSpec {

  /** Checks ranges. */
  public Boft {
    if (blockSize < 0 || blocks < 0 || (blockSize == 0) == (blocks == 0)) {
      throw new DeltaException(
          "found block size "
              + blockSize
              + " and "
              + blocks
              + " blocks for BOFT, expected one of them above 0 and the other 0; a block size of 4"
              + " is usual");
    }
    if (factors < 1) {
      throw new DeltaException(
          "found " + factors + " butterfly factors, expected at least 1; 1 or 2 are usual");
    }
    if (!(dropout >= 0 && dropout < 1)) {
      throw new DeltaException("found dropout " + dropout + ", expected 0 to below 1");
    }
  }

  /** Blocks of a size, one factor, on query and value. */
  public static Boft blockSize(int size) {
    return new Boft(size, 0, 1, 0, Targets.of(Address.suffixes(List.of("query", "value"))));
  }

  /** So many blocks a factor, one factor, on query and value. */
  public static Boft blocks(int count) {
    return new Boft(0, count, 1, 0, blockSize(1).targets());
  }

  /** The same with so many butterfly factors. */
  public Boft factors(int count) {
    return new Boft(blockSize, blocks, count, dropout, targets);
  }

  /** The same with multiplicative dropout. */
  public Boft dropout(double share) {
    return new Boft(blockSize, blocks, factors, share, targets);
  }

  /** The same on other layers. */
  public Boft on(Targets where) {
    return new Boft(blockSize, blocks, factors, dropout, where);
  }

  @Override
  public DeltaMethod method() {
    return new BoftMethod();
  }

  @Override
  public List<Part> parts(Model model, Rng rng) {
    List<Part> parts = new ArrayList<>();
    for (Linear linear : targets.linears(model, "BOFT")) {
      int size = sizeAt(linear.path(), linear.weight().in());
      parts.add(BoftRotation.create(linear, size, factors, dropout));
      parts.add(BoftScale.create(linear));
    }
    parts.addAll(targets.saved(model).parts());
    return parts;
  }

  /** The size of a block at a layer with so many inputs. */
  private int sizeAt(String path, long in) {
    int inputs = Math.toIntExact(in);
    int count = blocks == 0 ? inputs / blockSize : blocks;
    int size = blocks == 0 ? blockSize : inputs / blocks;
    boolean whole = count > 0 && (long) count * size == in;
    // The last factor joins 2ᵐ⁻¹ neighbours, each cut into two halves.
    boolean paired =
        factors == 1 || (size % 2 == 0 && factors < 31 && count % (1 << (factors - 1)) == 0);
    if (!whole || !paired) {
      throw new DeltaException(
          "found "
              + (blocks == 0 ? "blocks of size " + blockSize : blocks + " blocks")
              + " and "
              + factors
              + " butterfly factors for BOFT at "
              + path
              + " with "
              + in
              + " inputs, expected blocks that fill them"
              + (factors == 1 ? "" : ", of even size, their number a multiple of 2^(factors - 1)")
              + "; choose another size or fewer factors");
    }
    return size;
  }

  @Override
  public Map<String, Object> toConfig(Model model) {
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("boft_block_size", blockSize);
    config.put("boft_block_num", blocks);
    config.put("boft_n_butterfly_factor", factors);
    config.put("boft_dropout", dropout);
    config.put("bias", "none");
    config.put("fan_in_fan_out", false);
    config.put("init_weights", true);
    targets.write(model, config);
    return config;
  }
}
