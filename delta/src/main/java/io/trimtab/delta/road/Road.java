package io.trimtab.delta.road;

import io.trimtab.delta.Address;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaMethod;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.Part;
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
 * Settings of RoAd (Liao and Monz, 2024, section 3.2): each pair of outputs is multiplied by [α₁
 * cos θ₁, -α₂ sin θ₂; α₃ sin θ₃, α₄ cos θ₄]. An output is paired with the one half a group further
 * on.
 *
 * @param variant how many of the four angles and scales of a pair are its own
 * @param groupSize outputs a group, even
 * @param targets the linear layers it goes on
 */
public record Road(Variant variant, int groupSize, Targets targets) implements DeltaSpec {
  /** How many angles and scales a pair of outputs has. */
  public enum Variant {
    /** One: a rotation and a scale. */
    ROAD_1,
    /** Two, one for each output. */
    ROAD_2,
    /** Four, one for each entry of the matrix. */
    ROAD_4;

    /** What it is called in files and options. */
    String text() {
      return name().toLowerCase(Locale.ROOT);
    }

    static Variant of(String text) {
      for (Variant variant : values()) {
        if (variant.text().equals(text)) {
          return variant;
        }
      }
      throw new DeltaException(
          "found variant \"" + text + "\" of RoAd, expected road_1, road_2 or road_4");
    }

    /** The numbers of angles, and of scales, for so many outputs. */
    long size(long out) {
      return switch (this) {
        case ROAD_1 -> out / 2;
        case ROAD_2 -> out;
        case ROAD_4 -> out * 2;
      };
    }
  }

  /** Checks ranges. */
  public Road {
    if (groupSize < 2 || groupSize % 2 != 0) {
      throw new DeltaException(
          "found group size " + groupSize + " for RoAd, expected an even number; 64 is usual");
    }
  }

  /** A variant in groups of 64, on query and value. */
  public static Road of(Variant variant) {
    return new Road(variant, 64, Targets.of(Address.suffixes(List.of("query", "value"))));
  }

  /** The same in groups of another size. */
  public Road groupSize(int outputs) {
    return new Road(variant, outputs, targets);
  }

  /** The same on other layers. */
  public Road on(Targets where) {
    return new Road(variant, groupSize, where);
  }

  @Override
  public DeltaMethod method() {
    return new RoadMethod();
  }

  @Override
  public List<Part> parts(Model model, Rng rng) {
    List<Part> parts = new ArrayList<>();
    for (Linear linear : targets.linears(model, "RoAd")) {
      long out = linear.weight().out();
      if (out % groupSize != 0) {
        throw new DeltaException(
            "found group size "
                + groupSize
                + " for RoAd at "
                + linear.path()
                + ", expected a divisor of its "
                + out
                + " outputs; choose another");
      }
      parts.add(RoadLinear.create(linear, variant, groupSize));
    }
    parts.addAll(targets.saved(model).parts());
    return parts;
  }

  @Override
  public Map<String, Object> toConfig(Model model) {
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("variant", variant.text());
    config.put("group_size", groupSize);
    config.put("init_weights", true);
    targets.write(model, config);
    // PEFT's RoAd can neither leave layers out nor be confined to blocks, so that all are named.
    config.keySet().removeAll(List.of("exclude_modules", "layers_to_transform", "layers_pattern"));
    config.put("target_modules", targets.linears(model, "RoAd").stream().map(Layer::path).toList());
    return config;
  }
}
