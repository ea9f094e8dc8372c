package io.trimtab.hub;

import io.trimtab.tensor.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;
import java.util.SequencedSet;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The constant tensors (initializers) of an ONNX file; the network itself is read only as far as it
 * tells their names.
 *
 * <p>PyTorch's exporter renames the weight of each linear layer to {@code onnx::MatMul_123} and
 * stores it as {@code [in, out]}. Where such a matrix is multiplied and a {@code X.bias} is added
 * to the product, it is given its name {@code X.weight} back; {@link #isTransposed} tells which
 * those are.
 */
public final class OnnxInitializers implements TensorFile {
  private static final String GENERATED = "onnx::";
  private static final String BIAS = ".bias";
  private static final String WEIGHT = ".weight";

  private final MappedTensors tensors;
  private final Set<String> transposed;

  private OnnxInitializers(MappedTensors tensors, Set<String> transposed) {
    this.tensors = tensors;
    this.transposed = Set.copyOf(transposed);
  }

  /**
   * Opens an ONNX file with its initializers inside it.
   *
   * @throws FileFormatException if the file is missing or damaged, keeps tensors in other files, or
   *     has one of a type that {@link DType} does not have
   */
  public static OnnxInitializers open(Path onnx) {
    return MappedTensors.inNewArena(arena -> new Opener(onnx, arena).open());
  }

  /**
   * Whether a tensor is stored {@code [in, out]} although its name stands for {@code [out, in]}.
   *
   * @throws TensorNotFoundException if the file holds no tensor of that name
   */
  public boolean isTransposed(String name) {
    return transposed.contains(info(name).name());
  }

  @Override
  public SequencedSet<String> names() {
    return tensors.names();
  }

  @Override
  public TensorInfo info(String name) {
    return tensors.info(name);
  }

  @Override
  public MemorySegment bytes(String name) {
    return tensors.bytes(name);
  }

  @Override
  public Map<String, String> metadata() {
    return tensors.metadata();
  }

  @Override
  public void close() {
    tensors.close();
  }

  /** What is known while the file is being read. */
  private static final class Opener {
    private final Path file;
    private final Arena arena;
    private final SequencedMap<String, MappedTensors.Stored> initializers = new LinkedHashMap<>();
    private final Map<String, String> metadata = new LinkedHashMap<>();

    /** Right-hand matrix of every product, by the name of the product. */
    private final Map<String, String> matrixOfProduct = new HashMap<>();

    private final Map<String, Integer> uses = new HashMap<>();
    private final Map<String, OnnxNode> additions = new LinkedHashMap<>();

    Opener(Path file, Arena arena) {
      this.file = file;
      this.arena = arena;
    }

    OnnxInitializers open() {
      var model = new ProtoReader(file, MappedTensors.map(file, arena));
      boolean graphSeen = false;
      while (model.next()) {
        switch (model.field()) {
          case 2 -> metadata.put("producer_name", model.text());
          case 3 -> metadata.put("producer_version", model.text());
          case 7 -> {
            if (graphSeen) {
              throw model.error("it has two graphs");
            }
            graphSeen = true;
            graph(model.message());
          }
          default -> {}
        }
      }
      if (!graphSeen) {
        throw model.error("it has no graph; is it an ONNX file?");
      }
      return named();
    }

    private void graph(ProtoReader graph) {
      while (graph.next()) {
        switch (graph.field()) {
          case 1 -> node(OnnxNode.read(graph.message()));
          case 5 -> {
            MappedTensors.Stored tensor = OnnxTensor.read(file, graph.message(), arena);
            if (initializers.putIfAbsent(tensor.info().name(), tensor) != null) {
              throw graph.error("it holds '" + tensor.info().name() + "' twice");
            }
          }
          case 15 -> throw new FileFormatException(file, "has sparse initializers, not supported");
          default -> {}
        }
      }
    }

    private void node(OnnxNode node) {
      node.inputs().forEach(input -> uses.merge(input, 1, Integer::sum));
      if (node.inputs().size() != 2 || node.outputs().size() != 1) {
        return;
      }
      if (node.type().equals("MatMul")) {
        matrixOfProduct.put(node.outputs().getFirst(), node.inputs().get(1));
      } else if (node.type().equals("Add")) {
        additions.put(node.outputs().getFirst(), node);
      }
    }

    /** Applies the rule of the class comment; where it is not clear-cut, the stored name stays. */
    private OnnxInitializers named() {
      Map<String, String> names = new HashMap<>();
      Set<String> taken = new HashSet<>(initializers.keySet());
      for (OnnxNode addition : additions.values()) {
        String bias =
            input(addition, name -> name.endsWith(BIAS) && initializers.containsKey(name));
        String product = input(addition, matrixOfProduct::containsKey);
        if (bias == null || product == null || !usedOnce(product)) {
          continue;
        }
        String matrix = matrixOfProduct.get(product);
        if (matrix == null || !usedOnce(matrix) || !fits(matrix, bias)) {
          continue;
        }
        String name = bias.substring(0, bias.length() - BIAS.length()) + WEIGHT;
        if (taken.add(name)) {
          names.put(matrix, name);
        }
      }
      var tensors = new LinkedHashMap<String, MappedTensors.Stored>();
      initializers.forEach(
          (stored, tensor) -> {
            String name = names.getOrDefault(stored, stored);
            var info = new TensorInfo(name, tensor.info().dtype(), tensor.info().shape());
            tensors.put(name, new MappedTensors.Stored(info, tensor.bytes()));
          });
      return new OnnxInitializers(
          new MappedTensors(file, arena, tensors, metadata), new HashSet<>(names.values()));
    }

    /** Whether {@code [in, out]} and {@code [out]} are the parts of one linear layer. */
    private boolean fits(String matrix, String bias) {
      MappedTensors.Stored weights = initializers.get(matrix);
      MappedTensors.Stored offsets = initializers.get(bias);
      if (weights == null || offsets == null || !matrix.startsWith(GENERATED)) {
        return false;
      }
      long[] inOut = weights.info().shape();
      return inOut.length == 2 && Arrays.equals(offsets.info().shape(), new long[] {inOut[1]});
    }

    private boolean usedOnce(String name) {
      return uses.getOrDefault(name, 0) == 1;
    }

    private static @Nullable String input(OnnxNode node, Predicate<String> wanted) {
      return node.inputs().stream().filter(wanted).findFirst().orElse(null);
    }
  }
}
