package io.trimtab.delta.bottleneck;

import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaMethod;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.Presets;
import io.trimtab.hub.ModelConfig;
import io.trimtab.model.Model;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * A method of the family: a name, a paper, and presets of settings, any of which an option can
 * change. Options are named as AdapterHub's and OpenDelta's settings are.
 */
public abstract sealed class BottleneckMethod implements DeltaMethod
    permits HoulsbyMethod,
        PfeifferMethod,
        ParallelMethod,
        CompacterMethod,
        CompacterPlusPlusMethod,
        LowRankMethod {
  /** Fields that every adapter_config.json of ours has and that say nothing about adapters. */
  private static final Set<String> ENVELOPE =
      Set.of("peft_type", "base_model_name_or_path", "inference_mode", "task_type");

  private static final Set<String> FLAGS =
      Set.of(
          "mh_adapter",
          "output_adapter",
          "is_parallel",
          "original_ln_before",
          "original_ln_after",
          "ln_before",
          "ln_after",
          "adapter_residual_before_ln",
          "use_gating",
          "inv_adapter_undone",
          "phm_layer",
          "factorized_phm_W",
          "shared_phm_rule",
          "factorized_phm_rule",
          "learn_phm",
          "shared_W_phm",
          "phm_bias");

  private static final Set<String> WHOLE =
      Set.of("bottleneck_dim", "low_rank_rank", "phm_dim", "phm_rank");

  private static final Set<String> LISTS = Set.of("modified_modules", "exclude_modules");

  private static final String SAVE = "save";

  /** What a typed option puts in the place of, so that a preset's must go. */
  private static final Map<String, List<String>> INSTEAD =
      Map.of(
          "bottleneck_dim", List.of("reduction_factor"),
          "reduction_factor", List.of("bottleneck_dim"),
          "mh_adapter", List.of("modified_modules", "exclude_modules"),
          "output_adapter", List.of("modified_modules", "exclude_modules"),
          "modified_modules",
              List.of(
                  "mh_adapter",
                  "output_adapter",
                  "original_ln_before",
                  "original_ln_after",
                  "residual_before_ln",
                  "leave_out"),
          "is_parallel", List.of("original_ln_before", "original_ln_after", "residual_before_ln"));

  private final String name;
  private final String peftType;
  private final String paper;
  private final double defaultRate;

  /** For the subclasses here, which differ in this and in their presets. */
  BottleneckMethod(String name, String peftType, String paper, double defaultRate) {
    this.name = name;
    this.peftType = peftType;
    this.paper = paper;
    this.defaultRate = defaultRate;
  }

  @Override
  public final String name() {
    return name;
  }

  @Override
  public final String peftType() {
    return peftType;
  }

  @Override
  public final String paper() {
    return paper;
  }

  @Override
  public final double defaultRate() {
    return defaultRate;
  }

  @Override
  public final List<String> sizeFields() {
    return List.of("bottleneck_dim", "low_rank_rank", "phm_rank");
  }

  /** The names of its presets, the one that holds where none is asked for first. */
  public final List<String> presetNames() {
    return presets().names();
  }

  /**
   * The settings of a preset.
   *
   * @throws DeltaException where the method has none of that name
   */
  public final Bottleneck preset(String name) {
    return BottleneckFields.read(this, presets().named(name, name()), false);
  }

  @Override
  public double startsWithin() {
    return 0.05;
  }

  @Override
  public final DeltaSpec fromOptions(Map<String, String> typed, Model model) {
    Map<String, String> own = new TreeMap<>(typed);
    String preset =
        Objects.requireNonNullElse(own.remove(Presets.OPTION), presetNames().getFirst());
    Map<String, String> fields = new LinkedHashMap<>(presets().named(preset, name()));
    own.keySet().forEach(key -> INSTEAD.getOrDefault(key, List.of()).forEach(fields::remove));
    fields.putAll(own);
    if (fields.getOrDefault("phm_layer", "false").equals("true")) {
      fitKronecker(fields, own.keySet(), Blocks.hidden(model));
    }
    return BottleneckFields.read(this, fields, false);
  }

  /** Sizes that nobody asked for are made to divide, so that a preset fits small models too. */
  private static void fitKronecker(Map<String, String> fields, Set<String> typed, long hidden) {
    long dim = BottleneckFields.number(fields, "phm_dim", 4);
    if (!typed.contains("phm_dim") && dim > 0) {
      while (hidden % dim != 0) {
        dim--;
      }
      fields.put("phm_dim", String.valueOf(dim));
    }
    if (typed.contains("bottleneck_dim") || typed.contains("reduction_factor") || dim < 1) {
      return;
    }
    String factor = fields.get("reduction_factor");
    if (factor == null) {
      return;
    }
    long width = Size.parseFactor(factor).of(hidden, 0);
    if (width % dim != 0) {
      fields.remove("reduction_factor");
      fields.put("bottleneck_dim", String.valueOf((width / dim + 1) * dim));
    }
  }

  @Override
  public final DeltaSpec fromConfig(ModelConfig config, Model model) {
    Map<String, String> fields = new TreeMap<>();
    for (String field : new TreeSet<>(config.fields())) {
      if (!ENVELOPE.contains(field) && config.has(field)) {
        fields.put(field.equals("modules_to_save") ? SAVE : field, text(config, field));
      }
    }
    return BottleneckFields.read(this, fields, true);
  }

  private static String text(ModelConfig config, String field) {
    if (FLAGS.contains(field)) {
      return String.valueOf(config.flag(field));
    }
    if (LISTS.contains(field) || field.equals("modules_to_save")) {
      return String.join(",", config.texts(field));
    }
    if (field.equals("leave_out")) {
      return String.join(",", config.integers(field).stream().map(String::valueOf).toList());
    }
    if (WHOLE.contains(field)) {
      return String.valueOf(config.integer(field));
    }
    return config.isNumber(field) ? String.valueOf(config.decimal(field)) : config.text(field);
  }
}
