package io.trimtab.model;

import io.trimtab.hub.Quantizer;
import io.trimtab.hub.TensorFile;
import io.trimtab.hub.TensorInfo;
import io.trimtab.hub.blocks.PackedTensor;
import io.trimtab.model.weights.HalfWeight;
import io.trimtab.model.weights.PackedWeight;
import io.trimtab.model.weights.Weight;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/** Loads a checkpoint's tensors in the form that a model is opened with. */
final class Matrices {
  /** A layer inside a numbered block. */
  private static final Pattern IN_BLOCK = Pattern.compile("(^|.*\\.)\\d+\\..*");

  private final TensorFile file;
  private final OpenOptions options;
  private final Set<String> inPlace = new HashSet<>();

  Matrices(TensorFile file, OpenOptions options) {
    this.file = file;
    this.options = options;
  }

  /**
   * Whether a linear layer's matrix is one that quantizing is for: those of blocks. Heads, poolers
   * and the projections beside embeddings are few and matter much.
   */
  static boolean isInBlock(String path) {
    return IN_BLOCK.matcher(path).matches();
  }

  /**
   * A matrix that is not held as plain numbers of the type computed in; empty for one that is.
   *
   * @param name its name in the file
   * @param turned whether the file has it the other way round
   * @param quantized whether it is one that quantizing is for
   */
  Optional<Weight> load(String name, boolean turned, boolean quantized) {
    return switch (options.weights()) {
      case AUTO -> file.hasQuantizedLayers() ? asStored(name, turned) : streamed(name, turned);
      case F32 -> Optional.empty();
      case BF16 -> narrow(name, turned, DType.BF16);
      case STORED -> asStored(name, turned);
      case INT8 -> quantized ? quantize(name, turned, Quantizer.INT8) : asWide(name, turned);
      case NF4 -> quantized ? quantize(name, turned, Quantizer.NF4) : asWide(name, turned);
      case INT4 -> quantized ? quantize(name, turned, Quantizer.INT4) : asWide(name, turned);
    };
  }

  /**
   * Blocks that products of single rows read as they are: a text is written as much faster as these
   * are smaller, and opening a file costs nothing. Where more is computed in 16 bits, or there are
   * no kernels, plain numbers are the faster ones.
   */
  private Optional<Weight> streamed(String name, boolean turned) {
    boolean kernels = Kernels.available() && options.dtype() == DType.F32;
    return turned || !kernels || !options.device().equals(Device.CPU)
        ? Optional.empty()
        : file.packed(name)
            .filter(PackedWeight::isStreamed)
            .map(found -> PackedWeight.of(found, options.dtype(), null));
  }

  private Optional<Weight> asStored(String name, boolean turned) {
    Optional<PackedTensor> packed =
        turned || !options.device().equals(Device.CPU) ? Optional.empty() : file.packed(name);
    return packed.isPresent()
        ? packed.map(found -> PackedWeight.of(found, options.dtype(), null))
        : asWide(name, turned);
  }

  @SuppressWarnings("MustBeClosedChecker") // the weight closes it
  private Optional<Weight> quantize(String name, boolean turned, Quantizer quantizer) {
    long[] stored = file.info(name).shape();
    long[] shape = turned && stored.length == 2 ? new long[] {stored[1], stored[0]} : stored;
    if (!quantizer.fits(shape)) {
      return asWide(name, turned);
    }
    Arena arena = Arena.ofShared();
    try {
      PackedTensor packed = quantizer.pack(file, name, turned, arena);
      return Optional.of(PackedWeight.of(packed, options.dtype(), arena));
    } catch (RuntimeException e) {
      arena.close();
      throw e;
    }
  }

  /** A matrix as wide as the file has it, where more is computed in. */
  private Optional<Weight> asWide(String name, boolean turned) {
    return narrow(name, turned, file.info(name).dtype());
  }

  /** A matrix of 16-bit numbers where more are computed in. */
  private Optional<Weight> narrow(String name, boolean turned, DType dtype) {
    TensorInfo info = file.info(name);
    boolean narrower = dtype == DType.BF16 || dtype == DType.F16;
    return narrower && options.dtype() == DType.F32 && info.dtype().isFloating()
        ? Optional.of(new HalfWeight(plain(info, turned, dtype), options.dtype()))
        : Optional.empty();
  }

  /** The names in the file of what was loaded without a copy. */
  Set<String> inPlace() {
    return Set.copyOf(inPlace);
  }

  /** A tensor of the type computed in, that the caller frees; whole numbers keep their type. */
  Tensor plain(TensorInfo info, boolean turned) {
    return plain(info, turned, options.dtype());
  }

  private Tensor plain(TensorInfo info, boolean turned, DType dtype) {
    MemorySegment bytes = file.bytes(info.name());
    boolean copied;
    Tensor result;
    try (Scope scope = Scope.open()) {
      Tensor plain = Creation.borrow(bytes, info.dtype(), info.shape());
      Tensor converted = info.dtype().isFloating() ? plain.to(dtype) : plain;
      Tensor placed = converted.to(options.device());
      copied = placed != plain;
      result = scope.keep(turned ? placed.transpose(0, 1) : placed).held();
    }
    if (copied) {
      if (bytes.isMapped()) {
        bytes.unload(); // the file's own is not read again
      }
      file.release(info.name()); // nor what was computed of it
    } else {
      inPlace.add(info.name());
    }
    return result;
  }
}
