package io.trimtab.hub.gguf;

import io.trimtab.hub.FileFormatException;
import io.trimtab.hub.TensorFile;
import io.trimtab.hub.TensorInfo;
import io.trimtab.hub.TensorNotFoundException;
import io.trimtab.hub.blocks.BlockFormat;
import io.trimtab.hub.blocks.QuantizedTensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.SequencedSet;
import java.util.Set;

/**
 * The tensors of a GGUF file under their names and in the layout of Hugging Face checkpoints.
 * Values that lie in the file as they are wanted are slices of it; all others are computed at the
 * first call and kept until {@link #release} or {@link #close()}.
 */
final class GgufTensors implements TensorFile {
  /** What a configuration says and no layer holds. */
  private static final Set<String> NO_WEIGHTS =
      Set.of("rope_freqs.weight", "rope_factors_long.weight", "rope_factors_short.weight");

  private final GgufFile file;
  private final SequencedMap<String, StoredTensor> stored;
  private final Map<String, Computed> values = new HashMap<>();
  private final Map<String, Computed> rows = new HashMap<>();
  private boolean closed;

  /** Elements outside the file, in memory of their own. */
  private record Computed(Arena arena, MemorySegment bytes) {}

  private GgufTensors(GgufFile file, SequencedMap<String, StoredTensor> stored) {
    this.file = file;
    this.stored = stored;
  }

  /** Takes the file over and closes it in the end, also where this fails. */
  static GgufTensors of(GgufFile file, GgufArchitecture architecture) {
    try {
      return new GgufTensors(file, directory(file, architecture));
    } catch (RuntimeException e) {
      file.close();
      throw e;
    }
  }

  private static SequencedMap<String, StoredTensor> directory(
      GgufFile file, GgufArchitecture architecture) {
    long queryHeads = Heads.queries(file.metadata(), architecture);
    long keyHeads = Heads.keys(file.metadata(), architecture);
    var stored = new LinkedHashMap<String, StoredTensor>();
    List<String> unknown = new ArrayList<>();
    for (GgufTensor tensor : file.tensors().values()) {
      if (NO_WEIGHTS.contains(tensor.name())) {
        continue;
      }
      Optional<GgufArchitecture.Found> found = architecture.findGguf(tensor.name());
      if (found.isEmpty()) {
        unknown.add(tensor.name());
        continue;
      }
      TensorRule rule = found.get().rule();
      long heads = rule.layout() == Layout.ROTARY_KEY ? keyHeads : queryHeads;
      for (StoredTensor each : StoredTensor.of(tensor, rule, found.get().place(), heads)) {
        stored.put(each.info().name(), each);
      }
    }
    if (!unknown.isEmpty()) {
      throw new FileFormatException(
          file.path(),
          "holds %d tensors that a %s model does not have (%s)"
              .formatted(
                  unknown.size(),
                  architecture.gguf(),
                  String.join(", ", unknown.subList(0, Math.min(4, unknown.size())))));
    }
    return stored;
  }

  @Override
  public SequencedSet<String> names() {
    return java.util.Collections.unmodifiableSequencedSet(stored.sequencedKeySet());
  }

  @Override
  public TensorInfo info(String name) {
    return find(name).info();
  }

  @Override
  public synchronized MemorySegment bytes(String name) {
    StoredTensor tensor = find(name);
    if (tensor.isUnpacked() && !tensor.layout().reorders()) {
      return tensor.blocks();
    }
    return compute(
        values, name, arena -> tensor.isUnpacked() ? tensor.ordered(arena) : tensor.values(arena));
  }

  @Override
  public synchronized Optional<QuantizedTensor> quantized(String name) {
    StoredTensor tensor = find(name);
    BlockFormat format = tensor.format();
    if (!format.isQuantized() || !tensor.layout().byRows()) {
      return Optional.empty();
    }
    MemorySegment blocks =
        tensor.layout().reorders() ? compute(rows, name, tensor::ordered) : tensor.blocks();
    return Optional.of(new QuantizedTensor(format, tensor.info().shape(), blocks));
  }

  @SuppressWarnings("MustBeClosedChecker") // closed by release or close
  private MemorySegment compute(
      Map<String, Computed> kept,
      String name,
      java.util.function.Function<Arena, MemorySegment> computation) {
    if (closed) {
      throw new IllegalStateException(file.path() + " is closed");
    }
    Computed known = kept.get(name);
    if (known == null) {
      Arena arena = Arena.ofShared();
      try {
        known = new Computed(arena, computation.apply(arena).asReadOnly());
      } catch (RuntimeException e) {
        arena.close();
        throw e;
      }
      kept.put(name, known);
    }
    return known.bytes();
  }

  @Override
  public synchronized void release(String name) {
    find(name);
    Computed known = values.remove(name);
    if (known != null) {
      known.arena().close();
    }
  }

  private StoredTensor find(String name) {
    StoredTensor tensor = stored.get(name);
    if (tensor == null) {
      throw new TensorNotFoundException(
          "%s: holds no tensor '%s' among its %d".formatted(file.path(), name, stored.size()));
    }
    return tensor;
  }

  @Override
  public Map<String, String> metadata() {
    return Map.of("format", "gguf");
  }

  @Override
  public synchronized void close() {
    closed = true;
    values.values().forEach(computed -> computed.arena().close());
    rows.values().forEach(computed -> computed.arena().close());
    values.clear();
    rows.clear();
    file.close();
  }
}
