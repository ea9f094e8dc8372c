package io.trimtab.bench;

import io.trimtab.delta.Delta;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaFormat;
import io.trimtab.delta.DeltaFormats;
import io.trimtab.delta.DeltaMethod;
import io.trimtab.delta.DeltaMethods;
import io.trimtab.delta.compose.DeltaExpression;
import io.trimtab.hub.Safetensors;
import io.trimtab.hub.TensorData;
import io.trimtab.model.Model;
import io.trimtab.model.ModelException;
import io.trimtab.model.Patches;
import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Engine;
import io.trimtab.tensor.Gradients;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Reduction;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import io.trimtab.train.parity.Recorded;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import tools.jackson.databind.json.JsonMapper;

/**
 * Trimtab's side of {@code bench/interop/check}: adapters for another library to load. For every
 * delta asked for, over every model of a folder that opens: attach, move all parameters, save, and
 * compute the logits for the folder's inputs.
 *
 * <p>Arguments: {@code --models DIR --out DIR --seed N}, then {@code --types A,B --prompts B} for
 * PEFT: every method of these types with default options, where {@code prompts} are those that it
 * computes without token types; or {@code --format adapterhub}: every method with the preset of
 * that name, and what else its files can say.
 */
public final class WriteAdapters {
  /** What is written beside an adapter's own files. */
  private static final String LOGITS = "ours.safetensors";

  /**
   * Larger moves of methods with large scales drive attention to where rounding is all one sees.
   */
  private static final double NOISE = 0.05;

  /** What AdapterHub's files say beyond the presets, by a name for the table. */
  private static final Map<String, String> FURTHER =
      new TreeMap<>(
          Map.ofEntries(
              Map.entry(
                  "lora-ffn", "lora:preset=adapterhub,targets='@attn.q,@attn.k,@ff.w1,@ff.w2'"),
              Map.entry(
                  "lora-ffn-gated",
                  "lora:preset=adapterhub,targets='@attn.q,@attn.k,@ff.w2,@ff.w3'"),
              Map.entry("lora-rslora", "lora:preset=adapterhub,rslora=true"),
              Map.entry("lora-gated", "lora:preset=adapterhub,use_gating=true"),
              Map.entry("prefix-flat", "prefix:preset=adapterhub,projection=0"),
              Map.entry(
                  "prefix-gates", "prefix:preset=adapterhub,use_gating=true,shared_gating=false"),
              Map.entry("prompt-after-bos", "prompt:preset=adapterhub,place=embedded_after_first"),
              Map.entry("reft-noreft", "reft:preset=adapterhub,kind=noreft"),
              Map.entry("parallel-learned", "parallel:preset=adapterhub,scaling=learned"),
              Map.entry(
                  "houlsby-invertible",
                  "houlsby:preset=adapterhub,inv_adapter=nice,inv_adapter_undone=false"),
              Map.entry("houlsby-invertible-undone", "houlsby:preset=adapterhub,inv_adapter=nice"),
              Map.entry("pfeiffer-leave-out", "pfeiffer:preset=adapterhub,leave_out=0")));

  private static final Map<String, String> UNIONS =
      new TreeMap<>(
          Map.of(
              "mam",
              "prefix:preset=adapterhub + parallel:preset=adapterhub",
              "unipelt",
              "prefix:preset=adapterhub,use_gating=true"
                  + " + pfeiffer:preset=adapterhub,use_gating=true"
                  + " + lora:preset=adapterhub,use_gating=true"));

  /**
   * One delta to write over every model.
   *
   * @param name for the table
   * @param expression what {@code --delta} takes
   * @param type its {@code peft_type}, or what stands for it
   * @param tokenTypes whether the other library computes it with token types
   */
  private record Wanted(String name, String expression, String type, boolean tokenTypes) {}

  private WriteAdapters() {}

  private static List<Wanted> ofPeft(Set<String> types, Set<String> prompts) {
    return DeltaMethods.all().stream()
        .filter(method -> types.contains(method.peftType()))
        .map(
            method ->
                new Wanted(
                    method.name(),
                    // Alone in that PEFT computes another thing by default.
                    method.name().equals("tokens") ? "tokens:preset=peft" : method.name(),
                    method.peftType(),
                    !prompts.contains(method.peftType())))
        .toList();
  }

  private static List<Wanted> ofAdapterHub() {
    List<Wanted> wanted = new ArrayList<>();
    for (DeltaMethod method : DeltaMethods.all()) {
      if (method.presets().names().contains("adapterhub")) {
        String expression = method.name() + ":preset=adapterhub";
        wanted.add(new Wanted(method.name(), expression, method.peftType(), true));
      }
    }
    FURTHER.forEach((name, typed) -> wanted.add(new Wanted(name, typed, "adapterhub", true)));
    UNIONS.forEach((name, typed) -> wanted.add(new Wanted(name, typed, "union", true)));
    return wanted;
  }

  /** Writes the adapters and {@code written.json}, which says what was written and what was not. */
  public static void main(String[] args) {
    Map<String, String> options = new HashMap<>();
    for (int i = 0; i + 1 < args.length; i += 2) {
      options.put(args[i].replaceFirst("^--", ""), args[i + 1]);
    }
    Path models = Path.of(need(options, "models"));
    Path out = Path.of(need(options, "out"));
    DeltaFormat format = DeltaFormats.named(options.getOrDefault("format", "peft"));
    List<Wanted> deltas =
        format.name().equals("adapterhub")
            ? ofAdapterHub()
            : ofPeft(
                Set.of(need(options, "types").split(",")),
                Set.of(options.getOrDefault("prompts", "").split(",")));
    long seed = Long.parseLong(options.getOrDefault("seed", "1"));
    Engine.setThreads(1); // models this small only wait for more
    List<Map<String, Object>> cases = new ArrayList<>();
    Map<String, String> unread = new LinkedHashMap<>();
    for (Path directory : directories(models)) {
      String name = directory.getFileName().toString();
      try (Model model = Recorded.model(directory);
          Recorded io = Recorded.open(directory.resolve("io.safetensors"))) {
        for (Wanted delta : deltas) {
          cases.add(write(delta, format, model, io, out.resolve(delta.name()).resolve(name), seed));
        }
        System.err.println(name + ": " + deltas.size() + " deltas");
      } catch (ModelException.Unsupported e) {
        unread.put(name, e.getMessage());
      }
    }
    save(out.resolve("written.json"), Map.of("cases", cases, "unread_models", unread));
  }

  private static Map<String, Object> write(
      Wanted wanted, DeltaFormat format, Model model, Recorded io, Path adapter, long seed) {
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("method", wanted.name());
    line.put("peft_type", wanted.type());
    line.put("model", model.name());
    line.put("token_types", wanted.tokenTypes());
    line.put("virtual_at", wanted.expression().contains("embedded_after_first") ? 1 : 0);
    line.put("full_rows", looksAtPadding(wanted, format, model));
    try (Delta delta =
        DeltaExpression.parse(wanted.expression(), model).attach(model, Rng.seeded(seed))) {
      move(delta, Rng.seeded(seed));
      format.save(delta, adapter);
      Gradients.none(
          () -> {
            try (Scope _ = Scope.open()) {
              Tensor logits = io.logits(model, wanted.tokenTypes(), delta.patches());
              Tensor plain = io.logits(model, wanted.tokenTypes(), Patches.NONE);
              saveLogits(logits, adapter.resolve(LOGITS));
              line.put("moved", distance(logits, plain));
              return line;
            }
          });
      line.put("parameters", delta.count());
      line.put("adapter", adapter.toAbsolutePath().toString());
    } catch (DeltaException | ModelException.Unsupported e) {
      line.put("refused", e.getMessage());
    }
    return line;
  }

  /** Whether padding changes what AdapterHub computes: gates, and DeBERTa's prompts, look at it. */
  private static boolean looksAtPadding(Wanted wanted, DeltaFormat format, Model model) {
    boolean prompts =
        format.name().equals("adapterhub") && wanted.expression().startsWith("prompt:");
    return wanted.expression().contains("use_gating")
        || (prompts && model.config().modelType().equals("deberta-v2"));
  }

  /** How far apart, relative to the largest; a prompt's own tokens have no counterpart. */
  private static double distance(Tensor logits, Tensor plain) {
    if (logits.elements() != plain.elements()) {
      return 1;
    }
    return Reduction.largestDifference(logits, plain)
        / Reduction.max(Arithmetic.absolute(plain)).item();
  }

  private static void move(Delta delta, Rng rng) {
    for (Parameter parameter : delta.parameters()) {
      try (Scope _ = Scope.open()) {
        Tensor value = parameter.value().detach();
        Tensor noise = rng.normal(NOISE, DType.F32, value.device(), value.shape());
        parameter.assign(Arithmetic.add(value, noise));
      }
    }
  }

  private static void saveLogits(Tensor logits, Path path) {
    LinkedHashMap<String, TensorData> tensors = new LinkedHashMap<>();
    tensors.put("logits", new TensorData(logits.dtype(), logits.shape(), logits.toBytes()));
    Safetensors.write(path, tensors, Map.of("format", "pt"));
  }

  private static List<Path> directories(Path models) {
    try (Stream<Path> list = Files.list(models)) {
      return list.filter(path -> Files.isRegularFile(path.resolve("io.safetensors")))
          .sorted()
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException("no models in " + models + "; see bench/interop/README.md", e);
    }
  }

  private static void save(Path path, Map<String, Object> json) {
    try {
      Files.createDirectories(path.getParent());
      Files.writeString(path, JsonMapper.shared().writeValueAsString(json));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String need(Map<String, String> options, String name) {
    String value = options.get(name);
    if (value == null) {
      throw new IllegalArgumentException("--" + name + " is missing; see bench/interop/README.md");
    }
    return value;
  }
}
