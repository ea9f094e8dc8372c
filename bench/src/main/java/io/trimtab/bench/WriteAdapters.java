package io.trimtab.bench;

import io.trimtab.delta.Delta;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaFiles;
import io.trimtab.delta.DeltaMethod;
import io.trimtab.delta.DeltaMethods;
import io.trimtab.hub.Safetensors;
import io.trimtab.hub.TensorData;
import io.trimtab.model.Batch;
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
import java.util.stream.Stream;
import tools.jackson.databind.json.JsonMapper;

/**
 * Trimtab's side of {@code bench/interop/check peft}: adapters for another library to load. For
 * every delta method of the types asked for, over every model of a folder that opens: attach with
 * default options, move all parameters, save, and compute the logits for the folder's inputs.
 *
 * <p>Arguments: {@code --models DIR --out DIR --types A,B --prompts B --seed N}; {@code prompts}
 * are those of the types that other libraries compute without token types.
 */
public final class WriteAdapters {
  /** What is written beside an adapter's own files. */
  private static final String LOGITS = "ours.safetensors";

  /**
   * Larger moves of methods with large scales drive attention to where rounding is all one sees.
   */
  private static final double NOISE = 0.05;

  private WriteAdapters() {}

  /** Writes the adapters and {@code written.json}, which says what was written and what was not. */
  public static void main(String[] args) {
    Map<String, String> options = new HashMap<>();
    for (int i = 0; i + 1 < args.length; i += 2) {
      options.put(args[i].replaceFirst("^--", ""), args[i + 1]);
    }
    Path models = Path.of(need(options, "models"));
    Path out = Path.of(need(options, "out"));
    Set<String> types = Set.of(need(options, "types").split(","));
    Set<String> prompts = Set.of(options.getOrDefault("prompts", "").split(","));
    long seed = Long.parseLong(options.getOrDefault("seed", "1"));
    Engine.setThreads(1); // models this small only wait for more
    List<DeltaMethod> methods =
        DeltaMethods.all().stream().filter(method -> types.contains(method.peftType())).toList();
    List<Map<String, Object>> cases = new ArrayList<>();
    Map<String, String> unread = new LinkedHashMap<>();
    for (Path directory : directories(models)) {
      String name = directory.getFileName().toString();
      try (Model model = Recorded.model(directory);
          Recorded io = Recorded.open(directory.resolve("io.safetensors"))) {
        for (DeltaMethod method : methods) {
          Path adapter = out.resolve(method.name()).resolve(name);
          boolean tokenTypes = !prompts.contains(method.peftType());
          cases.add(write(method, model, io, tokenTypes, adapter, seed));
        }
        System.err.println(name + ": " + methods.size() + " methods");
      } catch (ModelException.Unsupported e) {
        unread.put(name, e.getMessage());
      }
    }
    save(out.resolve("written.json"), Map.of("cases", cases, "unread_models", unread));
  }

  private static Map<String, Object> write(
      DeltaMethod method, Model model, Recorded io, boolean tokenTypes, Path adapter, long seed) {
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("method", method.name());
    line.put("peft_type", method.peftType());
    line.put("model", model.name());
    line.put("token_types", tokenTypes);
    try (Delta delta = method.fromOptions(Map.of(), model).attach(model, Rng.seeded(seed))) {
      move(delta, Rng.seeded(seed));
      DeltaFiles.save(delta, adapter);
      Gradients.none(
          () -> {
            try (Scope _ = Scope.open()) {
              Batch batch = io.batch("", tokenTypes);
              Tensor logits = Recorded.logits(model, batch, delta.patches());
              Tensor plain = Recorded.logits(model, batch, Patches.NONE);
              saveLogits(logits, adapter.resolve(LOGITS));
              line.put("moved", distance(logits, plain));
              return line;
            }
          });
      line.put("parameters", delta.count());
      line.put("adapter", adapter.toAbsolutePath().toString());
    } catch (DeltaException e) {
      line.put("refused", e.getMessage());
    }
    return line;
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
