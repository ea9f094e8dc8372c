package io.trimtab.model;

import io.trimtab.kernel.Matrix;
import io.trimtab.kernel.RowMath;
import io.trimtab.model.weights.Weight;
import io.trimtab.tensor.ChangedProduct;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.Tensor;
import java.lang.foreign.ValueLayout;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;

/** y = x Wᵀ + b, with sites for its input, output, weight and bias. */
public final class Linear extends Layer {
  private final Weight weight;
  private final @Nullable Tensor bias;
  private final Site<Patch.Input> inputSite;
  private final Site<Patch.Output> outputSite;
  private final Site<Patch.Effective> weightSite;
  private final Site<Patch.Effective> biasSite;
  private volatile @Nullable Single single;

  /** What products of single rows need, made at the first of them. */
  @SuppressWarnings("ArrayRecordComponent") // never written, and never compared
  private record Single(@Nullable Matrix matrix, float @Nullable [] bias) {}

  /** A layer over a weight and, where not null, a bias [out]. */
  public Linear(String path, Weight weight, @Nullable Tensor bias) {
    this(path, weight, bias, path + ".weight", path + ".bias");
  }

  /** One whose tensors go by names of their own: a head tied to the embedding, for one. */
  public Linear(
      String path, Weight weight, @Nullable Tensor bias, String weightName, String biasName) {
    super(path);
    this.weight = weight;
    this.bias = bias;
    inputSite = Site.input(path);
    outputSite = Site.output(path);
    weightSite = Site.tensor(weightName);
    biasSite = Site.tensor(biasName);
  }

  /** Its matrix. */
  public Weight weight() {
    return weight;
  }

  /** Its bias [out], or null. */
  public @Nullable Tensor bias() {
    return bias;
  }

  /** The matrix as products of single rows read it, or null. */
  @Nullable Matrix matrix() {
    return single().matrix();
  }

  /** The bias [out] for products of single rows, or null. */
  float @Nullable [] biasValues() {
    return single().bias();
  }

  private Single single() {
    Single known = single;
    if (known == null) {
      known =
          new Single(
              weight.matrix(Kernels.current().crew()), bias == null ? null : bias.toFloats());
      single = known;
    }
    return known;
  }

  /** The name of its weight's tensor. */
  public String weightName() {
    return weightSite.path();
  }

  /** The name of its bias's tensor, whether it has one or not. */
  public String biasName() {
    return biasSite.path();
  }

  /** [tokens, in] to [tokens, out]. */
  public Tensor forward(Tensor input, Pass pass) {
    return forward(input, pass, null);
  }

  /**
   * Some outputs only.
   *
   * @param outputs which ones, I64 [chosen], or null for all
   * @return [tokens, chosen]
   */
  public Tensor forward(Tensor input, Pass pass, @Nullable Tensor outputs) {
    boolean inner = pass.touches(weightSite) || pass.touches(biasSite) || pass.touches(inputSite);
    if (!inner && !pass.touches(outputSite)) {
      return plain(input, pass, outputs);
    }
    Tensor atOnce = outputs == null ? changed(input, pass) : null;
    if (atOnce != null) {
      return atOnce;
    }
    // What no row changes is computed once for all rows.
    Tensor base = inner ? null : plain(input, pass, outputs);
    LowRankOutputs.Added added =
        base == null || outputs != null
            ? LowRankOutputs.Added.NONE
            : LowRankOutputs.add(base, input, outputSite, pass);
    if (base != null && added == LowRankOutputs.Added.ALL) {
      return base;
    }
    return pass.perSegment(
        (patches, start, inside) -> {
          Tensor in = inside.cut(input, start);
          Tensor out =
              base == null ? patched(in, patches, inside, outputs) : inside.cut(base, start);
          Patch.Output patch = patches.at(outputSite);
          if (patch == null
              || (added == LowRankOutputs.Added.SOME && LowRankOutputs.of(patch) != null)) {
            return out;
          }
          if (outputs != null) {
            throw new ModelException.Unsupported(
                "found a patch at the output of "
                    + path()
                    + " while only some of its outputs are computed; ask for all of them");
          }
          return patch.apply(in, out, inside);
        });
  }

  /** The product with W as the only patch of all rows changes it; null where there is none such. */
  private @Nullable Tensor changed(Tensor input, Pass pass) {
    if (pass.segments().size() != 1
        || !(weight instanceof Weight.Dense(Tensor stored))
        || !ChangedProduct.pays(input, stored)) {
      return null;
    }
    Patches patches = pass.segments().getFirst().patches();
    Patch atOutput = patches.at(outputSite);
    Patch atWeight = patches.at(weightSite);
    boolean one = (atOutput == null) != (atWeight == null);
    Patch only = atOutput == null ? atWeight : atOutput;
    boolean others =
        patches.at(inputSite) != null || (bias != null && patches.at(biasSite) != null);
    if (!one || others || !(only instanceof Patch.Changing changing)) {
      return null;
    }
    ChangedProduct.Change change = changing.change(pass);
    return change == null ? null : ChangedProduct.linear(input, stored, bias, change);
  }

  private Tensor plain(Tensor input, Pass pass, @Nullable Tensor outputs) {
    if (outputs != null || !isDecoding(input, pass)) {
      return product(input, weight, bias, outputs);
    }
    Matrix matrix = matrix();
    if (matrix == null) {
      return weight.product(input, bias);
    }
    float[] row = input.inPlace().toArray(ValueLayout.JAVA_FLOAT);
    float[] product = Kernels.current().product(matrix, row);
    float[] added = biasValues();
    if (added != null) {
      RowMath.add(product, added);
    }
    return Creation.floats(product, 1, product.length);
  }

  /**
   * Whether this is one token after others, for which the kernel of single rows is at hand; or one
   * of a text's first tokens, where the product would have to unpack the matrix.
   */
  private boolean isDecoding(Tensor input, Pass pass) {
    return pass.cache().isPresent()
        && input.elements() == input.size(-1)
        && input.rank() == 2
        && (pass.past(0) > 0 || !(weight instanceof Weight.Dense))
        && Kernels.available()
        && input.dtype() == DType.F32
        && input.device().equals(Device.CPU)
        && !input.requiresGradient();
  }

  private Tensor patched(Tensor input, Patches patches, Pass pass, @Nullable Tensor outputs) {
    Patch.Input atInput = patches.at(inputSite);
    Patch.Effective atWeight = patches.at(weightSite);
    Patch.Effective atBias = patches.at(biasSite);
    Tensor in = atInput == null ? input : atInput.apply(input, pass);
    Weight w = atWeight == null ? weight : new Weight.Dense(atWeight.apply(weight.dense(), pass));
    Tensor b = bias == null || atBias == null ? bias : atBias.apply(bias, pass);
    return product(in, w, b, outputs);
  }

  private static Tensor product(
      Tensor input, Weight weight, @Nullable Tensor bias, @Nullable Tensor outputs) {
    if (outputs == null) {
      return weight.product(input, bias);
    }
    Tensor rows = weight.rows(outputs);
    Tensor some = bias == null ? null : Indexing.select(bias, 0, outputs);
    return new Weight.Dense(rows).product(input, some);
  }

  @Override
  public SequencedMap<String, Tensor> tensors() {
    StoredTensors tensors = new StoredTensors().with(weightName(), weight::dense);
    Tensor b = bias;
    return b == null ? tensors : tensors.with(biasName(), () -> b);
  }

  @Override
  public SequencedMap<String, Held> held() {
    SequencedMap<String, Held> held = new LinkedHashMap<>();
    held.put(weightName(), Held.of(weight));
    if (bias != null) {
      held.put(biasName(), Held.of(bias));
    }
    return held;
  }

  @Override
  public List<Site<?>> sites() {
    return bias == null
        ? List.of(inputSite, weightSite, outputSite)
        : List.of(inputSite, weightSite, biasSite, outputSite);
  }
}
