package io.trimtab.delta;

import io.trimtab.hub.AtomicFiles;
import io.trimtab.hub.Safetensors;
import io.trimtab.hub.TensorData;
import io.trimtab.hub.TensorFile;
import io.trimtab.hub.TensorInfo;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Reduction;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.Supplier;
import tools.jackson.core.json.JsonWriteFeature;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * What all layouts of delta files have in common: every tensor of a file has a place and every
 * place a tensor, and the fingerprints of the base's tensors, which no layout has a field for, are
 * in the file's metadata.
 */
public final class DeltaTensors {
  /** What the names of the base's tensors have before them in a file's metadata. */
  public static final String BASE = "trimtab.base.";

  private DeltaTensors() {}

  /**
   * One tensor of a file.
   *
   * @param key its name there
   * @param value what is written, and what shape and type are expected
   * @param fill what is done with the one that is read
   */
  public record Entry(String key, Supplier<Tensor> value, Consumer<Tensor> fill) {
    /** A parameter, as it is. */
    public static Entry of(String key, Parameter parameter) {
      return new Entry(key, () -> parameter.value().detach(), parameter::assign);
    }

    /** The same under another name. */
    public Entry named(String other) {
      return new Entry(other, value, fill);
    }
  }

  /** A delta's parameters, and those of its constants that files hold. */
  public static List<Parameter> of(Delta delta) {
    List<Parameter> stored = new ArrayList<>(delta.parameters());
    delta.constants().stream().filter(delta.spec()::isStored).forEach(stored::add);
    return stored;
  }

  /** Writes the tensors of a delta, with the fingerprints of its base. */
  public static void write(Delta delta, List<Entry> entries, Path file) {
    LinkedHashMap<String, TensorData> tensors = new LinkedHashMap<>();
    try (Scope _ = Scope.open()) {
      for (Entry entry : entries) {
        Tensor value = entry.value().get();
        tensors.put(entry.key(), new TensorData(value.dtype(), value.shape(), value.toBytes()));
      }
      Map<String, String> metadata = new TreeMap<>(fingerprints(delta));
      metadata.put("format", "pt");
      Safetensors.write(file, tensors, metadata);
    }
  }

  /** The fingerprints of the base's tensors that the delta is on, as files carry them. */
  public static Map<String, String> fingerprints(Delta delta) {
    Map<String, String> out = new TreeMap<>();
    delta.baseTensors().forEach(name -> out.put(BASE + name, delta.base().fingerprint(name)));
    return out;
  }

  /** Writes settings as JSON. */
  public static void writeConfig(Map<String, Object> config, Path file) throws IOException {
    String json =
        JsonMapper.builder()
            .enable(SerializationFeature.INDENT_OUTPUT)
            .disable(JsonWriteFeature.ESCAPE_FORWARD_SLASHES)
            .build()
            .writeValueAsString(config);
    AtomicFiles.write(file, json + "\n");
  }

  /**
   * Fills a delta from a file.
   *
   * @param extra tells of a tensor without an entry whether it may be left over, since it says what
   *     another one says
   * @throws DeltaException for tensors that are missing, left over, or of a wrong shape
   * @throws DeltaException.BaseMismatch where it was tuned on other weights
   */
  public static void fill(
      Delta delta, List<Entry> entries, TensorFile file, Path path, Predicate<String> extra) {
    Set<String> left = new LinkedHashSet<>(file.names());
    List<String> missing = new ArrayList<>();
    try (Scope _ = Scope.open()) {
      for (Entry entry : entries) {
        if (left.remove(entry.key())) {
          entry.fill().accept(read(file, entry, path));
        } else {
          missing.add(entry.key());
        }
      }
    }
    left.removeIf(extra);
    if (!missing.isEmpty() || !left.isEmpty()) {
      throw new DeltaException(
          "found in "
              + path
              + (left.isEmpty() ? "" : " tensors with no place in this model: " + some(left))
              + (missing.isEmpty() ? "" : " no tensor " + some(missing))
              + ", expected exactly the tensors that its settings describe; the file is damaged or"
              + " for another model");
    }
    checkBase(delta, file.metadata(), path);
  }

  private static Tensor read(TensorFile file, Entry entry, Path path) {
    String key = entry.key();
    TensorInfo info = file.info(key);
    Tensor place = entry.value().get();
    boolean floating = place.dtype().isFloating();
    if (!Arrays.equals(info.shape(), place.shape()) || info.dtype().isFloating() != floating) {
      throw new DeltaException(
          "found "
              + info
              + " in "
              + path
              + (floating ? ", expected floating-point numbers" : ", expected whole numbers")
              + " of shape "
              + Arrays.toString(place.shape()));
    }
    Tensor tensor = Creation.copyOf(file.bytes(key), info.dtype(), info.shape());
    if (floating && !Reduction.allFinite(tensor)) {
      throw new DeltaException(
          "found numbers that are not finite in "
              + key
              + " of "
              + path
              + ", expected finite ones; the training run that wrote it diverged");
    }
    return tensor;
  }

  /**
   * Compares the fingerprints that a file carries with the model's; a file may carry none.
   *
   * @throws DeltaException.BaseMismatch where it was tuned on other weights
   */
  public static void checkBase(Delta delta, Map<String, String> metadata, Path path) {
    List<String> different = new ArrayList<>();
    for (String name : delta.baseTensors()) {
      String recorded = metadata.get(BASE + name);
      if (recorded != null && !recorded.equals(delta.base().fingerprint(name))) {
        different.add(name);
      }
    }
    if (!different.isEmpty()) {
      throw new DeltaException.BaseMismatch(
          "found a delta in "
              + path
              + " that was tuned on other weights than "
              + delta.base().name()
              + " has ("
              + some(different)
              + "), expected the same base; open the model it was tuned on");
    }
  }

  private static String some(Collection<String> names) {
    List<String> list = List.copyOf(names);
    return String.join(", ", list.subList(0, Math.min(3, list.size())))
        + (list.size() > 3 ? " and " + (list.size() - 3) + " more" : "");
  }
}
