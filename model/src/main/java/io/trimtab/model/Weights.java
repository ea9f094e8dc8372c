package io.trimtab.model;

import io.trimtab.hub.TensorFile;
import io.trimtab.hub.TensorInfo;
import io.trimtab.model.weights.Weight;
import io.trimtab.tensor.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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
  private final Matrices matrices;
  private final Map<String, Weight> held = new HashMap<>();
  private final Map<String, Tensor> loaded = new HashMap<>();
  private final Map<String, String> stored = new HashMap<>();
  private final Set<String> used = new HashSet<>();
  private final Set<String> transposed = new HashSet<>();

  private final @Nullable Shared other;
  private final Map<String, Tensor> changed;

  /**
   * What another model lends.
   *
   * @param tensors its plain tensors
   * @param matrices its matrices that are not held as plain numbers
   * @param inPlace the names in the file of what is read where the file has it
   */
  record Shared(Map<String, Tensor> tensors, Map<String, Weight> matrices, Set<String> inPlace) {}

  Weights(TensorFile file, OpenOptions options) {
    this(file, options, null, Map.of());
  }

  /** Weights of which some are {@code changed} and others shared with another model. */
  Weights(
      TensorFile file, OpenOptions options, @Nullable Shared other, Map<String, Tensor> changed) {
    this.file = file;
    this.matrices = new Matrices(file, options);
    this.other = other;
    this.changed = changed;
  }

  private boolean isShared(String name) {
    return other != null
        && (other.tensors().containsKey(name) || other.matrices().containsKey(name));
  }

  /** Whether the checkpoint has a tensor of this name. */
  public boolean has(String name) {
    return changed.containsKey(name)
        || isShared(name)
        || file.names().contains(name)
        || file.names().contains(oldName(name));
  }

  /** A linear layer: {@code path.weight} [out, in] and {@code path.bias} [out]. */
  public Linear linear(String path) {
    return new Linear(path, matrix(path), tensor(path + ".bias"));
  }

  /** The same, with or without bias as the configuration says. */
  public Linear linear(String path, boolean bias) {
    return new Linear(path, matrix(path), bias ? tensor(path + ".bias") : null);
  }

  /**
   * A linear layer with bias whose matrix is stored the other way round, [in, out], as GPT-2 has
   * it. Everyone but the file sees [out, in]: where it is held plain, a view, no copy.
   */
  public Linear linearTransposed(String path) {
    transposed.add(path + ".weight");
    return new Linear(path, matrix(path), tensor(path + ".bias"));
  }

  /**
   * The same, without bias where the checkpoint has none: for architectures that may go without.
   */
  public Linear linearAsStored(String path) {
    return new Linear(path, matrix(path), optional(path + ".bias"));
  }

  /**
   * A head whose matrix is the embedding's table, unless the checkpoint has one of its own and the
   * model is not tied.
   *
   * @param biasName the tensor of its bias, which may have another name than the layer's
   */
  public Linear decoder(String path, Embedding words, String biasName, boolean tied) {
    ignore(path + ".bias");
    boolean untied = changed.containsKey(path + ".weight") || isShared(path + ".weight");
    if (tied && !untied) {
      ignore(path + ".weight");
      return new Linear(path, words.weight(), optional(biasName), words.tableName(), biasName);
    }
    return new Linear(path, table(path), optional(biasName), path + ".weight", biasName);
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
    return new Embedding(path, table(path));
  }

  /** The matrix of a layer that may be quantized. */
  private Weight matrix(String path) {
    return matrix(path + ".weight", Matrices.isInBlock(path));
  }

  /** A matrix that stays in a wide form: a table of vectors, a head's. */
  private Weight table(String path) {
    return matrix(path + ".weight", false);
  }

  private Weight matrix(String name, boolean quantized) {
    Weight known = held.get(name);
    if (known != null) {
      return known;
    }
    if (!changed.containsKey(name) && !loaded.containsKey(name)) {
      Weight lent = other == null ? null : other.matrices().get(name);
      Optional<Weight> narrow =
          lent != null
              ? Optional.of(lent)
              : isShared(name) || !isInFile(name)
                  ? Optional.empty()
                  : matrices.load(inFile(name), transposed.contains(name), quantized);
      if (narrow.isPresent()) {
        note(name);
        held.put(name, narrow.get());
        return narrow.get();
      }
    }
    return new Weight.Dense(tensor(name));
  }

  private boolean isInFile(String name) {
    return file.names().contains(name) || file.names().contains(oldName(name));
  }

  private String inFile(String name) {
    return file.names().contains(name) || !isInFile(name) ? name : oldName(name);
  }

  private TensorInfo note(String name) {
    TensorInfo info = file.info(inFile(name));
    used.add(info.name());
    stored.put(name, info.name());
    return info;
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
    Tensor lent = other == null ? null : other.tensors().get(name);
    if (lent != null && !isInFile(name)) {
      loaded.put(name, lent); // one that the other model was given in its turn
      return lent;
    }
    TensorInfo info = note(name);
    Tensor tensor = lent == null ? matrices.plain(info, transposed.contains(name)) : lent;
    loaded.put(name, tensor);
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
        ownsFile() ? List.copyOf(held.values()) : List.of(),
        other == null ? matrices.inPlace() : other.inPlace(),
        ownsFile());
  }

  private boolean ownsFile() {
    return other == null;
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
      held.values().forEach(Weight::close);
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
