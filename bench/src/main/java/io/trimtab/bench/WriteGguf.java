package io.trimtab.bench;

import io.trimtab.delta.Delta;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaFormats;
import io.trimtab.delta.gguf.GgufFormat;
import io.trimtab.hub.HubException;
import io.trimtab.hub.ModelConfig;
import io.trimtab.hub.ModelDirectory;
import io.trimtab.hub.blocks.BlockFormat;
import io.trimtab.hub.gguf.GgufExport;
import io.trimtab.model.Model;
import io.trimtab.model.ModelException;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import tools.jackson.databind.json.JsonMapper;

/**
 * Trimtab's side of {@code bench/interop/check gguf}: every model of a folder, and every LoRA of
 * another folder, as GGUF files for llama.cpp to load.
 *
 * <p>Arguments: {@code --models DIR --adapters DIR --out DIR --types F32,Q8_0}.
 */
public final class WriteGguf {
  private WriteGguf() {}

  /** Writes {@code NAME.TYPE.gguf} and {@code written.json}, which says what was written. */
  public static void main(String[] args) {
    Map<String, String> options = new HashMap<>();
    for (int i = 0; i + 1 < args.length; i += 2) {
      options.put(args[i].replaceFirst("^--", ""), args[i + 1]);
    }
    Path models = Path.of(options.getOrDefault("models", "models"));
    Path adapters = Path.of(options.getOrDefault("adapters", "adapters"));
    Path out = Path.of(options.getOrDefault("out", "out"));
    List<Map<String, Object>> cases = new ArrayList<>();
    try {
      Files.createDirectories(out);
      for (Path directory : directories(models, "config.json")) {
        for (String type : options.getOrDefault("types", "F32").split(",", -1)) {
          cases.add(model(directory, type.toUpperCase(Locale.ROOT), out));
        }
      }
      for (Path directory : directories(adapters, "adapter_config.json")) {
        ModelConfig config = ModelConfig.read(directory.resolve("adapter_config.json"));
        if (config.text("peft_type", "").equals("LORA")) {
          cases.add(adapter(directory, models, out));
        }
      }
      Files.writeString(
          out.resolve("written.json"),
          JsonMapper.shared().writeValueAsString(Map.of("cases", cases)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Map<String, Object> model(Path directory, String type, Path out) {
    Map<String, Object> said = new LinkedHashMap<>();
    String name = String.valueOf(directory.getFileName());
    said.put("model", name);
    said.put("type", type);
    Path file = out.resolve(name + "." + type + ".gguf");
    try {
      GgufExport.write(ModelDirectory.of(directory), BlockFormat.valueOf(type), file);
      said.put("file", String.valueOf(file.getFileName()));
    } catch (HubException.Unsupported e) {
      said.put("refused", String.valueOf(e.getMessage()));
    }
    return said;
  }

  private static Map<String, Object> adapter(Path directory, Path models, Path out) {
    Map<String, Object> said = new LinkedHashMap<>();
    String name = String.valueOf(directory.getFileName());
    String base = ModelConfig.read(directory.resolve("io.json")).text("base");
    said.put("model", base);
    said.put("type", name);
    Path folder = out.resolve(name);
    try (Model model = open(models.resolve(base));
        Delta delta = DeltaFormats.named("peft").load(directory, model)) {
      DeltaFormats.named("gguf").save(delta, folder);
      said.put("adapter", name + "/" + GgufFormat.FILE);
    } catch (HubException.Unsupported | ModelException.Unsupported | DeltaException.Unsupported e) {
      said.put("refused", String.valueOf(e.getMessage()));
    }
    return said;
  }

  private static Model open(Path directory) {
    ModelDirectory files = ModelDirectory.of(directory);
    String name = String.valueOf(directory.getFileName());
    return Model.build(name, files.config(), files.tensors(), DType.F32, Device.CPU);
  }

  private static List<Path> directories(Path folder, String file) throws IOException {
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    try (Stream<Path> all = Files.list(folder)) {
      return all.filter(path -> Files.isRegularFile(path.resolve(file))).sorted().toList();
    }
  }
}
