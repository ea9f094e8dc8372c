package io.trimtab.hub.gguf;

import io.trimtab.hub.HubException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
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
    long turned = metadata.whole(key("rope.dimension_count"), headSize);
    boolean partly =
        architecture == GgufArchitecture.GPT_NEOX || architecture == GgufArchitecture.PHI3;
    if (partly) {
      out.put("partial_rotary_factor", (double) turned / headSize);
    } else if (turned != headSize) {
      throw new HubException.Unsupported(
          "%s: only %d of %d values of a head are turned, which is not supported"
              .formatted(file.path(), turned, headSize));
    }
    GgufTensor factors = file.tensors().get("rope_freqs.weight");
    String type = metadata.text(key("rope.scaling.type"), "none");
    if (file.tensors().containsKey("rope_factors_long.weight")) {
      out.put("rope_type", "longrope");
      out.put("long_factor", floats("rope_factors_long.weight"));
      out.put("short_factor", floats("rope_factors_short.weight"));
      out.put(
          "original_max_position_embeddings",
          Math.toIntExact(metadata.whole(key("rope.scaling.original_context_length"))));
    } else if (factors != null) {
      Llama3Rope.of(floats("rope_freqs.weight"), base, turned)
          .orElseThrow(
              () ->
                  new HubException.Unsupported(
                      file.path()
                          + ": the factors of the rotary embedding follow none of the rules that"
                          + " are known"))
          .putInto(out);
    } else {
      scaled(type, out);
    }
    return out;
  }

  private void scaled(String type, Map<String, @Nullable Object> out) {
    switch (type) {
      case "none" -> out.put("rope_type", "default");
      case "linear", "yarn" -> {
        out.put("rope_type", type);
        out.put("factor", metadata.real(key("rope.scaling.factor")));
        if (type.equals("yarn")) {
          out.put(
              "original_max_position_embeddings",
              Math.toIntExact(metadata.whole(key("rope.scaling.original_context_length"))));
          copy("rope.scaling.yarn_beta_fast", "beta_fast", out);
          copy("rope.scaling.yarn_beta_slow", "beta_slow", out);
          copy("rope.scaling.yarn_attn_factor", "attention_factor", out);
        }
      }
      default ->
          throw new HubException.Unsupported(
              file.path() + ": rotary embeddings scaled by " + type + " are not supported");
    }
  }

  private void copy(String from, String to, Map<String, @Nullable Object> out) {
    if (metadata.has(key(from))) {
      out.put(to, metadata.real(key(from)));
    }
  }

  private List<Double> floats(String tensor) {
    GgufTensor found = file.tensors().get(tensor);
    if (found == null) {
      throw new HubException.Malformed(file.path() + ": expected a tensor " + tensor);
    }
    float[] values = new float[Math.toIntExact(found.packed().elements())];
    found.format().dequantize(found.blocks(), MemorySegment.ofArray(values));
    List<Double> out = new ArrayList<>();
    for (float value : MemorySegment.ofArray(values).toArray(ValueLayout.JAVA_FLOAT)) {
      out.add(Double.parseDouble(Float.toString(value)));
    }
    return out;
  }

  private String key(String name) {
    return architecture.gguf() + "." + name;
  }
}
