package io.trimtab.tensor;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * x (W + ΔW)ᵀ + b, where W is frozen and ΔW is made of few trained numbers: one product does for
 * both, and one for the gradient to x, where ΔW x beside W x would take two or more each. Numbers
 * train by formulas of their own, so that neither ΔW nor its gradient need be in a graph.
 */
public final class ChangedProduct {
  private ChangedProduct() {}

  /** How trained numbers change a weight. */
  public interface Change {
    /** The tensors of trained numbers. */
    List<Tensor> trained();

    /**
     * W + ΔW, [out, in], in memory of its own; runs without a graph.
     *
     * @param weight W, [out, in]
     * @param trained the values of {@link #trained}
     */
    Tensor changed(Tensor weight, List<Tensor> trained);

    /**
     * dL/dθ for each of {@link #trained}; runs without a graph.
     *
     * @param input x, [tokens, in]
     * @param gradient dL/dy, [tokens, out]
     * @param trained the values of {@link #trained}
     * @param wanted for each of them whether its gradient is
     * @return of the shapes and types of {@code trained}; may be null for one not wanted
     */
    List<@Nullable Tensor> gradients(
        Tensor input, Tensor gradient, List<Tensor> trained, List<Boolean> wanted);

    /**
     * Whether {@link #changed} costs so little that it is made again for the backward pass rather
     * than kept until then.
     */
    boolean isCheap();
  }

  /**
   * Whether this is the cheaper way: where a gradient is wanted, the types are those that W + ΔW
   * does not lose digits in, and there are so many tokens that changing W costs less than the
   * products that it saves.
   *
   * @param input x, [tokens, in]
   * @param weight W, [out, in]
   */
  public static boolean pays(Tensor input, Tensor weight) {
    long in = weight.size(1);
    long out = weight.size(0);
    DType dtype = weight.dtype();
    return Gradients.recording()
        && (dtype == DType.F32 || dtype == DType.F64)
        && input.dtype() == dtype
        && input.rank() == 2
        && input.size(1) == in
        && !weight.requiresGradient()
        && 2 * input.size(0) * (in + out) >= in * out;
  }

  /**
   * The product, with gradients to x and to what is trained.
   *
   * @param input x, [tokens, in]
   * @param weight W, [out, in]
   * @param bias [out], frozen; null for none
   * @return [tokens, out]
   */
  public static Tensor linear(Tensor input, Tensor weight, @Nullable Tensor bias, Change change) {
    List<Tensor> inputs = new ArrayList<>();
    inputs.add(input);
    inputs.addAll(change.trained());
    return Gradients.custom(new Product(input, weight, bias, change), inputs);
  }

  /** One call. */
  private static final class Product implements CustomFunction {
    private final Tensor input;
    private final Tensor weight;
    private final @Nullable Tensor bias;
    private final Change change;
    private final List<Tensor> trained;
    private @Nullable Tensor changed;

    Product(Tensor input, Tensor weight, @Nullable Tensor bias, Change change) {
      this.input = input;
      this.weight = weight;
      this.bias = bias;
      this.change = change;
      trained = change.trained();
    }

    @Override
    public Tensor forward() {
      Tensor whole = change.changed(weight, trained);
      if (!change.isCheap()) {
        changed = whole;
      }
      return FrozenProduct.product(input, whole, bias);
    }

    @Override
    public List<Tensor> saved() {
      List<Tensor> all = new ArrayList<>();
      all.add(input);
      all.addAll(trained);
      if (changed != null) {
        all.add(changed);
      }
      return all;
    }

    @Override
    public List<@Nullable Tensor> backward(
        Tensor gradient, List<Tensor> saved, List<Boolean> wanted) {
      List<Tensor> numbers = saved.subList(1, 1 + trained.size());
      Tensor plain = gradient.contiguous();
      List<@Nullable Tensor> all = new ArrayList<>();
      all.add(wanted.getFirst() ? inputGradient(plain, saved, numbers) : null);
      List<Boolean> which = wanted.subList(1, wanted.size());
      all.addAll(change.gradients(saved.getFirst(), plain, numbers, which));
      return all;
    }

    private Tensor inputGradient(Tensor gradient, List<Tensor> saved, List<Tensor> numbers) {
      if (saved.size() > 1 + numbers.size()) {
        return FrozenProduct.toInput(gradient, saved.getLast());
      }
      return Scope.of(() -> FrozenProduct.toInput(gradient, change.changed(weight, numbers)));
    }
  }
}
