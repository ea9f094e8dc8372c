package io.trimtab.delta.gguf;

import com.google.auto.service.AutoService;
import io.trimtab.delta.Address;
import io.trimtab.delta.Delta;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaFormat;
import io.trimtab.delta.DeltaTensors;
import io.trimtab.delta.lora.Lora;
import io.trimtab.hub.HubException;
import io.trimtab.hub.gguf.GgufAdapter;
import io.trimtab.model.Model;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * llama.cpp's adapters: one GGUF file with LoRA's matrices and one alpha, of which each layer gets
 * alpha over its own rank. Scales that differ between layers, and rsLoRA's, are folded into alpha
 * and B. Rows of B follow llama.cpp's order of a layer's rows.
 */
@AutoService(DeltaFormat.class)
public final class GgufFormat implements DeltaFormat {
  /** The file in a directory that is written. */
  public static final String FILE = "adapter.gguf";

  private static final String BASE = "trimtab.model";
  private static final String DOWN = ".lora_A.weight";
  private static final String UP = ".lora_B.weight";

  @Override
  public String name() {
    return "gguf";
  }

  @Override
  public String files() {
    return "a .gguf file that holds a LoRA, or a directory with one";
  }

  @Override
  public boolean recognises(Path path) {
    return !candidates(path).isEmpty();
  }

  private static List<Path> candidates(Path path) {
    if (Files.isRegularFile(path)) {
      return isAdapter(path) ? List.of(path) : List.of();
    }
    if (!Files.isDirectory(path) || isOfAnotherLayout(path)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(path)) {
      return files.filter(GgufFormat::isAdapter).sorted().toList();
    } catch (IOException e) {
      throw new DeltaException("cannot read " + path + ": " + e, e);
    }
  }

  /** Beside the description of another delta, or of a model, a GGUF file is a stray one. */
  private static boolean isOfAnotherLayout(Path directory) {
    return Stream.of("adapter_config.json", "config.json")
        .anyMatch(name -> Files.isRegularFile(directory.resolve(name)));
  }

  private static boolean isAdapter(Path file) {
    return file.toString().endsWith(".gguf")
        && Files.isRegularFile(file)
        && GgufAdapter.isAdapter(file);
  }

  @Override
  public String base(Path path) {
    Path file = file(path);
    String name = GgufAdapter.text(file, BASE);
    if (name.isEmpty()) {
      throw new DeltaException(
          "found no name of a base in "
              + file
              + ", expected one written by Trimtab; name the model with --model");
    }
    return name;
  }

  private static Path file(Path path) {
    List<Path> files = candidates(path);
    if (files.size() != 1) {
      throw new DeltaException(
          "found %d .gguf files at %s, expected one; name the file".formatted(files.size(), path));
    }
    return files.getFirst();
  }

  @Override
  public Delta load(Path path, Model model) {
    Path file = file(path);
    GgufAdapter adapter;
    try {
      adapter = GgufAdapter.read(file, model.config());
    } catch (HubException.Unsupported e) {
      throw new DeltaException.Unsupported(String.valueOf(e.getMessage()));
    }
    SequencedMap<String, GgufAdapter.Pair> layers = new LinkedHashMap<>();
    adapter.layers().forEach((layer, pair) -> layers.put(path(layer, model, file), pair));
    Delta delta = spec(adapter.alpha(), layers).attach(model, Rng.seeded(0)); // all is overwritten
    try (Scope _ = Scope.open()) {
      Map<String, Parameter> left = new HashMap<>();
      DeltaTensors.of(delta).forEach(parameter -> left.put(parameter.name(), parameter));
      layers.forEach(
          (layer, pair) -> {
            assign(left.remove(layer + DOWN), pair.down(), layer, file);
            assign(left.remove(layer + UP), pair.up(), layer, file);
          });
      DeltaTensors.checkBase(delta, adapter.notes(), file);
      return delta;
    } catch (RuntimeException e) {
      delta.close();
      throw e;
    }
  }

  /** The layer's path in the model: below a head, names may begin with the encoder's. */
  private static String path(String layer, Model model, Path file) {
    for (String candidate : List.of(layer, model.config().modelType() + "." + layer)) {
      if (model.layer(candidate).isPresent()) {
        return candidate;
      }
    }
    throw new DeltaException(
        "found matrices for "
            + layer
            + " in "
            + file
            + ", expected a layer of "
            + model.name()
            + "; open the model it was tuned on");
  }

  private static Lora spec(double alpha, SequencedMap<String, GgufAdapter.Pair> layers) {
    int rank = layers.firstEntry().getValue().rank();
    Map<String, Integer> others = new LinkedHashMap<>();
    layers.forEach(
        (layer, pair) -> {
          if (pair.rank() != rank) {
            others.put(layer, pair.rank());
          }
        });
    return Lora.rank(rank)
        .alpha(alpha)
        .patterns(others, Map.of())
        .on(Address.suffixes(List.copyOf(layers.keySet())));
  }

  private static void assign(
      @org.jspecify.annotations.Nullable Parameter parameter,
      float[] values,
      String layer,
      Path file) {
    if (parameter == null || parameter.value().elements() != values.length) {
      throw new DeltaException(
          "found "
              + values.length
              + " numbers for "
              + layer
              + " in "
              + file
              + ", expected as many as the layer's LoRA has; open the model it was tuned on");
    }
    for (float value : values) {
      if (!Float.isFinite(value)) {
        throw new DeltaException(
            "found numbers that are not finite for " + layer + " in " + file + ", expected finite");
      }
    }
    long[] shape = parameter.value().shape();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment bytes = arena.allocateFrom(ValueLayout.JAVA_FLOAT, values);
      parameter.assign(Creation.copyOf(bytes, DType.F32, shape));
    }
  }

  @Override
  public void save(Delta delta, Path directory) {
    Delta stored = delta.spec().toStore(delta);
    try {
      write(stored, directory);
    } finally {
      if (stored != delta) {
        stored.close();
      }
    }
  }

  private static void write(Delta delta, Path directory) {
    if (!(delta.spec() instanceof Lora lora)) {
      throw new DeltaException.Unsupported(
          "found a delta of type "
              + delta.spec().peftType()
              + ", expected LoRA, which GGUF adapters hold alone; convert it to LoRA, or merge it");
    }
    if (!lora.targets().modulesToSave().isEmpty()) {
      throw new DeltaException.Unsupported(
          "found modules_to_save "
              + lora.targets().modulesToSave()
              + ", expected none: GGUF adapters hold no whole modules; merge it");
    }
    if (lora.dora()) {
      throw new DeltaException.Unsupported(
          "found use_dora, expected plain LoRA: GGUF adapters hold no magnitudes; convert it to"
              + " LoRA");
    }
    Map<String, Parameter> left = new TreeMap<>();
    DeltaTensors.of(delta).forEach(parameter -> left.put(parameter.name(), parameter));
    SequencedMap<String, GgufAdapter.Pair> layers = new LinkedHashMap<>();
    Map<String, Double> scales = new HashMap<>();
    for (String name : new ArrayList<>(left.keySet())) {
      String layer = name.endsWith(DOWN) ? name.substring(0, name.length() - DOWN.length()) : "";
      Parameter up = left.get(layer + UP);
      Parameter down = left.get(name);
      if (!layer.isEmpty() && up != null && down != null) {
        int rank = (int) down.value().size(0);
        layers.put(layer, new GgufAdapter.Pair(rank, floats(down), floats(up)));
        scales.put(layer, lora.scaling().scale(layer));
        left.remove(name);
        left.remove(layer + UP);
      }
    }
    if (!left.isEmpty()) {
      throw new DeltaException.Unsupported(
          "found "
              + String.join(", ", left.keySet().stream().limit(3).toList())
              + ", expected the two matrices of linear layers alone, which GGUF adapters hold;"
              + " convert it to LoRA, or merge it");
    }
    try {
      Files.createDirectories(directory);
      Map<String, String> notes = new TreeMap<>(DeltaTensors.fingerprints(delta));
      notes.put(BASE, delta.base().name());
      GgufAdapter.scaled(layers, scales)
          .with(notes)
          .write(delta.base().config(), directory.resolve(FILE));
    } catch (HubException.Unsupported e) {
      throw new DeltaException.Unsupported(String.valueOf(e.getMessage()));
    } catch (IOException e) {
      throw new DeltaException("cannot write to " + directory + ": " + e, e);
    }
  }

  private static float[] floats(Parameter parameter) {
    try (Scope _ = Scope.open()) {
      return parameter
          .value()
          .detach()
          .to(DType.F32)
          .toBytes()
          .toArray(ValueLayout.JAVA_FLOAT_UNALIGNED);
    }
  }
}
