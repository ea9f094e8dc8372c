package io.trimtab.bench;

import io.trimtab.hub.HubException;
import io.trimtab.hub.ModelConfig;
import io.trimtab.hub.ModelDirectory;
import io.trimtab.hub.Safetensors;
import io.trimtab.hub.TensorFile;
import io.trimtab.hub.blocks.BlockFormat;
import io.trimtab.hub.gguf.GgufAdapter;
import io.trimtab.hub.gguf.GgufExport;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SequencedMap;
import java.util.stream.Stream;
import tools.jackson.databind.json.JsonMapper;

/**
 * Trimtab's side of {@code bench/interop/check gguf}: every model of a folder, and every plain LoRA
 * of another folder, as GGUF files for llama.cpp to load.
 *
 * <p>Arguments: {@code --models DIR --adapters DIR --out DIR --types F32,Q8_0}.
 */
public final class WriteGguf {
  private static final String PREFIX = "base_model.model.";
  private static final String DOWN = ".lora_A.weight";
  private static final String UP = ".lora_B.weight";

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
          cases.add(adapter(directory, config, models, out));
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

  private static Map<String, Object> adapter(
      Path directory, ModelConfig config, Path models, Path out) {
    Map<String, Object> said = new LinkedHashMap<>();
    String name = String.valueOf(directory.getFileName());
    String base = ModelConfig.read(directory.resolve("io.json")).text("base");
    said.put("model", base);
    said.put("type", name);
    Path file = out.resolve(name + ".adapter.gguf");
    try (TensorFile tensors = Safetensors.open(directory.resolve("adapter_model.safetensors"))) {
      SequencedMap<String, GgufAdapter.Pair> layers = new LinkedHashMap<>();
      for (String key : tensors.names()) {
        if (key.endsWith(DOWN)) {
          String path = key.substring(PREFIX.length(), key.length() - DOWN.length());
          int rank = (int) tensors.info(key).shape()[0];
          layers.put(
              path,
              new GgufAdapter.Pair(
                  rank, floats(tensors, key), floats(tensors, PREFIX + path + UP)));
        }
      }
      if (2 * layers.size() != tensors.names().size() || config.flag("use_dora", false)) {
        said.put("refused", "more than pairs of matrices");
        return said;
      }
      int rank = config.integer("r");
      double root = config.flag("use_rslora", false) ? Math.sqrt(rank) : 1;
      new GgufAdapter(config.decimal("lora_alpha") * root, layers)
          .write(ModelDirectory.of(models.resolve(base)).config(), file);
      said.put("adapter", String.valueOf(file.getFileName()));
    } catch (HubException.Unsupported e) {
      said.put("refused", String.valueOf(e.getMessage()));
    }
    return said;
  }

  private static float[] floats(TensorFile tensors, String name) {
    return tensors.bytes(name).toArray(ValueLayout.JAVA_FLOAT_UNALIGNED);
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
