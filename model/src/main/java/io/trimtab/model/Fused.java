package io.trimtab.model;

import io.trimtab.kernel.FusedRows;
import io.trimtab.kernel.FusedRows.Block;
import io.trimtab.kernel.Rows;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.CustomFunction;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Gradients;
import io.trimtab.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What a training step computes between its products, in one pass each and with hand-written
 * gradients: the one place where it is decided whether that is done, and the bridge from tensors to
 * {@link FusedRows}. Who asks computes with the engine's operators where the answer is no.
 */
final class Fused {
  /** Below so many numbers the engine's operators are as fast, and the compiler is spared work. */
  static final long ENOUGH = 1 << 16;

  private Fused() {}

  /**
   * Whether the work on these tensors is done here: they are of one type, F32 or BF16, lie row
   * after row in the CPU's memory, the first is large, and some gradient is wanted.
   */
  static boolean fits(Tensor first, Tensor... others) {
    Tensor[] all = Stream.concat(Stream.of(first), Arrays.stream(others)).toArray(Tensor[]::new);
    return pays(first.elements(), all) && Arrays.stream(all).allMatch(Fused::isPlain);
  }

  /**
   * The same for work on so many numbers that are yet to be made from {@code sources}, which may
   * lie in any order.
   */
  static boolean pays(long numbers, Tensor... sources) {
    return can(numbers, sources) && Arrays.stream(sources).anyMatch(Tensor::requiresGradient);
  }

  /** The same whether or not a gradient is wanted. */
  static boolean can(long numbers, Tensor... sources) {
    DType dtype = sources[0].dtype();
    return numbers >= ENOUGH
        && (dtype == DType.F32 || dtype == DType.BF16)
        && Kernels.available()
        && Arrays.stream(sources)
            .allMatch(each -> each.dtype() == dtype && each.device().equals(Device.CPU));
  }

  /** Whether it lies row after row, whatever it is made of, and has any numbers. */
  static boolean isPlain(Tensor tensor) {
    if (tensor.elements() == 0) {
      return false;
    }
    long stride = 1;
    for (int i = tensor.rank() - 1; i >= 0; i--) {
      if (tensor.size(i) != 1 && tensor.stride(i) != stride) {
        return false;
      }
      stride *= tensor.size(i);
    }
    return true;
  }

  /** A plain tensor of F32 or BF16 as a matrix of its last dimension. */
  static Block block(Tensor tensor) {
    int columns = (int) tensor.size(tensor.rank() - 1);
    Rows.Type type = tensor.dtype() == DType.F32 ? Rows.Type.F32 : Rows.Type.BF16;
    return new Block(type, tensor.elements() / columns, columns, tensor.inPlace());
  }

  private static Tensor like(Tensor tensor) {
    return Creation.empty(tensor.dtype(), tensor.shape());
  }

  private static FusedRows rows() {
    return Kernels.fused();
  }

  /**
   * Root-mean-square normalisation over the last dimension, with a gradient to the input alone.
   *
   * @param input [.., n]
   * @param weight [n], of the same type
   */
  static Tensor rmsNorm(Tensor input, Tensor weight, double epsilon) {
    return custom(
        List.of(input),
        () -> {
          Tensor y = like(input);
          rows().rmsNorm(block(input), block(weight), epsilon, block(y));
          return new Computed(y, List.of(input, weight));
        },
        (gradient, kept) -> {
          Tensor x = kept.get(0);
          Tensor dx = like(x);
          Block g = block(gradient.contiguous());
          rows().rmsNormGradient(block(x), block(kept.get(1)), epsilon, g, block(dx));
          return List.of(dx);
        });
  }

  /** Whether {@link #gate} knows the function. */
  static boolean knows(Activation activation) {
    return switch (activation) {
      case SILU, GELU_TANH, RELU -> true;
      case GELU, TANH -> false;
    };
  }

  private static io.trimtab.kernel.Activation kernel(Activation activation) {
    return switch (activation) {
      case SILU -> io.trimtab.kernel.Activation.SILU;
      case GELU_TANH -> io.trimtab.kernel.Activation.GELU_TANH;
      case RELU -> io.trimtab.kernel.Activation.RELU;
      case GELU, TANH -> throw new ModelException("found no gate with " + activation);
    };
  }

  /** Activation(gate) · up, keeping nothing but these two. */
  static Tensor gate(Activation activation, Tensor gate, Tensor up) {
    io.trimtab.kernel.Activation own = kernel(activation);
    return custom(
        List.of(gate, up),
        () -> {
          Tensor y = like(gate);
          rows().gate(own, block(gate), block(up), block(y));
          return new Computed(y, List.of(gate, up));
        },
        (gradient, kept) -> {
          Tensor a = kept.get(0);
          Tensor b = kept.get(1);
          Tensor da = like(a);
          Tensor db = like(b);
          Block g = block(gradient.contiguous());
          rows().gateGradient(own, block(a), block(b), g, block(da), block(db));
          return List.of(da, db);
        });
  }

  /**
   * Rotary positions.
   *
   * @param packed [tokens, heads · size]
   * @param cosine [tokens, 1, half]
   * @param sine [tokens, 1, half]
   */
  static Tensor rotate(Tensor packed, int heads, Tensor cosine, Tensor sine) {
    return custom(
        List.of(packed),
        () -> {
          Tensor y = like(packed);
          rows().rotate(block(packed), heads, block(cosine), block(sine), false, block(y));
          return new Computed(y, List.of(cosine, sine));
        },
        (gradient, kept) -> {
          Tensor dx = like(gradient);
          Block g = block(gradient.contiguous());
          Block c = block(kept.get(0));
          rows().rotate(g, heads, c, block(kept.get(1)), true, block(dx));
          return List.of(dx);
        });
  }

  /**
   * The weights of keys 0 to i for query i.
   *
   * @param scores [.., any number of times keys, keys]
   */
  static Tensor causalSoftmax(Tensor scores, double scale) {
    return custom(
        List.of(scores),
        () -> {
          Tensor weights = like(scores);
          rows().causalSoftmax(block(scores), scale, block(weights));
          return new Computed(weights, List.of(weights));
        },
        (gradient, kept) -> {
          Tensor ds = like(gradient);
          Block g = block(gradient.contiguous());
          rows().causalSoftmaxGradient(block(kept.getFirst()), g, scale, block(ds));
          return List.of(ds);
        });
  }

  /**
   * Mean cross-entropy as F32. The gradient takes the logits' place: they must have no other use.
   *
   * @param logits [rows, classes]
   * @param classes one a row
   */
  static Tensor crossEntropy(Tensor logits, long[] classes) {
    double[] sums = rows().logSumExp(block(logits));
    return custom(
        List.of(logits),
        () -> {
          double[] found = rows().pick(block(logits), classes);
          double loss = 0;
          for (int i = 0; i < found.length; i++) {
            loss += sums[i] - found[i];
          }
          Tensor mean = Creation.scalar(loss / found.length, DType.F32, Device.CPU);
          return new Computed(mean, List.of(logits));
        },
        (gradient, kept) -> {
          Tensor own = kept.getFirst();
          double factor = gradient.item() / classes.length;
          rows().crossEntropyGradient(block(own), sums, classes, factor, block(own));
          return List.of(own);
        });
  }

  private static Tensor custom(List<Tensor> inputs, Supplier<Computed> forward, Backward backward) {
    return Gradients.custom(new Call(forward, backward), inputs);
  }

  /** What a forward pass gives: y, and what the backward pass needs. */
  private record Computed(Tensor output, List<Tensor> kept) {}

  /** From dL/dy and what was kept to the gradients of the inputs. */
  @FunctionalInterface
  private interface Backward {
    List<@Nullable Tensor> of(Tensor gradient, List<Tensor> kept);
  }

  private static final class Call implements CustomFunction {
    private final Supplier<Computed> forward;
    private final Backward backward;
    private List<Tensor> kept = List.of();

    Call(Supplier<Computed> forward, Backward backward) {
      this.forward = forward;
      this.backward = backward;
    }

    @Override
    public Tensor forward() {
      Computed computed = forward.get();
      kept = computed.kept();
      return computed.output();
    }

    @Override
    public List<Tensor> saved() {
      return kept;
    }

    @Override
    public List<@Nullable Tensor> backward(
        Tensor gradient, List<Tensor> saved, List<Boolean> wanted) {
      return backward.of(gradient, saved);
    }
  }
}
