package io.trimtab.delta.oft;

import io.trimtab.delta.Address;
import io.trimtab.delta.Delta;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaMethod;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.Part;
import io.trimtab.delta.Targets;
import io.trimtab.delta.TrainingRule;
import io.trimtab.model.Model;
import io.trimtab.tensor.Rng;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Settings of OFT (Qiu et al., 2023, section 3; 2025, sections 3 and 4): W (R x) + b with R a
 * block-diagonal rotation, each block b × b made by Cayley's transform of a skew-symmetric matrix,
 * of which the b (b - 1) / 2 numbers above the diagonal are trained.
 *
 * @param blockSize the size b of a block; 0 where {@code blocks} says it
 * @param blocks how many blocks a layer has; 0 where {@code blockSize} says it
 * @param shared whether all blocks of a layer are one
 * @param terms how many terms of the Neumann series stand for the inverse; 0 for the exact inverse
 * @param radius COFT's ε: a layer's blocks stay within ε / √blocks of no rotation; 0 for no bound
 * @param dropout the share of blocks that rotate nothing in a step of training
 * @param nearest whether a size that does not divide a layer's input gives way to the nearest that
 *     does, as in PEFT; else it is refused
 * @param targets the linear layers it goes on
 */
public record Oft(
    int blockSize,
    int blocks,
    boolean shared,
    int terms,
    double radius,
    double dropout,
    boolean nearest,
    Targets targets)
    implements DeltaSpec {

  /** Checks ranges. */
  public Oft {
    if (blockSize < 0 || blocks < 0 || (blockSize == 0) == (blocks == 0)) {
      throw new DeltaException(
          "found block size "
              + blockSize
              + " and "
              + blocks
              + " blocks for OFT, expected one of them above 0 and the other 0; a block size of 32"
              + " is usual");
    }
    if (terms < 0) {
      throw new DeltaException(
          "found " + terms + " terms for OFT, expected 0 (exact) or more; 5 is usual");
    }
    if (!(radius >= 0 && Double.isFinite(radius))) {
      throw new DeltaException(
          "found eps " + radius + " for COFT, expected a number above 0, or 0 for no bound");
    }
    if (!(dropout >= 0 && dropout < 1)) {
      throw new DeltaException("found dropout " + dropout + ", expected 0 to below 1");
    }
  }

  /** Blocks of a size, five terms, on query and value. */
  public static Oft blockSize(int size) {
    Targets usual = Targets.of(Address.suffixes(List.of("query", "value")));
    return new Oft(size, 0, false, 5, 0, 0, false, usual);
  }

  /** So many blocks a layer, five terms, on query and value. */
  public static Oft blocks(int count) {
    return new Oft(0, count, false, 5, 0, 0, false, blockSize(1).targets());
  }

  /** The same with one block for all of a layer. */
  public Oft shared(boolean value) {
    return new Oft(blockSize, blocks, value, terms, radius, dropout, nearest, targets);
  }

  /** The same with so many terms of the Neumann series, or 0 for the exact inverse. */
  public Oft terms(int count) {
    return new Oft(blockSize, blocks, shared, count, radius, dropout, nearest, targets);
  }

  /** The same within COFT's bound. */
  public Oft radius(double eps) {
    return new Oft(blockSize, blocks, shared, terms, eps, dropout, nearest, targets);
  }

  /** The same with multiplicative dropout. */
  public Oft dropout(double share) {
    return new Oft(blockSize, blocks, shared, terms, radius, share, nearest, targets);
  }

  /** The same on other layers. */
  public Oft on(Targets where) {
    return new Oft(blockSize, blocks, shared, terms, radius, dropout, nearest, where);
  }

  @Override
  public DeltaMethod method() {
    return new OftMethod();
  }

  @Override
  public List<Part> parts(Model model, Rng rng) {
    return targets.parts(model, "OFT", layer -> OftLinear.create(layer, this));
  }

  /** The size of a block at a layer with so many inputs. */
  int sizeAt(String path, long in) {
    int inputs = Math.toIntExact(in);
    int wanted = blockSize == 0 ? blocks : blockSize;
    int fitting = nearestDivisor(inputs, wanted);
    if (!nearest && fitting != wanted) {
      throw new DeltaException(
          "found "
              + (blockSize == 0 ? wanted + " blocks" : "blocks of size " + wanted)
              + " for OFT at "
              + path
              + ", expected a divisor of its "
              + in
              + " inputs; the nearest is "
              + fitting);
    }
    return blockSize == 0 ? inputs / fitting : fitting;
  }

  private static int nearestDivisor(int number, int wanted) {
    if (wanted >= number) {
      return number;
    }
    int higher = wanted;
    while (number % higher != 0) {
      higher++;
    }
    int lower = wanted;
    while (number % lower != 0) {
      lower--;
    }
    return wanted - lower <= higher - wanted ? lower : higher;
  }

  @Override
  public TrainingRule rule(Delta delta) {
    return radius == 0
        ? TrainingRule.NONE
        : new TrainingRule() {
          @Override
          public void afterStep(long step, long steps) {
            for (Part part : delta.parts()) {
              if (part instanceof OftLinear oft) {
                oft.pullBack();
              }
            }
          }
        };
  }

  @Override
  public Map<String, Object> toConfig(Model model) {
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("r", blocks);
    config.put("oft_block_size", blockSize);
    config.put("block_share", shared);
    config.put("use_cayley_neumann", terms > 0);
    config.put("num_cayley_neumann_terms", terms == 0 ? OftMethod.USUAL_TERMS : terms);
    config.put("coft", radius > 0);
    config.put("eps", radius == 0 ? OftMethod.USUAL_RADIUS : radius);
    config.put("module_dropout", dropout);
    config.put("bias", "none");
    config.put("fan_in_fan_out", false);
    config.put("init_weights", true);
    config.put("peft_version", OftMethod.SINCE); // what the terms mean goes by it
    targets.write(model, config);
    return config;
  }
}
