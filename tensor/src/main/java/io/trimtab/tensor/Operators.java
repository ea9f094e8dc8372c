package io.trimtab.tensor;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import org.bytedeco.pytorch.Argument;
import org.bytedeco.pytorch.Dispatcher;
import org.bytedeco.pytorch.GenericList;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.IValueVector;
import org.bytedeco.pytorch.OperatorHandle;
import org.bytedeco.pytorch.Type;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/**
 * Calls any registered operator of the engine by its schema's name, for those the binding has no
 * method for (about 13 µs a call).
 */
final class Operators {
  private static final ConcurrentHashMap<String, Operator> KNOWN = new ConcurrentHashMap<>();

  /**
   * An operator as registered.
   *
   * @param elements of each argument that is a list the type of its elements, which the engine
   *     wants to be told even of an empty list; null for other arguments
   */
  private record Operator(OperatorHandle handle, List<Type.@Nullable TypePtr> elements) {}

  private Operators() {}

  /**
   * Calls {@code name} (such as {@code aten::_int_mm}) in the given overload ("" for most).
   *
   * @param arguments one a schema argument, in order, defaults included: a {@link Tensor}, a
   *     number, a boolean, a string, a list of one of these, or null for none
   * @return the operator's results
   */
  static List<Tensor> call(String name, String overload, @Nullable Object... arguments) {
    Native.touch();
    Operator operator = KNOWN.computeIfAbsent(name + "." + overload, key -> find(name, overload));
    try (Scope scope = Scope.open()) {
      IValueVector stack = new IValueVector();
      for (int i = 0; i < arguments.length; i++) {
        Object argument = arguments[i];
        stack.push_back(
            argument instanceof List<?> list
                ? list(list, operator.elements().get(i))
                : value(argument));
      }
      operator.handle().callBoxed(stack);
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

  private static Operator find(String name, String overload) {
    try (Scope _ = Scope.open()) {
      OperatorHandle handle =
          Native.forever(Dispatcher.singleton().findSchemaOrThrow(name, overload));
      // A copy of all arguments, of which the binding frees nothing: hence once an operator.
      Argument arguments = Native.forever(handle.schema().arguments());
      List<Type.@Nullable TypePtr> elements = new ArrayList<>();
      for (long i = 0; i < arguments.limit(); i++) {
        Type type = arguments.getPointer(i).type().get();
        boolean list = type.kind().intern() == torch.TypeKind.ListType;
        elements.add(list ? Native.forever(type.containedType(0)) : null);
      }
      return new Operator(handle, elements);
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
      case Double number -> new IValue(number.doubleValue());
      case Long number -> new IValue(number.longValue());
      case Integer number -> new IValue(number.longValue());
      case Boolean flag -> new IValue(flag.booleanValue());
      case String text -> new IValue(text);
      default ->
          throw new TensorException(
              "found an operator argument of "
                  + argument.getClass()
                  + ", expected a tensor, a number, a boolean, a string, a list of one of these or"
                  + " null");
    };
  }

  private static IValue list(List<?> elements, Type.@Nullable TypePtr type) {
    if (type == null) {
      throw new TensorException(
          "found a list as an argument that is none in the operator's schema; pass a single value");
    }
    GenericList list = new GenericList(type);
    elements.forEach(element -> list.push_back(value(element)));
    return new IValue(list);
  }
}
