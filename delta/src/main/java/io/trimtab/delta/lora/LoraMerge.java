package io.trimtab.delta.lora;

import io.trimtab.delta.Address;
import io.trimtab.delta.Delta;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.Part;
import io.trimtab.model.Layer;
import io.trimtab.model.Model;
import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Gradients;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.LinearAlgebra;
import io.trimtab.tensor.Reduction;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;

/**
 * Several LoRAs over one base made into one, as PEFT's {@code add_weighted_adapter} does it:
 *
 * <pre>{@code
 * LoraMerge.Merged one = LoraMerge.of(List.of(law, medicine), 0.7, 0.3).way(Way.SVD).rank(16).run();
 * one.layers().forEach(layer -> print(layer.path(), layer.energy()));
 * }</pre>
 *
 * Only {@link Way#CAT} is Σ wᵢ sᵢ Bᵢ Aᵢ itself. How far each layer of the result is from it, the
 * report says.
 *
 * @param deltas what is merged
 * @param weights one each; negative ones take away
 * @param way how
 * @param rank the rank of the ways that decompose; 0 for the largest of the merged
 * @param density the share of elements that stay in the ways that leave some out
 * @param majority what counts for TIES' majority
 * @param seed of what DARE draws
 */
public record LoraMerge(
    List<Delta> deltas,
    List<Double> weights,
    Way way,
    int rank,
    double density,
    Majority majority,
    long seed) {

  /** How LoRAs are merged. */
  public enum Way {
    /**
     * √|w s| A and √|w s| B summed each: cheap, of the same rank, and not the sum of the products,
     * since each A also meets each other's B.
     */
    LINEAR,
    /** All A and all B side by side: exactly the sum, of the sum of the ranks. */
    CAT,
    /** The best approximation of the sum of the given rank. */
    SVD,
    /** The matrices pruned by magnitude, signs elected, the agreeing averaged. */
    TIES,
    /** The same of the products, decomposed. */
    TIES_SVD,
    /** The matrices pruned at random and rescaled, then as LINEAR. */
    DARE_LINEAR,
    /** The same of the products, decomposed. */
    DARE_LINEAR_SVD,
    /** The matrices pruned at random and rescaled, then as TIES. */
    DARE_TIES,
    /** The same of the products, decomposed. */
    DARE_TIES_SVD,
    /** The matrices pruned by magnitude, then as LINEAR. */
    MAGNITUDE_PRUNE,
    /** The same of the products, decomposed. */
    MAGNITUDE_PRUNE_SVD;

    private boolean decomposes() {
      return this == SVD || name().endsWith("_SVD");
    }

    private TaskArithmetic.Pruning pruning() {
      return switch (this) {
        case LINEAR, CAT, SVD -> TaskArithmetic.Pruning.NONE;
        case TIES, TIES_SVD, MAGNITUDE_PRUNE, MAGNITUDE_PRUNE_SVD ->
            TaskArithmetic.Pruning.MAGNITUDE;
        case DARE_LINEAR, DARE_LINEAR_SVD, DARE_TIES, DARE_TIES_SVD ->
            TaskArithmetic.Pruning.RANDOM;
      };
    }

    private boolean elects() {
      return name().contains("TIES");
    }
  }

  /** What makes a majority of signs. */
  public enum Majority {
    /** The sign of the sum. */
    TOTAL,
    /** The sign that more have. */
    FREQUENCY
  }

  /**
   * What came of it.
   *
   * @param delta the one LoRA, of scale 1; the caller closes it
   * @param layers a report for each layer
   */
  public record Merged(Delta delta, List<LoraReport> layers) {
    /** Copies the list. */
    public Merged {
      layers = List.copyOf(layers);
    }
  }

  /** One of the LoRAs at one layer. */
  private record Piece(
      LoraStart.Factors factors, double scale, double weight, @Nullable Tensor bias) {
    Tensor product() {
      return Arithmetic.multiply(LinearAlgebra.matmul(factors.up(), factors.down()), scale);
    }
  }

  /** Checks what is given. */
  public LoraMerge {
    deltas = List.copyOf(deltas);
    weights = List.copyOf(weights);
    if (deltas.isEmpty() || deltas.size() != weights.size()) {
      throw new DeltaException(
          "found "
              + deltas.size()
              + " LoRAs and "
              + weights.size()
              + " weights to merge, expected at least one, and a weight for each");
    }
    if (!weights.stream().allMatch(Double::isFinite)) {
      throw new DeltaException("found weights " + weights + ", expected finite numbers");
    }
    if (rank < 0 || !(density >= 0 && density <= 1)) {
      throw new DeltaException(
          "found rank "
              + rank
              + " and density "
              + density
              + " for merging, expected 0 or more, and 0 to 1");
    }
  }

  /** Merging by concatenation until another way is named. */
  public static LoraMerge of(List<Delta> deltas, double... weights) {
    List<Double> list = java.util.Arrays.stream(weights).boxed().toList();
    return new LoraMerge(deltas, list, Way.CAT, 0, 1, Majority.TOTAL, 0);
  }

  /** The same in another way. */
  public LoraMerge way(Way other) {
    return new LoraMerge(deltas, weights, other, rank, density, majority, seed);
  }

  /** The same with another rank, for the ways that decompose. */
  public LoraMerge rank(int value) {
    return new LoraMerge(deltas, weights, way, value, density, majority, seed);
  }

  /** The same with another share of elements that stay. */
  public LoraMerge density(double share) {
    return new LoraMerge(deltas, weights, way, rank, share, majority, seed);
  }

  /** The same with another majority. */
  public LoraMerge majority(Majority which) {
    return new LoraMerge(deltas, weights, way, rank, density, which, seed);
  }

  /** The same with other random choices. */
  public LoraMerge seed(long value) {
    return new LoraMerge(deltas, weights, way, rank, density, majority, value);
  }

  /**
   * Merges.
   *
   * @throws DeltaException.Unsupported for what is no plain LoRA: magnitudes, modules trained whole
   * @throws DeltaException for LoRAs over different bases, or of different ranks where the way
   *     needs equal ones
   */
  public Merged run() {
    Model base = deltas.getFirst().base();
    if (deltas.stream().anyMatch(delta -> delta.base() != base)) {
      throw new DeltaException(
          "found LoRAs over different models to merge, expected one; load them onto the same base");
    }
    return Gradients.none(
        () -> {
          try (Scope _ = Scope.open()) {
            return merged(base);
          }
        });
  }

  private Merged merged(Model base) {
    Map<String, List<Piece>> pieces = new LinkedHashMap<>();
    for (int i = 0; i < deltas.size(); i++) {
      for (Part part : deltas.get(i).parts()) {
        collect(part, weights.get(i), pieces);
      }
    }
    boolean biased =
        pieces.values().stream().flatMap(List::stream).anyMatch(piece -> piece.bias != null);
    SequencedMap<String, LoraScaling.Sized> sizes = new LinkedHashMap<>();
    Map<String, Tensor> values = new LinkedHashMap<>();
    List<LoraReport> reports = new ArrayList<>();
    for (Layer layer : base.root().walk().toList()) {
      List<Piece> here = pieces.get(layer.path());
      if (here == null) {
        continue;
      }
      Truncation one = one(layer.path(), here, Rng.seeded(seed).derive(reports.size()));
      LoraStart.Factors factors = one.factors();
      int size = (int) factors.down().size(0);
      sizes.put(layer.path(), new LoraScaling.Sized(size, 1));
      put(layer, factors, biased ? bias(here) : null, values);
      reports.add(new LoraReport(layer.path(), size, one.energy(), distance(factors, here)));
    }
    Lora lora =
        Lora.rank(1)
            .scaled(LoraScaling.of(sizes))
            .on(Address.suffixes(List.copyOf(sizes.keySet())))
            .outputBias(biased);
    return new Merged(PlainLora.filled(lora, base, values), reports);
  }

  private static void collect(Part part, double weight, Map<String, List<Piece>> into) {
    switch (part) {
      case LoraLinear linear when !linear.hasMagnitudes() && !linear.isGated() -> {
        io.trimtab.tensor.Parameter bias = linear.bias();
        Piece piece =
            new Piece(
                linear.factors(),
                linear.sized().scale(),
                weight,
                bias == null ? null : bias.value());
        into.computeIfAbsent(linear.layer().path(), path -> new ArrayList<>()).add(piece);
      }
      case LoraEmbedding embedding when !embedding.hasMagnitudes() -> {
        Piece piece = new Piece(embedding.factors(), embedding.sized().scale(), weight, null);
        into.computeIfAbsent(embedding.layer().path(), path -> new ArrayList<>()).add(piece);
      }
      default ->
          throw new DeltaException.Unsupported(
              "found at "
                  + part.site().path()
                  + " what is no plain LoRA to merge (magnitudes, gates, or a module, bias or token"
                  + " trained whole), expected products of two matrices only; convert it with"
                  + " LoraConversion, or leave it out");
    }
  }

  /** Puts the parameters of one layer under their names. */
  static void put(
      Layer layer, LoraStart.Factors factors, @Nullable Tensor bias, Map<String, Tensor> values) {
    boolean linear = layer instanceof io.trimtab.model.Linear;
    values.put(layer.path() + (linear ? ".lora_A.weight" : ".lora_embedding_A"), factors.down());
    values.put(layer.path() + (linear ? ".lora_B.weight" : ".lora_embedding_B"), factors.up());
    if (bias != null) {
      values.put(layer.path() + ".lora_B.bias", bias);
    }
  }

  /** A bias is linear in each LoRA, so that every way sums it exactly. */
  private static Tensor bias(List<Piece> here) {
    Tensor up = here.getFirst().factors.up();
    Tensor sum = Creation.zeros(DType.F32, up.device(), up.size(0));
    for (Piece piece : here) {
      if (piece.bias != null) {
        sum = Arithmetic.addScaled(sum, piece.bias, piece.weight * piece.scale);
      }
    }
    return sum;
  }

  private Truncation one(String path, List<Piece> here, Rng rng) {
    if (way == Way.CAT) {
      List<Tensor> down = new ArrayList<>();
      List<Tensor> up = new ArrayList<>();
      for (Piece piece : here) {
        down.add(Arithmetic.multiply(piece.factors.down(), piece.weight * piece.scale));
        up.add(piece.factors.up());
      }
      return new Truncation(
          new LoraStart.Factors(Indexing.concat(down, 0), Indexing.concat(up, 1)), 1);
    }
    TaskArithmetic.Recipe recipe =
        new TaskArithmetic.Recipe(way.pruning(), density, way.elects(), majority);
    if (way.decomposes()) {
      List<Tensor> products = here.stream().map(Piece::product).toList();
      double[] factors = here.stream().mapToDouble(Piece::weight).toArray();
      Tensor sum = TaskArithmetic.sum(products, factors, recipe, rng);
      int largest = here.stream().mapToInt(piece -> rank(piece)).max().orElseThrow();
      return Truncation.of(sum, new Truncation.Size(rank == 0 ? largest : rank, 2));
    }
    if (here.stream().mapToInt(piece -> rank(piece)).distinct().count() > 1) {
      throw new DeltaException(
          "found LoRAs of ranks "
              + here.stream().map(LoraMerge::rank).toList()
              + " at "
              + path
              + " to merge by "
              + way
              + ", expected equal ones; take CAT, or a way that decomposes");
    }
    double[] onDown = new double[here.size()];
    double[] onUp = new double[here.size()];
    for (int i = 0; i < here.size(); i++) {
      double factor = here.get(i).weight * here.get(i).scale;
      onUp[i] = Math.sqrt(Math.abs(factor));
      onDown[i] = factor >= 0 ? onUp[i] : -onUp[i];
    }
    List<Tensor> downs = here.stream().map(piece -> piece.factors.down()).toList();
    List<Tensor> ups = here.stream().map(piece -> piece.factors.up()).toList();
    return new Truncation(
        new LoraStart.Factors(
            TaskArithmetic.sum(downs, onDown, recipe, rng.derive(0)),
            TaskArithmetic.sum(ups, onUp, recipe, rng.derive(1))),
        1);
  }

  private static int rank(Piece piece) {
    return (int) piece.factors.down().size(0);
  }

  private static double distance(LoraStart.Factors factors, List<Piece> here) {
    Tensor sum = null;
    for (Piece piece : here) {
      Tensor weighted = Arithmetic.multiply(piece.product(), piece.weight);
      sum = sum == null ? weighted : Arithmetic.add(sum, weighted);
    }
    return distance(factors, java.util.Objects.requireNonNull(sum));
  }

  /** ‖B A − change‖ / ‖change‖; 0 where both are zero. */
  static double distance(LoraStart.Factors factors, Tensor change) {
    Tensor product = LinearAlgebra.matmul(factors.up(), factors.down());
    double gap = Reduction.norm(Arithmetic.subtract(product, change)).item();
    return gap == 0 ? 0 : gap / Reduction.norm(change).item();
  }
}
