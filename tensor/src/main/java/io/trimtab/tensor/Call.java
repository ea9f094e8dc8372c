package io.trimtab.tensor;

import java.util.Arrays;
import java.util.Objects;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Runs native work and turns what the engine throws into a {@link TensorException} of one line that
 * names the operator, its operands and the engine's reason. All that costs anything is done only
 * when the engine has refused.
 */
final class Call {
  private static final StackWalker WALKER =
      StackWalker.getInstance(StackWalker.Option.RETAIN_CLASS_REFERENCE);

  /** Stand between the public method and the native call. */
  private static final Set<Class<?>> INNER = Set.of(Call.class, GradientHook.class);

  static {
    Native.touch(); // before any binding class that the work names is first used
  }

  private Call() {}

  /** The tensor that {@code work} makes of {@code operands}. */
  static Tensor of(Supplier<org.bytedeco.pytorch.Tensor> work, @Nullable Tensor... operands) {
    return Tensor.of(get(work, operands));
  }

  /** Anything that {@code work} makes of {@code operands}. */
  static <T> T get(Supplier<T> work, @Nullable Tensor... operands) {
    try {
      return work.get();
    } catch (TrimtabException e) {
      throw e;
    } catch (RuntimeException e) {
      throw refused(e, operands);
    }
  }

  /** Work without a result. */
  static void run(Runnable work, @Nullable Tensor... operands) {
    try {
      work.run();
    } catch (TrimtabException e) {
      throw e;
    } catch (RuntimeException e) {
      throw refused(e, operands);
    }
  }

  /**
   * The public method that was called is found on the stack, so that no operator need name itself.
   */
  private static TensorException refused(RuntimeException e, @Nullable Tensor... operands) {
    String operator =
        WALKER.walk(
            frames ->
                frames
                    .filter(frame -> !INNER.contains(frame.getDeclaringClass()))
                    .filter(frame -> !frame.getMethodName().startsWith("lambda$"))
                    .findFirst()
                    .map(frame -> simpleName(frame) + "." + frame.getMethodName())
                    .orElse("an operator"));
    return refused(operator, e, operands);
  }

  /** The same for an operator that is known by name. */
  static TensorException refused(
      String operator, RuntimeException e, @Nullable Tensor... operands) {
    String found =
        operands.length == 0
            ? operator
            : operator
                + " of "
                + Arrays.stream(operands)
                    .filter(Objects::nonNull)
                    .map(Call::brief)
                    .collect(Collectors.joining(" and "));
    return new TensorException(
        "found "
            + found
            + ", expected arguments that fit each other ("
            + reason(e)
            + "); check their shapes, types and devices",
        e);
  }

  private static String simpleName(StackWalker.StackFrame frame) {
    return frame.getDeclaringClass().getSimpleName();
  }

  private static String brief(Tensor tensor) {
    String text = tensor.toString();
    return text.substring(text.indexOf('[') + 1, text.length() - 1);
  }

  /** The engine's message without the dump of its native stack, on one line. */
  private static String reason(RuntimeException e) {
    String message = String.valueOf(e.getMessage());
    int dump = message.indexOf("Exception raised from");
    return (dump < 0 ? message : message.substring(0, dump)).strip().replaceAll("\\s+", " ");
  }
}
