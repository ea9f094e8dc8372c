package io.trimtab.delta.bottleneck;

import io.trimtab.delta.DeltaException;
import io.trimtab.delta.Options;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The settings as named values, for options and files alike. The names are AdapterHub's, with
 * OpenDelta's where AdapterHub has none.
 */
final class BottleneckFields {
  private BottleneckFields() {}

  /**
   * Reads all fields.
   *
   * @param fields as text, lists with commas; those that say nothing here are errors
   * @param lenient whether they come from a file
   */
  static Bottleneck read(BottleneckMethod method, Map<String, String> fields, boolean lenient) {
    Options options = new Options(method.name(), fields);
    Bottleneck read =
        new Bottleneck(
            method,
            placement(options),
            size(options),
            maps(options),
            inside(options),
            Start.named(options.text("init_weights", Start.BERT.text())),
            invertible(options),
            options.texts("save"),
            lenient);
    options.checkAllUsed();
    return read;
  }

  private static Placement placement(Options options) {
    List<String> modules = options.texts("modified_modules");
    boolean parallel = options.flag("is_parallel", false);
    if (!modules.isEmpty()) {
      List<String> exclude = options.texts("exclude_modules");
      return parallel
          ? new Placement.Beside(modules, exclude)
          : new Placement.Behind(modules, exclude);
    }
    Placement.Flow flow =
        parallel
            ? new Placement.Flow.Parallel()
            : new Placement.Flow.Sequential(
                options.flag("original_ln_before", false),
                options.flag("original_ln_after", true),
                Placement.Around.named(options.text("residual_before_ln", "true")));
    return new Placement.Sublayers(
        options.flag("mh_adapter", true),
        options.flag("output_adapter", true),
        flow,
        options.integers("leave_out"));
  }

  private static Size size(Options options) {
    String width = options.text("bottleneck_dim", "");
    if (width.isEmpty()) {
      return Size.parseFactor(options.text("reduction_factor", "16"));
    }
    return new Size.Width(options.integer("bottleneck_dim", 0));
  }

  private static Maps maps(Options options) {
    if (options.flag("phm_layer", false)) {
      return phm(options);
    }
    int rank = options.integer("low_rank_rank", 0);
    if (rank == 0) {
      return new Maps.Dense();
    }
    return new Maps.LowRank(
        rank, Maps.Draw.named(options.text("low_rank_w_init", "glorot-uniform")));
  }

  private static Maps.Phm phm(Options options) {
    boolean factorised = options.flag("factorized_phm_W", true);
    boolean shared = options.flag("shared_phm_rule", true);
    return new Maps.Phm(
        options.integer("phm_dim", 4),
        factorised ? positive(options.integer("phm_rank", 1)) : 0,
        shared,
        options.flag("factorized_phm_rule", false),
        options.flag("learn_phm", true),
        options.flag("shared_W_phm", false),
        options.flag("phm_bias", true),
        ruleUniform(options.text("phm_c_init", "normal")),
        options.decimal("phm_init_range", shared ? 1e-4 : 1e-2),
        Maps.Draw.named(options.text("hypercomplex_nonlinearity", "glorot-uniform")));
  }

  private static int positive(int rank) {
    if (rank < 1) {
      throw new DeltaException(
          "found phm_rank="
              + rank
              + " for a Compacter, expected at least 1; factorized_phm_W=false is for full rank");
    }
    return rank;
  }

  private static boolean ruleUniform(String text) {
    return switch (text) {
      case "normal" -> false;
      case "uniform" -> true;
      default ->
          throw new DeltaException.Unsupported(
              "found phm_c_init=" + text + " for a Compacter, expected normal or uniform");
    };
  }

  private static Inside inside(Options options) {
    boolean after = options.flag("ln_after", false);
    return new Inside(
        new NonLinearity(options.text("non_linearity", "relu")),
        options.flag("ln_before", false),
        after,
        options.flag("adapter_residual_before_ln", false),
        Scaling.parse(options.text("scaling", "1.0")),
        options.flag("use_gating", false),
        options.decimal("dropout", 0),
        options.decimal("stochastic_depth", 0));
  }

  private static @org.jspecify.annotations.Nullable Invertible invertible(Options options) {
    String kind = options.text("inv_adapter", "none");
    return kind.equals("none")
        ? null
        : new Invertible(
            Invertible.kind(kind),
            options.decimal("inv_adapter_reduction_factor", 2),
            options.flag("inv_adapter_undone", true));
  }

  /** A whole number, or the usual one where it is absent or no number: reading it will say so. */
  static long number(Map<String, String> fields, String key, long usual) {
    String text = fields.get(key);
    return text != null && text.matches("-?\\d{1,9}") ? Long.parseLong(text) : usual;
  }

  /** All fields, with the types that they have in files. */
  static Map<String, Object> write(Bottleneck spec) {
    Map<String, Object> fields = new LinkedHashMap<>();
    place(spec.placement(), fields);
    switch (spec.size()) {
      case Size.Width width -> fields.put("bottleneck_dim", width.width());
      case Size.Reduced reduced when reduced.byBlock().isEmpty() ->
          fields.put("reduction_factor", reduced.factor());
      case Size.Reduced reduced -> fields.put("reduction_factor", Size.factorText(reduced));
    }
    Inside inside = spec.inside();
    fields.put("non_linearity", inside.nonLinearity().name());
    fields.put("ln_before", inside.normBefore());
    fields.put("ln_after", inside.normAfter());
    fields.put("adapter_residual_before_ln", inside.residualBeforeNormAfter());
    fields.put(
        "scaling",
        inside.scaling() instanceof Scaling.Fixed fixed
            ? fixed.factor()
            : inside.scaling().toString());
    fields.put("use_gating", inside.gating());
    fields.put("dropout", inside.dropout());
    fields.put("stochastic_depth", inside.stochasticDepth());
    fields.put("init_weights", spec.start().text());
    switch (spec.maps()) {
      case Maps.Dense _ -> fields.put("phm_layer", false);
      case Maps.LowRank low -> {
        fields.put("low_rank_rank", low.rank());
        fields.put("low_rank_w_init", low.start().text());
      }
      case Maps.Phm phm -> write(phm, fields);
    }
    Invertible invertible = spec.invertible();
    if (invertible != null) {
      fields.put("inv_adapter", invertible.coupling() == Invertible.Kind.NICE ? "nice" : "glow");
      fields.put("inv_adapter_reduction_factor", invertible.reduction());
      fields.put("inv_adapter_undone", invertible.undone());
    }
    if (!spec.modulesToSave().isEmpty()) {
      fields.put("modules_to_save", spec.modulesToSave());
    }
    return fields;
  }

  private static void place(Placement placement, Map<String, Object> fields) {
    switch (placement) {
      case Placement.Sublayers sublayers -> {
        fields.put("mh_adapter", sublayers.attention());
        fields.put("output_adapter", sublayers.feedForward());
        fields.put("leave_out", sublayers.leaveOut());
        fields.put("is_parallel", sublayers.flow() instanceof Placement.Flow.Parallel);
        if (sublayers.flow() instanceof Placement.Flow.Sequential flow) {
          fields.put("original_ln_before", flow.normBefore());
          fields.put("original_ln_after", flow.normAfter());
          fields.put("residual_before_ln", flow.around().text());
        }
      }
      case Placement.Behind behind -> modules(behind.names(), behind.exclude(), false, fields);
      case Placement.Beside beside -> modules(beside.names(), beside.exclude(), true, fields);
    }
  }

  private static void modules(
      List<String> names, List<String> exclude, boolean parallel, Map<String, Object> fields) {
    fields.put("modified_modules", names);
    fields.put("exclude_modules", exclude);
    fields.put("is_parallel", parallel);
  }

  private static void write(Maps.Phm phm, Map<String, Object> fields) {
    fields.put("phm_layer", true);
    fields.put("phm_dim", phm.dim());
    fields.put("factorized_phm_W", phm.rank() > 0);
    if (phm.rank() > 0) {
      fields.put("phm_rank", phm.rank());
    }
    fields.put("shared_phm_rule", phm.sharedRule());
    fields.put("factorized_phm_rule", phm.factorisedRule());
    fields.put("learn_phm", phm.trainedRule());
    fields.put("shared_W_phm", phm.sharedWeights());
    fields.put("phm_bias", phm.bias());
    fields.put("phm_c_init", phm.ruleUniform() ? "uniform" : "normal");
    fields.put("phm_init_range", phm.ruleRange());
    fields.put("hypercomplex_nonlinearity", phm.start().text());
  }
}
