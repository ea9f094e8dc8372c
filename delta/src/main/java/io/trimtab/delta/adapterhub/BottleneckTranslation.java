package io.trimtab.delta.adapterhub;

import io.trimtab.delta.Delta;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaMethod;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.DeltaTensors;
import io.trimtab.delta.Fields;
import io.trimtab.delta.bottleneck.Bottleneck;
import io.trimtab.delta.bottleneck.CompacterMethod;
import io.trimtab.delta.bottleneck.CompacterPlusPlusMethod;
import io.trimtab.delta.bottleneck.HoulsbyMethod;
import io.trimtab.delta.bottleneck.ParallelMethod;
import io.trimtab.delta.bottleneck.PfeifferMethod;
import io.trimtab.hub.ModelConfig;
import io.trimtab.hub.TensorFile;
import io.trimtab.model.Block;
import io.trimtab.model.Model;
import io.trimtab.tensor.Parameter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import tools.jackson.databind.json.JsonMapper;

/**
 * Bottleneck adapters, which have no {@code architecture}. The fields are those of the method here;
 * files name all of them, those without a meaning in a case too.
 */
final class BottleneckTranslation implements Translation {
  private static final List<String> FLAGS =
      List.of(
          "mh_adapter",
          "output_adapter",
          "is_parallel",
          "adapter_residual_before_ln",
          "use_gating");
  private static final List<String> IN_SEQUENCE =
      List.of("original_ln_before", "original_ln_after");
  private static final List<String> KRONECKER =
      List.of(
          "factorized_phm_W",
          "shared_phm_rule",
          "factorized_phm_rule",
          "learn_phm",
          "shared_W_phm",
          "phm_bias");

  /**
   * The architectures that AdapterHub knows by a description alone. There it undoes an invertible
   * adapter before the head, as it does not elsewhere.
   */
  private static final Set<String> DESCRIBED =
      Set.of("modernbert", "gemma2", "gemma3_text", "qwen2", "qwen3");

  @Override
  public boolean reads(Fields fields) {
    return !fields.config().has("architecture") && fields.config().has("mh_adapter");
  }

  /** There the results are not those that AdapterHub gives, for a reason not found yet. */
  private static void refuseAlbert(Model model) {
    if (model.config().modelType().equals("albert")) {
      throw new DeltaException.Unsupported(
          "found a bottleneck adapter of AdapterHub for "
              + model.name()
              + ", expected another model than ALBERT, where the results do not agree with"
              + " AdapterHub's; use lora, prefix_tuning or reft there");
    }
  }

  /**
   * What AdapterHub computes of Gemma's otherwise than its files say, so that nobody reads it
   * alike.
   */
  private static void refuseGemma(Model model, boolean throughNorm, boolean invertible) {
    String type = model.config().modelType();
    if (throughNorm && Set.of("gemma2", "gemma3_text").contains(type)) {
      throw new DeltaException.Unsupported(
          "found original_ln_before in an adapter of AdapterHub for "
              + model.name()
              + ", expected another model than Gemma, where AdapterHub takes the norm of the last"
              + " block in all of them; use houlsby, lora or reft there");
    }
    if (invertible && type.equals("gemma2")) {
      throw new DeltaException.Unsupported(
          "found an invertible adapter of AdapterHub for "
              + model.name()
              + ", expected another model than Gemma 2, where AdapterHub puts it before the"
              + " embeddings are scaled; leave out inv_adapter there");
    }
  }

  @Override
  public DeltaSpec read(Fields fields, Model model, TensorFile file) {
    refuseAlbert(model);
    refuseGemma(
        model,
        fields.flag("original_ln_before", false) && !fields.flag("is_parallel", false),
        !fields.text("inv_adapter", "").isEmpty());
    Map<String, Object> own = new TreeMap<>();
    FLAGS.forEach(name -> own.put(name, fields.flag(name, false)));
    boolean parallel = fields.flag("is_parallel", false);
    fields.ignore("original_ln_before", "original_ln_after", "residual_before_ln");
    if (!parallel) {
      IN_SEQUENCE.forEach(name -> own.put(name, fields.flag(name, name.endsWith("after"))));
      String around =
          fields.isText("residual_before_ln")
              ? fields.text("residual_before_ln", "")
              : String.valueOf(fields.flag("residual_before_ln", true));
      own.put("residual_before_ln", around);
    }
    fields.need("ln_before", false);
    fields.need("ln_after", false);
    fields.need("cross_adapter", false);
    fields.ignore("init_weights_seed");
    own.put("leave_out", fields.integers("leave_out"));
    own.put("reduction_factor", factor(fields));
    own.put("non_linearity", fields.text("non_linearity", "relu").toLowerCase(Locale.ROOT));
    own.put(
        "scaling",
        fields.isText("scaling")
            ? fields.text("scaling", "")
            : String.valueOf(fields.decimal("scaling", 1)));
    own.put("dropout", fields.decimal("dropout", 0));
    own.put("stochastic_depth", fields.decimal("stochastic_depth", 0));
    own.put("init_weights", fields.text("init_weights", "bert"));
    boolean kronecker = fields.flag("phm_layer", false);
    readKronecker(fields, kronecker, own);
    String invertible = fields.text("inv_adapter", "");
    fields.ignore("inv_adapter_reduction_factor");
    if (!invertible.isEmpty()) {
      own.put("inv_adapter", invertible);
      own.put("inv_adapter_reduction_factor", fields.decimal("inv_adapter_reduction_factor", 2));
      own.put("inv_adapter_undone", isUndone(model));
    }
    String json = JsonMapper.shared().writeValueAsString(own);
    return method(own, kronecker)
        .fromConfig(ModelConfig.parse(json, fields.config().path()), model);
  }

  /** Elsewhere heads of transformers know nothing of an inverse. */
  private static boolean isUndone(Model model) {
    return DESCRIBED.contains(model.config().modelType());
  }

  private static void readKronecker(Fields fields, boolean wanted, Map<String, Object> own) {
    fields.ignore("phm_dim", "phm_rank", "phm_c_init", "phm_init_range");
    fields.ignore("hypercomplex_nonlinearity");
    KRONECKER.forEach(fields::ignore);
    if (!wanted) {
      return;
    }
    own.put("phm_layer", true);
    KRONECKER.forEach(name -> own.put(name, fields.flag(name, !name.endsWith("phm"))));
    own.put("phm_dim", fields.integer("phm_dim"));
    if (fields.flag("factorized_phm_W", true)) {
      own.put("phm_rank", fields.integer("phm_rank"));
    }
    own.put("phm_c_init", fields.text("phm_c_init", "normal"));
    own.put("phm_init_range", fields.decimal("phm_init_range", 1e-4));
    own.put(
        "hypercomplex_nonlinearity", fields.text("hypercomplex_nonlinearity", "glorot-uniform"));
  }

  /** A number, or one a block with what else holds. */
  private static String factor(Fields fields) {
    fields.ignore("reduction_factor");
    ModelConfig config = fields.config();
    if (config.isNumber("reduction_factor")) {
      return String.valueOf(config.decimal("reduction_factor"));
    }
    ModelConfig byBlock = config.section("reduction_factor");
    return String.join(
        ",", byBlock.fields().stream().map(block -> block + ":" + byBlock.decimal(block)).toList());
  }

  private static DeltaMethod method(Map<String, Object> own, boolean kronecker) {
    boolean both = isOn(own, "mh_adapter") && isOn(own, "output_adapter");
    if (kronecker) {
      return both ? new CompacterMethod() : new CompacterPlusPlusMethod();
    }
    if (isOn(own, "is_parallel")) {
      return new ParallelMethod();
    }
    return both ? new HoulsbyMethod() : new PfeifferMethod();
  }

  private static boolean isOn(Map<String, Object> own, String flag) {
    return Boolean.TRUE.equals(own.get(flag));
  }

  @Override
  public boolean writes(DeltaSpec spec) {
    return spec instanceof Bottleneck;
  }

  @Override
  public Map<String, Object> config(Delta delta) {
    refuseAlbert(delta.base());
    Map<String, Object> own = new LinkedHashMap<>(delta.spec().toConfig(delta.base()));
    for (String none :
        List.of(
            "modified_modules",
            "exclude_modules",
            "low_rank_rank",
            "bottleneck_dim",
            "modules_to_save")) {
      if (own.containsKey(none)) {
        throw Translation.noField(none);
      }
    }
    for (String no : List.of("ln_before", "ln_after")) {
      if (own.getOrDefault(no, false).equals(true)) {
        throw Translation.noField(no);
      }
    }
    boolean invertible = own.get("inv_adapter") != null;
    refuseGemma(
        delta.base(), own.getOrDefault("original_ln_before", false).equals(true), invertible);
    if (invertible
        && !own.getOrDefault("inv_adapter_undone", false).equals(isUndone(delta.base()))) {
      throw Translation.noField(
          "an invertible adapter that is "
              + (isUndone(delta.base()) ? "not " : "")
              + "undone before the words' scores");
    }
    own.remove("inv_adapter_undone");
    own.remove("low_rank_w_init");
    if (own.get("reduction_factor") instanceof String byBlock) {
      own.put("reduction_factor", byBlock(byBlock));
    }
    if (own.get("residual_before_ln") instanceof String around && !around.equals("post_add")) {
      own.put("residual_before_ln", Boolean.valueOf(around));
    }
    Map<String, Object> config = new TreeMap<>(usual());
    config.putAll(own);
    return config;
  }

  private static Map<String, Double> byBlock(String text) {
    Map<String, Double> factors = new LinkedHashMap<>();
    for (String part : text.split(",", -1)) {
      int colon = part.indexOf(':');
      factors.put(part.substring(0, colon), Double.valueOf(part.substring(colon + 1)));
    }
    return factors;
  }

  /** What files say where it has no meaning. */
  private static Map<String, Object> usual() {
    Map<String, Object> usual = new TreeMap<>();
    usual.put("original_ln_before", false);
    usual.put("original_ln_after", true);
    usual.put("residual_before_ln", true);
    usual.put("cross_adapter", false);
    usual.put("init_weights_seed", null);
    usual.put("inv_adapter", null);
    usual.put("inv_adapter_reduction_factor", null);
    usual.put("phm_layer", false);
    usual.put("phm_dim", 4);
    usual.put("phm_rank", 1);
    KRONECKER.forEach(
        name ->
            usual.put(name, !name.equals("factorized_phm_rule") && !name.equals("shared_W_phm")));
    usual.put("phm_c_init", "normal");
    usual.put("phm_init_range", 1e-4);
    usual.put("hypercomplex_nonlinearity", "glorot-uniform");
    return usual;
  }

  @Override
  public List<DeltaTensors.Entry> entries(Delta delta, Keys keys, Map<String, Parameter> left) {
    boolean kronecker =
        delta.spec().toConfig(delta.base()).getOrDefault("phm_layer", false).equals(true);
    List<DeltaTensors.Entry> entries = new ArrayList<>();
    for (String name : List.copyOf(left.keySet())) {
      String key = key(name, delta.base(), keys, kronecker);
      entries.add(DeltaTensors.Entry.of(key, Translation.take(left, name)));
    }
    return entries;
  }

  private static String key(String name, Model model, Keys keys, boolean isKronecker) {
    if (name.startsWith("invertible.")) {
      String network = name.substring("invertible.".length());
      return keys.below("invertible_adapters." + keys.adapter() + ".")
          + network.substring(0, 1).toUpperCase(Locale.ROOT)
          + network.substring(1).replace(".down.", ".0.").replace(".up.", ".2.");
    }
    if (name.startsWith("adapter.")) {
      String shared = "phm_" + name.substring("adapter.".length());
      return keys.below("shared_parameters." + keys.adapter() + "." + shared);
    }
    int at = name.lastIndexOf(".adapter.");
    String tensor = name.substring(at + ".adapter.".length());
    return module(name.substring(0, at), model)
        + ".adapters."
        + keys.adapter()
        + "."
        + tensor(tensor, isKronecker);
  }

  private static String tensor(String tensor, boolean kronecker) {
    boolean down = tensor.startsWith("down.");
    if (!down && !tensor.startsWith("up.")) {
      return tensor;
    }
    String last = tensor.substring(tensor.indexOf('.') + 1);
    String there =
        switch (kronecker ? last : "") {
          case "left" -> "W_left";
          case "right" -> "W_right";
          case "rule" -> "phm_rule";
          case "bias" -> "b";
          default -> last;
        };
    return (down ? "adapter_down.0." : "adapter_up.") + there;
  }

  private static String module(String path, Model model) {
    if (Set.of("t5", "mt5").contains(model.config().modelType())) {
      return path.substring(0, path.lastIndexOf('.')); // beside the norm
    }
    boolean inBlocks =
        model.config().modelType().equals("distilbert") || model.decoder().isPresent();
    if (inBlocks) { // they are modules of its blocks
      for (Block block : model.blocks()) {
        if (path.equals(block.attention().path())) {
          return block.path() + ".attention_adapters";
        }
        if (path.equals(block.feedForward().path())) {
          return block.path() + ".output_adapters";
        }
      }
    }
    return path;
  }
}
