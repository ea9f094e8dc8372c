package io.trimtab.hub;

import io.trimtab.tensor.DType;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The names that PyTorch's state dicts use, and what they stand for here. No class is looked up and
 * no method called by a name out of a file.
 */
final class TorchGlobals {
  static final String ORDERED_DICT = "collections.OrderedDict";

  private static final String REBUILD_TENSOR = "torch._utils._rebuild_tensor_v2";
  private static final String REBUILD_PARAMETER = "torch._utils._rebuild_parameter";
  private static final String SIZE = "torch.Size";

  private static final Map<String, DType> STORAGES =
      Map.of(
          "torch.DoubleStorage", DType.F64,
          "torch.FloatStorage", DType.F32,
          "torch.HalfStorage", DType.F16,
          "torch.BFloat16Storage", DType.BF16,
          "torch.LongStorage", DType.I64,
          "torch.IntStorage", DType.I32,
          "torch.CharStorage", DType.I8,
          "torch.ByteStorage", DType.U8,
          "torch.BoolStorage", DType.BOOL);

  private static final Set<String> CALLABLE =
      Set.of(ORDERED_DICT, REBUILD_TENSOR, REBUILD_PARAMETER, SIZE);

  /** Element types by themselves, which say nothing about a tensor. */
  private static final Set<String> TYPES =
      Set.of(
          "torch.float64",
          "torch.float32",
          "torch.float16",
          "torch.bfloat16",
          "torch.int64",
          "torch.int32",
          "torch.int8",
          "torch.uint8",
          "torch.bool");

  private final Path file;

  TorchGlobals(Path file) {
    this.file = file;
  }

  /**
   * The label for a name; for an element type its name as a text.
   *
   * @throws FileFormatException if a state dict does not use that name
   */
  PickleValue find(String module, String name) {
    String full = module + "." + name;
    if (TYPES.contains(full)) {
      return new PickleValue.Text(full);
    }
    if (CALLABLE.contains(full) || STORAGES.containsKey(full)) {
      return new PickleValue.Global(full);
    }
    throw refused(full);
  }

  /** Nothing has been done with the name when this is thrown. */
  FileFormatException refused(String name) {
    if (name.matches("torch\\.(storage\\.)?\\w*Storage|torch\\._utils\\._rebuild_tensor_v3")) {
      return new FileFormatException(
          file,
          "has a tensor of an unsupported type (%s); expected one of %s"
              .formatted(name, Arrays.toString(DType.values())));
    }
    return new FileFormatException(
        file,
        "names '"
            + name
            + "', which could run code and no state dict needs: refused, nothing was run; expected"
            + " names and tensors only, save the state dict alone or use safetensors");
  }

  /** What calling a name gives, except for {@link #ORDERED_DICT}. */
  PickleValue call(String name, List<PickleValue> arguments) {
    switch (name) {
      case REBUILD_TENSOR -> {
        return tensor(arguments);
      }
      case REBUILD_PARAMETER -> {
        if (arguments.size() == 3 && arguments.get(0) instanceof PickleValue.Strided tensor) {
          return tensor;
        }
      }
      case SIZE -> {
        if (arguments.size() == 1 && arguments.get(0) instanceof PickleValue.Tuple sizes) {
          return sizes;
        }
      }
      default -> throw error("'" + name + "' is called, which is not a function");
    }
    throw unexpected(name, arguments);
  }

  /** Storage, offset, shape, strides, requires_grad, hooks and, rarely, marks on the tensor. */
  private PickleValue.Strided tensor(List<PickleValue> arguments) {
    if ((arguments.size() == 6 || arguments.size() == 7)
        && arguments.get(0) instanceof PickleValue.Storage storage
        && arguments.get(1) instanceof PickleValue.Int(long offset)
        && arguments.get(2) instanceof PickleValue.Tuple(List<PickleValue> shape)
        && arguments.get(3) instanceof PickleValue.Tuple(List<PickleValue> strides)) {
      // The marks say that the elements are to be negated or conjugated.
      if (arguments.size() == 7
          && !(arguments.get(6) instanceof PickleValue.None)
          && !(arguments.get(6) instanceof PickleValue.Dict marks && marks.values().isEmpty())) {
        throw error("a tensor is marked as negated or conjugated, not supported");
      }
      return new PickleValue.Strided(storage, offset, numbers(shape), numbers(strides));
    }
    throw unexpected(REBUILD_TENSOR, arguments);
  }

  private long[] numbers(List<PickleValue> values) {
    if (values.size() > TensorInfo.MAX_RANK) {
      throw error("a tensor has " + values.size() + " dimensions");
    }
    long[] numbers = new long[values.size()];
    for (int i = 0; i < numbers.length; i++) {
      if (!(values.get(i) instanceof PickleValue.Int(long number))) {
        throw error("a shape or stride is " + values.get(i).kind() + " instead of an int");
      }
      numbers[i] = number;
    }
    return numbers;
  }

  /**
   * What a persistent id stands for: {@code ('storage', class, key, location, elements)}; the old
   * format has {@code None} behind that.
   */
  PickleValue.Storage storage(PickleValue id) {
    if (id instanceof PickleValue.Tuple(List<PickleValue> parts)
        && (parts.size() == 5 || (parts.size() == 6 && parts.get(5) instanceof PickleValue.None))
        && parts.get(0) instanceof PickleValue.Text(String what)
        && what.equals("storage")
        && parts.get(1) instanceof PickleValue.Global(String type)
        && parts.get(2) instanceof PickleValue.Text(String key)
        && parts.get(4) instanceof PickleValue.Int(long elements)) {
      DType dtype = STORAGES.get(type);
      if (dtype == null || elements < 0) {
        throw error("storage '%s' has %d elements of %s".formatted(key, elements, type));
      }
      return new PickleValue.Storage(key, dtype, elements);
    }
    throw error(
        "a persistent id is not ('storage', type, key, location, elements) but " + id.kind());
  }

  private FileFormatException unexpected(String name, List<PickleValue> arguments) {
    return error(
        name
            + " is called with "
            + (arguments.isEmpty()
                ? "nothing"
                : arguments.size() + " arguments, the first " + arguments.get(0).kind()));
  }

  private FileFormatException error(String what) {
    return new FileFormatException(file, "is damaged or of another format: " + what);
  }
}
