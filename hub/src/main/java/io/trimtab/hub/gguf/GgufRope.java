package io.trimtab.hub.gguf;

import io.trimtab.hub.HubException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The rotary embedding of a GGUF file as {@code rope_parameters}. */
final class GgufRope {
  private static final double DEFAULT_BASE = 10_000;

  private final GgufFile file;
  private final GgufMetadata metadata;
  private final GgufArchitecture architecture;
  private final int headSize;

  GgufRope(GgufFile file, GgufArchitecture architecture, int headSize) {
    this.file = file;
    this.metadata = file.metadata();
    this.architecture = architecture;
    this.headSize = headSize;
  }

  /** For Gemma 3 by type of layer, else for all. */
  Map<String, @Nullable Object> parameters() {
    if (architecture != GgufArchitecture.GEMMA3) {
      return global();
    }
    Map<String, @Nullable Object> local = new LinkedHashMap<>();
    local.put("rope_type", "default");
    local.put("rope_theta", metadata.real(key("rope.freq_base_swa"), DEFAULT_BASE));
    Map<String, @Nullable Object> both = new LinkedHashMap<>();
    both.put("full_attention", global());
    both.put("sliding_attention", local);
    return both;
  }

  private Map<String, @Nullable Object> global() {
    Map<String, @Nullable Object> out = new LinkedHashMap<>();
    double base = metadata.real(key("rope.freq_base"), DEFAULT_BASE);
    out.put("rope_theta", base);
    int turned = metadata.count(key("rope.dimension_count"), 2, headSize);
    boolean partly =
        architecture == GgufArchitecture.GPT_NEOX || architecture == GgufArchitecture.PHI3;
    if (turned > headSize || (turned != headSize && !partly)) {
      throw unsupported("%d of %d values of a head are turned".formatted(turned, headSize));
    }
    if (partly) {
      out.put("partial_rotary_factor", (double) turned / headSize);
    }
    GgufTensor factors = file.tensors().get("rope_freqs.weight");
    boolean twoLists = file.tensors().containsKey("rope_factors_long.weight");
    // llama.cpp's defaults, of the type too.
    String type = metadata.text(key("rope.scaling.type"), "linear");
    double factor = real("rope.scaling.factor", real("rope.scale_linear", 0));
    if (!(base > 0 && factor >= 0 && Double.isFinite(base + factor))) {
      throw new HubException.Malformed(
          "%s: has rotary embeddings of base %s and factor %s; expected positive numbers"
              .formatted(file.path(), base, factor));
    }
    boolean stretched = factor != 0 && factor != 1 && !type.equals("none");
    if ((twoLists || factors != null) && (stretched || type.equals("yarn"))) {
      throw unsupported("it has both factors for each wave and one for all");
    }
    if (twoLists) {
      out.put("rope_type", "longrope");
      out.put("long_factor", floats("rope_factors_long.weight", turned));
      out.put("short_factor", floats("rope_factors_short.weight", turned));
      out.put("original_max_position_embeddings", original());
      out.put("attention_factor", real("rope.scaling.attn_factor", 1));
      return out;
    }
    if (!type.equals("yarn") && real("rope.scaling.attn_factor", 1) != 1) {
      throw unsupported("scores are scaled without yarn or longrope");
    }
    if (factors != null) {
      Llama3Rope.of(floats("rope_freqs.weight", turned), base, turned)
          .orElseThrow(() -> unsupported("the factors follow none of the rules that are known"))
          .putInto(out);
    } else if (type.equals("yarn")) {
      yarn(stretched ? factor : 1, out);
    } else if (!type.equals("none") && !type.equals("linear")) {
      throw unsupported("they are scaled by " + type);
    } else if (stretched) {
      out.put("rope_type", "linear");
      out.put("factor", factor);
    } else {
      out.put("rope_type", "default");
    }
    return out;
  }

  private void yarn(double factor, Map<String, @Nullable Object> out) {
    if (real("rope.scaling.yarn_log_multiplier", 0) != 0) {
      throw unsupported("they have a yarn_log_multiplier");
    }
    out.put("rope_type", "yarn");
    out.put("factor", factor);
    out.put("original_max_position_embeddings", original());
    copy("rope.scaling.yarn_beta_fast", "beta_fast", out);
    copy("rope.scaling.yarn_beta_slow", "beta_slow", out);
    copy("rope.scaling.yarn_attn_factor", "attention_factor", out);
    if (metadata.has(key("rope.scaling.attn_factor"))) {
      out.put("attention_factor", yarnAttention(factor) * real("rope.scaling.attn_factor", 1));
    }
  }

  /** What llama.cpp multiplies scores by in YaRN, apart from what a file says. */
  static double yarnAttention(double factor) {
    return factor <= 1 ? 1 : 1 + 0.1 * Math.log(factor);
  }

  private int original() {
    String original = key("rope.scaling.original_context_length");
    return metadata.count(metadata.has(original) ? original : key("context_length"), 2);
  }

  private void copy(String from, String to, Map<String, @Nullable Object> out) {
    if (metadata.has(key(from))) {
      out.put(to, metadata.real(key(from)));
    }
  }

  private double real(String name, double fallback) {
    return metadata.real(key(name), fallback);
  }

  /** One number for each wave. */
  private List<Double> floats(String tensor, int turned) {
    GgufTensor found = file.tensors().get(tensor);
    if (found == null || found.packed().elements() != turned / 2) {
      throw new HubException.Malformed(
          "%s: expected a tensor %s of %d values, found %s"
              .formatted(file.path(), tensor, turned / 2, found == null ? "none" : found));
    }
    List<Double> out = new ArrayList<>();
    for (float value : found.floats()) {
      out.add(Double.parseDouble(Float.toString(value)));
    }
    return out;
  }

  private HubException unsupported(String why) {
    return new HubException.Unsupported(
        "%s: rotary embeddings of this kind are not supported: %s".formatted(file.path(), why));
  }

  private String key(String name) {
    return architecture.gguf() + "." + name;
  }
}
