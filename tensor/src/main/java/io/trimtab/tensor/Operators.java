package io.trimtab.tensor;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import org.bytedeco.pytorch.Dispatcher;
import org.bytedeco.pytorch.GenericList;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.IValueVector;
import org.bytedeco.pytorch.OperatorHandle;
import org.bytedeco.pytorch.TensorList;
import org.jspecify.annotations.Nullable;

/**
 * Calls any registered operator of the engine by its schema's name, for those the binding has no
 * method for (about 13 µs a call).
 */
final class Operators {
  private static final ConcurrentHashMap<String, OperatorHandle> HANDLES =
      new ConcurrentHashMap<>();

  private Operators() {}

  /**
   * Calls {@code name} (such as {@code aten::_int_mm}) in the given overload ("" for most).
   *
   * @param arguments one a schema argument, in order, defaults included: a {@link Tensor}, a list
   *     of them, a number, a boolean, a string, or null for none
   * @return the operator's results
   */
  static List<Tensor> call(String name, String overload, @Nullable Object... arguments) {
    Native.touch();
    OperatorHandle handle =
        HANDLES.computeIfAbsent(name + "." + overload, key -> find(name, overload));
    try (Scope scope = Scope.open()) {
      IValueVector stack = new IValueVector();
      for (Object argument : arguments) {
        stack.push_back(value(argument));
      }
      handle.callBoxed(stack);
      List<Tensor> results = new ArrayList<>();
      for (long i = 0; i < stack.size(); i++) {
        IValue result = stack.get(i);
        if (result.isTensor()) {
          results.add(scope.keep(Tensor.of(result.toTensor())));
        }
      }
      return results;
    } catch (TrimtabException e) {
      throw e;
    } catch (RuntimeException e) {
      throw Call.refused(name, e, tensorsIn(arguments));
    }
  }

  private static Tensor[] tensorsIn(@Nullable Object... arguments) {
    return Arrays.stream(arguments)
        .filter(Tensor.class::isInstance)
        .map(Tensor.class::cast)
        .toArray(Tensor[]::new);
  }

  private static OperatorHandle find(String name, String overload) {
    try {
      return Native.forever(Dispatcher.singleton().findSchemaOrThrow(name, overload));
    } catch (RuntimeException e) {
      throw new TensorException(
          "found no operator "
              + name
              + " (overload \""
              + overload
              + "\") in this build of libtorch",
          e);
    }
  }

  private static IValue value(@Nullable Object argument) {
    return switch (argument) {
      case null -> new IValue();
      case Tensor tensor -> new IValue(tensor.handle());
      case List<?> list -> new IValue(tensors(list));
      case Double number -> new IValue(number.doubleValue());
      case Long number -> new IValue(number.longValue());
      case Integer number -> new IValue(number.longValue());
      case Boolean flag -> new IValue(flag.booleanValue());
      case String text -> new IValue(text);
      default ->
          throw new TensorException(
              "found an operator argument of "
                  + argument.getClass()
                  + ", expected a tensor, a list"
                  + " of tensors, a number, a boolean, a string or null");
    };
  }

  private static GenericList tensors(List<?> list) {
    GenericList tensors = new GenericList(new TensorList().elementType());
    list.forEach(element -> tensors.push_back(value(element)));
    return tensors;
  }
}
