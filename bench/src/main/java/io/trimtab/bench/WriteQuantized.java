package io.trimtab.bench;

import io.trimtab.hub.HubException;
import io.trimtab.hub.ModelDirectory;
import io.trimtab.hub.Quantizer;
import io.trimtab.hub.Safetensors;
import io.trimtab.hub.TensorData;
import io.trimtab.model.Model;
import io.trimtab.model.ModelException;
import io.trimtab.model.OpenOptions;
import io.trimtab.model.Patches;
import io.trimtab.model.quantized.QuantizedDirectory;
import io.trimtab.model.weights.WeightForm;
import io.trimtab.tensor.Engine;
import io.trimtab.tensor.Gradients;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import io.trimtab.train.parity.Recorded;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import tools.jackson.databind.json.JsonMapper;

/**
 * Trimtab's side of {@code bench/interop/check quantized}: every model of a folder as directories
 * with packed weights, and the logits that Trimtab computes with what it reads of them.
 *
 * <p>Arguments: {@code MODELS OUT}. The directories are {@code OUT/FORM/MODEL}, the logits {@code
 * OUT/FORM/MODEL.safetensors}.
 */
public final class WriteQuantized {
  private record Layout(String form, Quantizer quantizer, boolean nested) {}

  private static final List<Layout> LAYOUTS =
      List.of(
          new Layout("nf4", Quantizer.NF4, false),
          new Layout("nf4-double-quant", Quantizer.NF4, true),
          new Layout("int8", Quantizer.INT8, false),
          new Layout("int4", Quantizer.INT4, false));

  private WriteQuantized() {}

  /** Writes the directories and {@code written.json}, which says what was written and what not. */
  public static void main(String[] args) throws IOException {
    Path models = Path.of(args[0]);
    Path out = Path.of(args[1]);
    Engine.setThreads(1); // models this small only wait for more
    List<Map<String, Object>> cases = new ArrayList<>();
    try (Stream<Path> list = Files.list(models)) {
      for (Path model : list.sorted().toList()) {
        for (Layout layout : LAYOUTS) {
          cases.add(write(model, layout, out.resolve(layout.form())));
        }
      }
    }
    Files.writeString(
        out.resolve("written.json"),
        JsonMapper.shared().writeValueAsString(Map.of("cases", cases)));
  }

  private static Map<String, Object> write(Path model, Layout layout, Path out) throws IOException {
    Map<String, Object> line = new LinkedHashMap<>();
    String name = String.valueOf(model.getFileName());
    line.put("form", layout.form());
    line.put("model", name);
    Files.createDirectories(out);
    Path directory = out.resolve(name);
    try {
      QuantizedDirectory.write(
          name, ModelDirectory.of(model), layout.quantizer(), layout.nested(), directory);
    } catch (HubException.Unsupported | ModelException.Unsupported e) {
      line.put("refused", String.valueOf(e.getMessage()));
      return line;
    }
    ModelDirectory files = ModelDirectory.of(directory);
    OpenOptions stored = OpenOptions.DEFAULT.weights(WeightForm.STORED);
    Path logits = out.resolve(name + ".safetensors");
    Gradients.none(
        () -> {
          try (Model packed = Model.build(name, files.config(), files.tensors(), stored);
              Recorded io = Recorded.open(model.resolve("io.safetensors"));
              Scope _ = Scope.open()) {
            save(io.logits(packed, true, Patches.NONE), logits);
            return line;
          }
        });
    line.put("directory", directory.toAbsolutePath().toString());
    line.put("logits", logits.toAbsolutePath().toString());
    return line;
  }

  private static void save(Tensor logits, Path path) {
    TensorData data = new TensorData(logits.dtype(), logits.shape(), logits.toBytes());
    LinkedHashMap<String, TensorData> tensors = new LinkedHashMap<>(Map.of("logits", data));
    Safetensors.write(path, tensors, Map.of("format", "pt"));
  }
}
