package io.trimtab.bench;

import io.trimtab.delta.Delta;
import io.trimtab.delta.DeltaFiles;
import io.trimtab.delta.DeltaMethod;
import io.trimtab.delta.DeltaMethods;
import io.trimtab.model.Model;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Rng;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import tools.jackson.databind.json.JsonMapper;

/**
 * Where the job {@code methods} starts from: a delta of every method's usual settings, and for
 * those that a peer has too the directory that both sides load, so that both compute the same
 * numbers.
 *
 * <p>Arguments: {@code --model DIR --methods A,B|all --types P,Q --out DIR}; {@code types} are the
 * peer's.
 */
public final class MethodStarts {
  private MethodStarts() {}

  /** Writes the starts; the last line of standard output says which methods there are. */
  public static void main(String[] args) {
    Map<String, String> options = new HashMap<>();
    for (int i = 0; i + 1 < args.length; i += 2) {
      options.put(args[i].replaceFirst("^--", ""), args[i + 1]);
    }
    String wanted = options.getOrDefault("methods", "all");
    Set<String> types = Set.of(options.getOrDefault("types", "").split(","));
    List<DeltaMethod> methods =
        wanted.equals("all")
            ? DeltaMethods.all().stream().filter(DeltaMethod::standsAlone).toList()
            : List.of(wanted.split(",")).stream().map(DeltaMethods::named).toList();
    Map<String, Object> found = new LinkedHashMap<>();
    try (Model model = TuneBert.open(Path.of(options.getOrDefault("model", ".")), DType.F32)) {
      for (DeltaMethod method : methods) {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("peft_type", method.peftType());
        line.put("shared", false);
        if (types.contains(method.peftType())) {
          try (Delta delta = attach(method.name(), model)) {
            // A prompt whose network is not in its file would go on without it: other work.
            if (delta.spec().toStore(delta) == delta) {
              Path directory = Path.of(options.getOrDefault("out", ".")).resolve(method.name());
              DeltaFiles.save(delta, directory);
              line.put("shared", true);
              line.put("start", directory.toString());
            }
          }
        }
        found.put(method.name(), line);
      }
    }
    System.out.println(JsonMapper.shared().writeValueAsString(found));
  }

  /** A new delta of a method's usual settings; the same each time. */
  static Delta attach(String method, Model model) {
    return DeltaMethods.named(method).fromOptions(Map.of(), model).attach(model, Rng.seeded(0));
  }
}
