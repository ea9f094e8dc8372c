package io.trimtab.model;

import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.Tensor;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where attention or a feed-forward network meets its input again: output + input, normed in models
 * that norm afterwards; some norm the output before the addition. It has no weights of its own; its
 * sites are the output before the addition, the result after the norm and, of an attention, its
 * keys and values.
 */
public final class Sublayer extends Layer {
  private final @Nullable Norm outputNorm;
  private final @Nullable Norm norm;
  private final Site<Patch.Residual> residualSite;
  private final Site<Patch.Output> outputSite;
  private final @Nullable Site<Patch.KeysAndValues> prefixSite;

  private Sublayer(String path, @Nullable Norm outputNorm, @Nullable Norm norm, boolean attention) {
    super(path);
    this.outputNorm = outputNorm;
    this.norm = norm;
    residualSite = Site.residual(path);
    outputSite = Site.output(path);
    prefixSite = attention ? Site.keysAndValues(path) : null;
  }

  /** An attention's; {@code norm} comes after the addition, or is null. */
  public static Sublayer attention(String path, @Nullable Norm norm) {
    return new Sublayer(path, null, norm, true);
  }

  /** A feed-forward network's; {@code norm} comes after the addition, or is null. */
  public static Sublayer feedForward(String path, @Nullable Norm norm) {
    return new Sublayer(path, null, norm, false);
  }

  /**
   * One whose output is normed before the addition, as in Gemma 2 and OLMo 2, or not at all.
   *
   * @param outputNorm over the output as patches have changed it, or null
   */
  public static Sublayer preNorm(String path, @Nullable Norm outputNorm, boolean attention) {
    return new Sublayer(path, outputNorm, null, attention);
  }

  /**
   * What to call the sublayer that ends in {@code last}: the module that checkpoints have it in, or
   * where that is the block itself, a name of its own.
   */
  public static String pathOf(Linear last, String block) {
    String module = last.path().substring(0, last.path().lastIndexOf('.'));
    return module.equals(block) ? last.path() + "_sublayer" : module;
  }

  /** The norm after the addition, or null. */
  public @Nullable Norm norm() {
    return norm;
  }

  /** Whether it is an attention's. */
  public boolean isAttention() {
    return prefixSite != null;
  }

  /**
   * Adds and norms.
   *
   * @param input what the sublayer was given [tokens, hidden]
   * @param output what it gives [tokens, hidden]
   * @param residual what that is added to [tokens, hidden]
   * @return [tokens, hidden]
   */
  public Tensor finish(Tensor input, Tensor output, Tensor residual, Pass pass) {
    Tensor changed = changed(input, output, residual, pass);
    Tensor added = outputNorm == null ? changed : outputNorm.forward(changed, pass);
    Tensor sum = Arithmetic.add(added, residual);
    Tensor result = norm == null ? sum : norm.forward(sum, pass);
    return pass.output(outputSite, input, result);
  }

  private Tensor changed(Tensor input, Tensor output, Tensor residual, Pass pass) {
    if (!pass.touches(residualSite)) {
      return output;
    }
    return pass.perSegment(
        (patches, start, inside) -> {
          Patch.Residual patch = patches.at(residualSite);
          Tensor own = inside.cut(output, start);
          if (patch == null) {
            return own;
          }
          return patch.apply(
              new Patch.Residual.Sublayer(
                  inside.cut(input, start),
                  own,
                  inside.cut(residual, start),
                  norm == null ? null : tokens -> norm.forward(tokens, inside)),
              inside);
        });
  }

  /** The prefixes of the rows of an attention over {@code hidden} [tokens, hidden]. */
  public Prefixes prefixes(Tensor hidden, Pass pass) {
    return prefixSite == null ? Prefixes.NONE : Prefixes.of(prefixSite, hidden, pass);
  }

  @Override
  public List<Site<?>> sites() {
    return prefixSite == null
        ? List.of(residualSite, outputSite)
        : List.of(prefixSite, residualSite, outputSite);
  }
}
