package io.trimtab.model;

import io.trimtab.hub.TensorFile;
import io.trimtab.hub.TensorInfo;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Hands a checkpoint's tensors to an {@link Architecture} under their own names and keeps count, so
 * that a tensor nobody asked for is found out.
 */
public final class Weights {
  /** Names that old checkpoints use for the two tensors of a norm. */
  private static final Map<String, String> OLD_NAMES = Map.of("weight", "gamma", "bias", "beta");

  private final TensorFile file;
  private final DType dtype;
  private final Device device;
  private final Map<String, Tensor> loaded = new HashMap<>();
  private final Map<String, String> stored = new HashMap<>();
  private final Set<String> used = new HashSet<>();
  private final Set<String> transposed = new HashSet<>();

  private final Map<String, Tensor> shared;
  private final Map<String, Tensor> changed;

  Weights(TensorFile file, DType dtype, Device device) {
    this(file, dtype, device, Map.of(), Map.of());
  }

  /** Weights of which some are {@code changed} and others {@code shared} with another model. */
  Weights(
      TensorFile file,
      DType dtype,
      Device device,
      Map<String, Tensor> shared,
      Map<String, Tensor> changed) {
    this.file = file;
    this.dtype = dtype;
    this.device = device;
    this.shared = shared;
    this.changed = changed;
  }

  /** Whether the checkpoint has a tensor of this name. */
  public boolean has(String name) {
    return changed.containsKey(name)
        || shared.containsKey(name)
        || file.names().contains(name)
        || file.names().contains(oldName(name));
  }

  /** A linear layer: {@code path.weight} [out, in] and {@code path.bias} [out]. */
  public Linear linear(String path) {
    return new Linear(path, new Weight.Dense(tensor(path + ".weight")), tensor(path + ".bias"));
  }

  /** The same, with or without bias as the configuration says. */
  public Linear linear(String path, boolean bias) {
    return new Linear(
        path, new Weight.Dense(tensor(path + ".weight")), bias ? tensor(path + ".bias") : null);
  }

  /**
   * A linear layer with bias whose matrix is stored the other way round, [in, out], as GPT-2 has
   * it. Everyone but the file sees [out, in]: a view, no copy.
   */
  public Linear linearTransposed(String path) {
    String name = path + ".weight";
    transposed.add(name);
    return new Linear(path, new Weight.Dense(tensor(name)), tensor(path + ".bias"));
  }

  /**
   * The same, without bias where the checkpoint has none: for architectures that may go without.
   */
  public Linear linearAsStored(String path) {
    return new Linear(path, new Weight.Dense(tensor(path + ".weight")), optional(path + ".bias"));
  }

  /**
   * A head whose matrix is the embedding's table, unless the checkpoint has one of its own and the
   * model is not tied.
   *
   * @param biasName the tensor of its bias, which may have another name than the layer's
   */
  public Linear decoder(String path, Embedding words, String biasName, boolean tied) {
    ignore(path + ".bias");
    boolean untied = changed.containsKey(path + ".weight") || shared.containsKey(path + ".weight");
    if (tied && !untied) {
      ignore(path + ".weight");
      Weight shared = new Weight.Dense(words.table());
      return new Linear(path, shared, optional(biasName), words.tableName(), biasName);
    }
    Weight own = new Weight.Dense(tensor(path + ".weight"));
    return new Linear(path, own, optional(biasName), path + ".weight", biasName);
  }

  /** A norm: {@code path.weight} [n] and {@code path.bias} [n]. */
  public Norm norm(String path, double epsilon) {
    return new Norm(path, tensor(path + ".weight"), tensor(path + ".bias"), epsilon);
  }

  /**
   * The same, without bias where the checkpoint has none: for architectures that may go without.
   */
  public Norm normAsStored(String path, double epsilon) {
    return new Norm(path, tensor(path + ".weight"), optional(path + ".bias"), epsilon);
  }

  /** A norm of a given kind: {@code path.weight} [n], with {@code path.bias} if of layers. */
  public Norm norm(String path, Norm.Kind kind, double epsilon) {
    return kind == Norm.Kind.LAYER
        ? norm(path, epsilon)
        : new Norm(path, kind, tensor(path + ".weight"), null, epsilon);
  }

  /** An embedding table: {@code path.weight} [rows, size]. */
  public Embedding embedding(String path) {
    return new Embedding(path, tensor(path + ".weight"));
  }

  /** A tensor, or null where the checkpoint has none of that name. */
  public @Nullable Tensor optional(String name) {
    return has(name) ? tensor(name) : null;
  }

  /** A tensor; an error that says what was looked for where there is none. */
  public Tensor tensor(String name) {
    Tensor known = loaded.get(name);
    if (known != null) {
      return known;
    }
    Tensor replacement = changed.get(name);
    if (replacement != null) {
      loaded.put(name, replacement);
      return replacement;
    }
    Tensor other = shared.get(name);
    if (other != null && !file.names().contains(name) && !file.names().contains(oldName(name))) {
      loaded.put(name, other); // one that the other model was given in its turn
      return other;
    }
    String inFile = file.names().contains(name) ? name : oldName(name);
    TensorInfo info = file.info(file.names().contains(inFile) ? inFile : name);
    used.add(info.name());
    stored.put(name, info.name());
    Tensor tensor = other == null ? load(info, transposed.contains(name)) : other;
    loaded.put(name, tensor);
    return tensor;
  }

  private Tensor load(TensorInfo info, boolean turned) {
    MemorySegment bytes = file.bytes(info.name());
    Tensor tensor;
    boolean copied;
    try (Scope scope = Scope.open()) {
      Tensor plain = Creation.borrow(bytes, info.dtype(), info.shape());
      Tensor converted = info.dtype().isFloating() ? plain.to(dtype) : plain;
      Tensor placed = converted.to(device);
      copied = placed != plain;
      if (copied && bytes.isMapped()) {
        bytes.unload(); // the file's own is not read again
      }
      tensor = scope.keep(turned ? placed.transpose(0, 1) : placed).held();
    }
    if (copied) {
      file.release(info.name()); // nor what was computed of it
    }
    return tensor;
  }

  /** Allows tensors of these names to be there unused: what this model class does not compute. */
  public void ignore(String... names) {
    for (String name : names) {
      if (name.endsWith(".")) {
        file.names().stream().filter(each -> each.startsWith(name)).forEach(used::add);
      } else {
        used.add(name);
      }
    }
  }

  /** Where the tensors handed out come from, and which of them the model frees. */
  Stored stored() {
    return new Stored(
        file,
        Map.copyOf(stored),
        Set.copyOf(transposed),
        List.copyOf(ownsFile() ? loaded.values() : changed.values()),
        ownsFile());
  }

  private boolean ownsFile() {
    return shared.isEmpty();
  }

  /** Refuses changes of tensors that no layer asked for. */
  void checkAllChanged() {
    List<String> left = new ArrayList<>(changed.keySet());
    left.removeAll(loaded.keySet());
    if (!left.isEmpty()) {
      left.sort(null);
      throw new ModelException(
          "found replacements for tensors that this model does not have ("
              + String.join(", ", left)
              + "), expected names of Model.tensors(), or that of a tied head's matrix");
    }
  }

  /** Frees what was loaded for a model that could not be built. */
  void release() {
    if (ownsFile()) {
      loaded.values().forEach(Tensor::close);
    }
  }

  /** Refuses a checkpoint with tensors that no layer asked for. */
  void checkAllUsed() {
    List<String> left = new ArrayList<>(file.names());
    left.removeAll(used);
    if (!left.isEmpty()) {
      throw new ModelException(
          "found "
              + left.size()
              + " tensors in the checkpoint that this architecture does not use ("
              + String.join(", ", left.subList(0, Math.min(4, left.size())))
              + (left.size() > 4 ? ", …" : "")
              + "), expected every tensor to have a place; check model_type and architectures in"
              + " config.json");
    }
  }

  private static String oldName(String name) {
    int dot = name.lastIndexOf('.');
    String old = OLD_NAMES.get(name.substring(dot + 1));
    return old == null || !name.contains("LayerNorm") ? name : name.substring(0, dot + 1) + old;
  }
}
