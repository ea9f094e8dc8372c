package io.trimtab.delta.lora;

import io.trimtab.delta.Address;
import io.trimtab.delta.Delta;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.Part;
import io.trimtab.model.Embedding;
import io.trimtab.model.Layer;
import io.trimtab.model.Linear;
import io.trimtab.model.Model;
import io.trimtab.model.Patch;
import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Gradients;
import io.trimtab.tensor.Reduction;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Any delta that comes down to a change of weights of linear layers and embeddings as a LoRA: the
 * singular value decomposition of each change, cut off. A change of a layer's bias becomes the bias
 * of LoRA's B, exactly.
 */
public final class LoraConversion {
  private LoraConversion() {}

  /**
   * What came of it.
   *
   * @param delta the LoRA, of scale 1; the caller closes it
   * @param layers a report for each layer
   */
  public record Converted(Delta delta, List<LoraReport> layers) {
    /** Copies the list. */
    public Converted {
      layers = List.copyOf(layers);
    }
  }

  /** What a delta makes of one layer. */
  private record Change(Layer layer, Tensor weight, @Nullable Tensor bias) {}

  /**
   * The nearest LoRA of a rank, at layers that are smaller than it of their full rank.
   *
   * @throws DeltaException.Unsupported for a delta that is no change of such weights
   */
  public static Converted toRank(Delta delta, int rank) {
    if (rank < 1) {
      throw new DeltaException("found rank " + rank + ", expected at least 1; 8 is usual");
    }
    return converted(delta, new Truncation.Size(rank, 2)); // a share of 2 is never reached
  }

  /**
   * At each layer the LoRA of the lowest rank that holds a share of the squared singular values.
   *
   * @param share above 0 and at most 1; 0.95 is usual
   * @throws DeltaException.Unsupported for a delta that is no change of such weights
   */
  public static Converted toEnergy(Delta delta, double share) {
    if (!(share > 0 && share <= 1)) {
      throw new DeltaException(
          "found a share of " + share + " of the energy to keep, expected above 0 and at most 1");
    }
    return converted(delta, new Truncation.Size(Integer.MAX_VALUE, share));
  }

  private static Converted converted(Delta delta, Truncation.Size size) {
    return Gradients.none(
        () -> {
          try (Scope _ = Scope.open()) {
            return lora(delta.base(), changes(delta), size);
          }
        });
  }

  private static Converted lora(Model base, List<Change> changes, Truncation.Size size) {
    if (changes.isEmpty()) {
      throw new DeltaException(
          "found a delta that changes no weight to convert, expected a tuned one; train it first");
    }
    boolean biased = changes.stream().anyMatch(change -> change.bias != null);
    SequencedMap<String, LoraScaling.Sized> sizes = new LinkedHashMap<>();
    Map<String, Tensor> values = new LinkedHashMap<>();
    List<LoraReport> reports = new ArrayList<>();
    for (Change change : changes) {
      Truncation cut = Truncation.of(change.weight, size);
      int rank = (int) cut.factors().down().size(0);
      sizes.put(change.layer.path(), new LoraScaling.Sized(rank, 1));
      Tensor bias =
          biased && change.bias == null
              ? Creation.zeros(DType.F32, change.weight.device(), change.weight.size(0))
              : change.bias;
      LoraMerge.put(change.layer, cut.factors(), bias, values);
      double distance = LoraMerge.distance(cut.factors(), change.weight);
      reports.add(new LoraReport(change.layer.path(), rank, cut.energy(), distance));
    }
    Lora lora =
        Lora.rank(1)
            .scaled(LoraScaling.of(sizes))
            .on(Address.suffixes(List.copyOf(sizes.keySet())))
            .outputBias(biased);
    return new Converted(PlainLora.filled(lora, base, values), reports);
  }

  private static List<Change> changes(Delta delta) {
    List<Part> parts =
        delta.parts().stream().sorted(Comparator.comparing(part -> !replaces(part))).toList();
    Set<Part> left = new LinkedHashSet<>(parts);
    List<Change> changes = new ArrayList<>();
    for (Layer layer : delta.base().root().walk().toList()) {
      Change change =
          switch (layer) {
            case Linear linear ->
                change(
                    layer,
                    linear.weightName(),
                    linear.weight().dense(),
                    linear.biasName(),
                    linear.bias(),
                    parts,
                    left);
            case Embedding embedding ->
                change(layer, embedding.tableName(), embedding.table(), "", null, parts, left);
            default -> null;
          };
      if (change != null) {
        changes.add(change);
      }
    }
    for (Part part : left) {
      throw new DeltaException.Unsupported(
          "found a part at "
              + part.site().path()
              + " that changes neither the weight of a linear layer nor an embedding, expected a"
              + " delta of such changes; it cannot be converted to LoRA");
    }
    return changes;
  }

  private static boolean replaces(Part part) {
    return part.site().kind() == Patch.Effective.class;
  }

  private static @Nullable Change change(
      Layer layer,
      String weightName,
      Tensor weight,
      String biasName,
      @Nullable Tensor bias,
      List<Part> parts,
      Set<Part> left) {
    Tensor newWeight = weight.to(DType.F32);
    Tensor newBias = bias == null ? null : bias.to(DType.F32);
    for (Part part : parts) {
      boolean here = replaces(part) || part.site().path().equals(layer.path());
      for (String name : here ? part.baseTensors() : List.<String>of()) {
        if (name.equals(weightName)) {
          newWeight = part.merge(name, newWeight);
          left.remove(part);
        } else if (newBias != null && name.equals(biasName)) {
          newBias = part.merge(name, newBias);
          left.remove(part);
        }
      }
    }
    Tensor byWeight = Arithmetic.subtract(newWeight, weight.to(DType.F32));
    Tensor byBias =
        bias == null || newBias == null ? null : Arithmetic.subtract(newBias, bias.to(DType.F32));
    boolean moves = byBias != null && Reduction.norm(byBias).item() > 0;
    if (Reduction.norm(byWeight).item() == 0 && !moves) {
      return null;
    }
    // LoRA's matrices on an embedding multiply to the change's transpose.
    boolean table = layer instanceof Embedding;
    return new Change(layer, table ? byWeight.transpose(0, 1) : byWeight, moves ? byBias : null);
  }
}
