package io.trimtab.bench;

import io.trimtab.model.LanguageModel;
import io.trimtab.model.Models;
import io.trimtab.model.generate.GenerateOptions;
import io.trimtab.model.generate.TokenGenerator;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Engine;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import tools.jackson.databind.json.JsonMapper;

/**
 * Trimtab's side of the job {@code open-gguf} (bench/peers/README.md): opens a GGUF file, generates
 * greedily, and says how long each took and what the process held in memory then.
 *
 * <p>Arguments: {@code --model FILE --text TEXT --tokens N --dtype f32 --threads N}.
 */
public final class OpenGguf {
  private OpenGguf() {}

  /** Runs the job; the last line of standard output is a JSON object. */
  public static void main(String[] args) {
    Map<String, String> options = new HashMap<>();
    for (int i = 0; i + 1 < args.length; i += 2) {
      options.put(args[i].replaceFirst("^--", ""), args[i + 1]);
    }
    Path file = Path.of(options.getOrDefault("model", "model.gguf"));
    String text = options.getOrDefault("text", "");
    int tokens = Integer.parseInt(options.getOrDefault("tokens", "16"));
    DType dtype = DType.valueOf(options.getOrDefault("dtype", "f32").toUpperCase(Locale.ROOT));
    Engine.setThreads(Integer.parseInt(options.getOrDefault("threads", "1")));
    Map<String, Object> said = new LinkedHashMap<>();
    long start = System.nanoTime();
    try (LanguageModel model = Models.open(file.toString(), dtype, Device.CPU)) {
      said.put("open_seconds", seconds(start));
      said.put("after_open_mb", memory());
      int[] prompt = model.tokenizer().encodeWithoutSpecial(text).ids();
      long asked = System.nanoTime();
      GenerateOptions greedy =
          GenerateOptions.DEFAULT.withTokens(tokens, tokens).withEndTokens(Set.of());
      List<Integer> made =
          TokenGenerator.of(model.model()).generate(List.of(prompt), greedy).getFirst().tokens();
      said.put("generate_seconds", seconds(asked));
      said.put("after_generate_mb", memory());
      said.put("prompt", prompt);
      said.put("tokens", made);
    }
    System.out.println(JsonMapper.shared().writeValueAsString(said));
  }

  private static double seconds(long since) {
    return (System.nanoTime() - since) / 1e9;
  }

  /** What the kernel counts for this process, in megabytes: all, its own, and mapped files. */
  private static Map<String, Long> memory() {
    Map<String, String> fields =
        Map.of("VmRSS", "resident", "RssAnon", "anonymous", "RssFile", "file");
    Map<String, Long> out = new TreeMap<>();
    try {
      for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
        String[] words = line.split("[:\\s]+", 3);
        String field = fields.get(words[0]);
        if (field != null) {
          out.put(field, Long.parseLong(words[1]) / 1024);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return out;
  }
}
