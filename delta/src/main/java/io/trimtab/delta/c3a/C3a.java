package io.trimtab.delta.c3a;

import io.trimtab.delta.Address;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaMethod;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.Part;
import io.trimtab.delta.SizePattern;
import io.trimtab.delta.Targets;
import io.trimtab.model.Layer;
import io.trimtab.model.Linear;
import io.trimtab.model.Model;
import io.trimtab.tensor.Rng;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Settings of C3A (Chen et al., 2024, section 3.3): W x + b + C(w) x / in, where C(w) has a
 * circulant block of size b × b for every b outputs and b inputs, each made of b numbers. Its rank
 * is not bounded by how many numbers it has.
 *
 * @param blockSize the size b of a block, which divides inputs and outputs
 * @param sizes other sizes for some layers
 * @param start how the numbers start
 * @param targets the linear layers it goes on
 */
public record C3a(int blockSize, SizePattern sizes, Start start, Targets targets)
    implements DeltaSpec {
  /** How the numbers of the blocks start. */
  public enum Start {
    /** At zero, from the base exactly; the product is linear in them, so that they still learn. */
    ZERO,
    /** Uniformly within ± √(6 / (in + out)): the authors' way, a little off the base. */
    XAVIER_UNIFORM,
    /** Uniformly within ± 1 / √in. */
    KAIMING_UNIFORM,
    /** Normally with deviation 1. */
    GAUSSIAN;

    /** What it is called in options. */
    String text() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** Checks ranges. */
  public C3a {
    checkSize(blockSize);
    sizes.sizes().values().forEach(C3a::checkSize);
  }

  private static void checkSize(int size) {
    if (size < 1) {
      throw new DeltaException(
          "found block size "
              + size
              + " for C3A, expected at least 1; a divisor of the layers'"
              + " sizes such as 128 is usual");
    }
  }

  /** Blocks of a size that start at zero, on query and value. */
  public static C3a blockSize(int size) {
    Targets usual = Targets.of(Address.suffixes(List.of("query", "value")));
    return new C3a(size, SizePattern.NONE, Start.ZERO, usual);
  }

  /** The same with another start. */
  public C3a start(Start how) {
    return new C3a(blockSize, sizes, how, targets);
  }

  /** The same on other layers. */
  public C3a on(Targets where) {
    return new C3a(blockSize, sizes, start, where);
  }

  @Override
  public DeltaMethod method() {
    return new C3aMethod();
  }

  @Override
  public List<Part> parts(Model model, Rng rng) {
    List<Part> parts = new ArrayList<>();
    for (Linear linear : targets.linears(model, "C3A")) {
      int size = sizes.at(linear.path(), blockSize);
      long in = linear.weight().in();
      long out = linear.weight().out();
      if (in % size != 0 || out % size != 0) {
        throw new DeltaException(
            "found block size "
                + size
                + " for C3A at "
                + linear.path()
                + ", expected a divisor of its "
                + in
                + " inputs and "
                + out
                + " outputs; choose another");
      }
      parts.add(C3aLinear.create(linear, size, start, rng));
    }
    parts.addAll(targets.saved(model).parts());
    return parts;
  }

  @Override
  public Map<String, Object> toConfig(Model model) {
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("block_size", blockSize);
    config.put("block_size_pattern", sizes.sizes());
    config.put("bias", "none");
    config.put("init_weights", start == Start.ZERO ? (Object) true : (Object) start.text());
    targets.write(model, config);
    // PEFT's C3A cannot leave layers out, so that all are named.
    config.keySet().removeAll(List.of("exclude_modules", "layers_to_transform", "layers_pattern"));
    config.put("target_modules", targets.linears(model, "C3A").stream().map(Layer::path).toList());
    return config;
  }
}
