package io.trimtab.delta.compose;

import io.trimtab.delta.DeltaException;
import io.trimtab.delta.Part;
import io.trimtab.model.Pass;
import io.trimtab.model.Patch;
import io.trimtab.model.Site;
import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.LinearAlgebra;
import io.trimtab.tensor.Neural;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Reduction;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * AdapterFusion (Pfeiffer et al., 2020, section 3.3): a sublayer's output attends to what each
 * child would add to it, softmax(Q h · K a_i) over the children i, and the mix of V a_i is added.
 * Q, K [hidden, hidden] with biases start at random, V [hidden, hidden] as the identity.
 */
final class FusionPart implements Part {
  private static final double DEVIATION = 0.02;

  /** Off the diagonal V starts at almost nothing, so that gradients reach all of it. */
  private static final double ALMOST_NOTHING = 1e-6;

  private final List<Part> children;
  private final boolean normed;
  private final Parameter query;
  private final Parameter queryBias;
  private final Parameter key;
  private final Parameter keyBias;
  private final Parameter value;

  /**
   * A fusion of parts that change the same sublayer.
   *
   * @param normed whether the query is the sublayer's result after its addition and norm, as it is
   *     for children that look at that, and not the output alone
   */
  static FusionPart create(
      List<Part> children, int hidden, boolean normed, Device device, Rng rng) {
    String at = children.getFirst().site().path() + ".fusion.";
    try (Scope _ = Scope.open()) {
      float[] start = new float[hidden * hidden];
      java.util.Arrays.fill(start, (float) ALMOST_NOTHING);
      for (int i = 0; i < hidden; i++) {
        start[i * hidden + i] = 1;
      }
      Tensor identity = Creation.floats(start, hidden, hidden).to(device);
      Tensor none = Creation.zeros(DType.F32, device, hidden);
      return new FusionPart(
          children,
          normed,
          Parameter.of(at + "query.weight", random(hidden, device, rng)),
          Parameter.of(at + "query.bias", none),
          Parameter.of(at + "key.weight", random(hidden, device, rng)),
          Parameter.of(at + "key.bias", none),
          Parameter.of(at + "value.weight", identity));
    }
  }

  private static Tensor random(int hidden, Device device, Rng rng) {
    return rng.normal(DEVIATION, DType.F32, device, hidden, hidden);
  }

  private FusionPart(
      List<Part> children,
      boolean normed,
      Parameter query,
      Parameter queryBias,
      Parameter key,
      Parameter keyBias,
      Parameter value) {
    this.children = List.copyOf(children);
    this.normed = normed;
    this.query = query;
    this.queryBias = queryBias;
    this.key = key;
    this.keyBias = keyBias;
    this.value = value;
  }

  @Override
  public Site<?> site() {
    return children.getFirst().site();
  }

  @Override
  public Patch patch() {
    List<Patch.Residual> patches =
        children.stream().map(part -> (Patch.Residual) part.patch()).toList();
    Patch.Residual fused = (sublayer, pass) -> fuse(patches, sublayer, pass);
    return WholeRows.like(patches, fused);
  }

  private Tensor fuse(List<Patch.Residual> patches, Patch.Residual.Sublayer sublayer, Pass pass) {
    Tensor output = sublayer.output();
    DType type = output.dtype();
    List<Tensor> additions = new ArrayList<>();
    for (Patch.Residual patch : patches) {
      additions.add(Arithmetic.subtract(patch.apply(sublayer, pass), output));
    }
    Tensor all = Indexing.stack(additions, 1); // [tokens, children, hidden]
    Tensor asking = normed ? normed(sublayer) : output;
    Tensor q = LinearAlgebra.linear(asking, query.value().to(type), queryBias.value().to(type));
    Tensor k = LinearAlgebra.linear(all, key.value().to(type), keyBias.value().to(type));
    Tensor v = LinearAlgebra.linear(all, value.value().to(type), null);
    Tensor scores = Reduction.sum(Arithmetic.multiply(Indexing.unsqueeze(q, 1), k), 2);
    Tensor weights = Neural.softmax(scores, 1);
    Tensor mixed = Reduction.sum(Arithmetic.multiply(Indexing.unsqueeze(weights, 2), v), 1);
    return Arithmetic.add(output, mixed);
  }

  private static Tensor normed(Patch.Residual.Sublayer sublayer) {
    Tensor sum = Arithmetic.add(sublayer.output(), sublayer.residual());
    return sublayer.norm() == null ? sum : sublayer.norm().apply(sum);
  }

  @Override
  public List<Parameter> parameters() {
    List<Parameter> all =
        new ArrayList<>(children.stream().flatMap(part -> part.parameters().stream()).toList());
    all.addAll(List.of(query, queryBias, key, keyBias, value));
    return all;
  }

  @Override
  public List<Parameter> constants() {
    return children.stream().flatMap(part -> part.constants().stream()).toList();
  }

  @Override
  public Map<String, String> aliases() {
    Map<String, String> aliases = new HashMap<>();
    children.forEach(part -> aliases.putAll(part.aliases()));
    return aliases;
  }

  @Override
  public List<String> baseTensors() {
    Set<String> names = new LinkedHashSet<>();
    children.forEach(part -> names.addAll(part.baseTensors()));
    return new ArrayList<>(names);
  }

  @Override
  public Tensor merge(String name, Tensor stored) {
    throw new DeltaException.Unsupported(
        "found a fusion of adapters, expected a delta that changes weights: what depends on each"
            + " token cannot be merged into any; use the delta beside the model");
  }
}
