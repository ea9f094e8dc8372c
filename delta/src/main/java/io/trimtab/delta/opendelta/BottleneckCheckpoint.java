package io.trimtab.delta.opendelta;

import io.trimtab.delta.Delta;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.DeltaTensors;
import io.trimtab.delta.Fields;
import io.trimtab.delta.OpenDeltaTargets;
import io.trimtab.delta.bottleneck.AdapterPlace;
import io.trimtab.delta.bottleneck.Bottleneck;
import io.trimtab.delta.bottleneck.BottleneckMethod;
import io.trimtab.delta.bottleneck.CompacterMethod;
import io.trimtab.delta.bottleneck.HoulsbyMethod;
import io.trimtab.delta.bottleneck.Inside;
import io.trimtab.delta.bottleneck.LowRankMethod;
import io.trimtab.delta.bottleneck.Maps;
import io.trimtab.delta.bottleneck.ParallelMethod;
import io.trimtab.delta.bottleneck.Placement;
import io.trimtab.delta.bottleneck.Size;
import io.trimtab.delta.bottleneck.Start;
import io.trimtab.model.Model;
import io.trimtab.tensor.Parameter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Adapters: {@code PATH.adapter.modulelist.down_proj.weight} and so on for dense maps, {@code
 * PATH.compactor.down_sampler.W_left} and so on for products. The path is that of the module whose
 * output the adapter is behind, for parallel ones that of the module whose input they read.
 *
 * @param type OpenDelta's name of the method
 */
record BottleneckCheckpoint(String type) implements Checkpoint {
  private static final Pattern OURS = Pattern.compile("(.*)\\.adapter\\.(down|up)\\.(.+)");

  @Override
  public DeltaSpec read(Fields fields, Model model, List<String> unfrozen) {
    List<String> modified =
        fields.config().has("modified_modules")
            ? fields.texts("modified_modules")
            : OpenDeltaTargets.usual(type);
    List<String> exclude = fields.texts("exclude_modules");
    boolean parallel = type.equals("parallel_adapter");
    if (parallel) {
      fields.need("scaled", 1);
    }
    return Bottleneck.of(
            method(),
            parallel
                ? new Placement.Beside(modified, exclude)
                : new Placement.Behind(modified, exclude),
            size(fields),
            maps(fields),
            Inside.plain(fields.text("non_linearity", "gelu_new")),
            Start.OPENDELTA)
        .saving(unfrozen.toArray(String[]::new));
  }

  private BottleneckMethod method() {
    return switch (type) {
      case "parallel_adapter" -> new ParallelMethod();
      case "compacter" -> new CompacterMethod();
      case "low_rank_adapter" -> new LowRankMethod();
      default -> new HoulsbyMethod();
    };
  }

  private Size size(Fields fields) {
    fields.ignore("bottleneck_dim", "reduction_factor");
    return fields.config().has("bottleneck_dim")
        ? new Size.Width(fields.integer("bottleneck_dim"))
        : Size.reduced(fields.integer("reduction_factor"));
  }

  private Maps maps(Fields fields) {
    return switch (type) {
      case "compacter" -> products(fields);
      case "low_rank_adapter" ->
          new Maps.LowRank(
              fields.integer("low_rank_rank"),
              Maps.Draw.named(fields.text("low_rank_w_init", "glorot-uniform")));
      default -> new Maps.Dense();
    };
  }

  private static Maps products(Fields fields) {
    fields.need("shared_phm_rule", false);
    fields.need("shared_W_phm", false);
    fields.needNone("sequential");
    fields.ignore("kronecker_prod"); // two ways to compute the same
    boolean bias = fields.flag("use_bias_down_sampler", true);
    fields.need("use_bias_up_sampler", bias);
    boolean factorised = fields.flag("factorized_phm", true);
    int rank = fields.integer("phm_rank");
    String rule = fields.text("phm_c_init", "normal");
    fields.ignore("phm_init_range"); // of W where that starts as normal
    return new Maps.Phm(
        fields.integer("hypercomplex_division"),
        factorised ? rank : 0,
        false,
        fields.flag("factorized_phm_rule", false),
        fields.flag("learn_phm", true),
        false,
        bias,
        rule.equals("uniform"),
        0.01,
        Maps.Draw.named(fields.text("hypercomplex_nonlinearity", "glorot-uniform")));
  }

  @Override
  public List<DeltaTensors.Entry> entries(Delta delta, Names names, Map<String, Parameter> left) {
    Map<String, String> from = new HashMap<>();
    for (AdapterPlace place : ((Bottleneck) delta.spec()).places(delta.base())) {
      from.put(place.path(), place.from());
    }
    List<DeltaTensors.Entry> entries = new ArrayList<>();
    for (String name : List.copyOf(left.keySet())) {
      Matcher parts = OURS.matcher(name);
      if (parts.matches()) {
        String module = Objects.requireNonNull(from.get(parts.group(1)), name);
        String key =
            names.hooked(module, type.equals("compacter") ? "compactor" : type)
                + tensor(parts.group(2), parts.group(3));
        entries.add(DeltaTensors.Entry.of(key, Objects.requireNonNull(left.remove(name))));
      }
    }
    return entries;
  }

  private String tensor(String way, String ours) {
    if (type.endsWith("adapter") && !type.startsWith("low")) {
      return "modulelist." + way + "_proj." + ours;
    }
    String there =
        switch (ours) {
          case "left" -> "W_left";
          case "right" -> "W_right";
          case "whole" -> "W";
          case "bias" -> "b";
          case "rule", "rule.left", "rule.right" -> "phm_" + ours.replace('.', '_');
          default -> throw new DeltaException.Unsupported("found " + ours + ", expected a factor");
        };
    return way + "_sampler." + there;
  }
}
