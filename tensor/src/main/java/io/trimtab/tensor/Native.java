package io.trimtab.tensor;

import java.util.Properties;
import java.util.concurrent.ConcurrentHashMap;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.pytorch.DeviceOptional;
import org.bytedeco.pytorch.MemoryFormatOptional;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * What every class of this room shares of the binding: its limits, set before it is first touched.
 */
final class Native {
  static {
    // JavaCPP reads these once. Its defaults are multiples of the Java heap and would stall, then
    // kill, a process whose frozen weights are larger; memory here is bounded by scopes instead.
    // What the user has set on the command line stands.
    Properties properties = System.getProperties();
    properties.putIfAbsent("org.bytedeco.javacpp.maxBytes", "0");
    properties.putIfAbsent("org.bytedeco.javacpp.maxPhysicalBytes", "0");
    WaitPolicy.passive();
  }

  // Arguments that never change, made once; after the properties above, which must come first.
  static final ScalarTypeOptional SAME_TYPE = forever(new ScalarTypeOptional());
  static final TensorOptional NO_TENSOR = forever(new TensorOptional());
  static final MemoryFormatOptional SAME_FORMAT = forever(new MemoryFormatOptional());

  private record Kind(DType dtype, Device device) {}

  private static final ConcurrentHashMap<Kind, TensorOptions> OPTIONS = new ConcurrentHashMap<>();

  private Native() {}

  /** Runs the static initialiser above; call it before the first use of a binding class. */
  static void touch() {}

  static ScalarType scalarType(DType dtype) {
    return switch (dtype) {
      case F64 -> ScalarType.Double;
      case F32 -> ScalarType.Float;
      case F16 -> ScalarType.Half;
      case BF16 -> ScalarType.BFloat16;
      case I64 -> ScalarType.Long;
      case I32 -> ScalarType.Int;
      case I8 -> ScalarType.Char;
      case U8 -> ScalarType.Byte;
      case BOOL -> ScalarType.Bool;
    };
  }

  static DType dtype(ScalarType type) {
    return switch (type.intern()) {
      case Double -> DType.F64;
      case Float -> DType.F32;
      case Half -> DType.F16;
      case BFloat16 -> DType.BF16;
      case Long -> DType.I64;
      case Int -> DType.I32;
      case Char -> DType.I8;
      case Byte -> DType.U8;
      case Bool -> DType.BOOL;
      default ->
          throw new TensorException(
              "found a tensor of element type "
                  + type
                  + ", expected one of "
                  + java.util.Arrays.toString(DType.values())
                  + "; convert it first");
    };
  }

  static TensorOptions options(DType dtype, Device device) {
    return OPTIONS.computeIfAbsent(new Kind(dtype, device), Native::newOptions);
  }

  private static TensorOptions newOptions(Kind kind) {
    try (Scope _ = Scope.open()) {
      return forever(
          new TensorOptions(scalarType(kind.dtype))
              .device(new DeviceOptional(kind.device.handle())));
    }
  }

  /**
   * Keeps a native object alive for as long as Java can reach it: without this, whichever scope is
   * open while it is made, perhaps in a static initialiser, would free it.
   */
  static <P extends Pointer> P forever(P pointer) {
    pointer.retainReference();
    return pointer;
  }

  static torch.DeviceType deviceType(Device.Kind kind) {
    return switch (kind) {
      case CPU -> torch.DeviceType.CPU;
      case CUDA -> torch.DeviceType.CUDA;
    };
  }

  /** A pointer to foreign memory that neither owns nor frees it. */
  static Pointer address(long address) {
    return new Foreign(address);
  }

  private static final class Foreign extends Pointer {
    Foreign(long address) {
      super((Pointer) null);
      this.address = address;
    }
  }
}
