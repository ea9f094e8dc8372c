package io.trimtab.hub;

import io.trimtab.hub.blocks.BlockFormat;
import io.trimtab.hub.blocks.FourBitCode;
import io.trimtab.hub.blocks.FourBitTensor;
import io.trimtab.hub.blocks.Int8Rows;
import io.trimtab.hub.blocks.PackedTensor;
import io.trimtab.hub.blocks.QuantizedTensor;
import io.trimtab.hub.blocks.Scales;
import io.trimtab.tensor.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Finds the quantized layers of a checkpoint by the names of their parts.
 *
 * <table>
 * <caption>The parts of a layer's tensor W</caption>
 * <tr><td>4 bits, bitsandbytes</td><td>{@code W} U8 [bytes, 1], {@code W.absmax} F32 [blocks],
 *   {@code W.quant_map} F32 [16], {@code W.quant_state.bitsandbytes__nf4} (a JSON text of the shape
 *   and the size of blocks); where scales are quantized, {@code W.absmax} U8, {@code
 *   W.nested_absmax}, {@code W.nested_quant_map} F32 [256]</td></tr>
 * <tr><td>8 bits, bitsandbytes</td><td>{@code W} I8 [out, in], {@code SCB} F32 [out], {@code
 *   weight_format} U8</td></tr>
 * <tr><td>4 bits, compressed-tensors</td><td>{@code W_packed} I32 [out, in / 8], {@code W_scale}
 *   [out, in / 32], {@code W_shape} I64 [2]</td></tr>
 * </table>
 */
final class QuantizedLayers {
  static final String STATE = ".quant_state.bitsandbytes__";
  static final String SCB = "SCB";
  static final String FORMAT = "weight_format";
  static final String PACKED = "_packed";
  static final String SCALE = "_scale";
  static final String SHAPE = "_shape";

  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final Path path;
  private final TensorFile file;
  private final Arena arena;
  private final Set<String> parts;

  private QuantizedLayers(Path path, TensorFile file, Arena arena, Set<String> parts) {
    this.path = path;
    this.file = file;
    this.arena = arena;
    this.parts = parts;
  }

  /**
   * Finds them.
   *
   * @param arena where what has to be laid out anew is put
   * @param found gets the tensors by name
   * @param parts gets the names of all that they are made of
   */
  static void find(
      Path path, TensorFile file, Arena arena, Map<String, PackedTensor> found, Set<String> parts) {
    QuantizedLayers layers = new QuantizedLayers(path, file, arena, parts);
    for (String name : file.names()) {
      int state = name.indexOf(STATE);
      try {
        if (state > 0) {
          String weight = name.substring(0, state);
          found.put(weight, layers.fourBit(weight, name.substring(state + STATE.length())));
        } else if (name.endsWith("." + SCB)) {
          String weight = name.substring(0, name.length() - SCB.length()) + "weight";
          found.put(weight, layers.int8(weight, name));
        } else if (name.endsWith(PACKED)) {
          String weight = name.substring(0, name.length() - PACKED.length());
          found.put(weight, layers.int4(weight));
        }
      } catch (IllegalArgumentException | IndexOutOfBoundsException | ArithmeticException e) {
        throw new FileFormatException(
            path, "the parts of " + name + " do not belong together (" + e.getMessage() + ")", e);
      }
    }
  }

  private MemorySegment part(String name, DType... types) {
    TensorInfo info = file.info(name);
    if (!List.of(types).contains(info.dtype())) {
      throw new FileFormatException(
          path, "holds %s, expected one of %s".formatted(info, Arrays.toString(types)));
    }
    parts.add(name);
    return file.bytes(name);
  }

  private FourBitTensor fourBit(String weight, String kind) {
    FourBitCode code =
        switch (kind) {
          case "nf4" -> FourBitCode.NF4;
          case "fp4" -> FourBitCode.FP4;
          default ->
              throw new FileFormatException(
                  path, weight + " is of the kind '" + kind + "', expected nf4 or fp4");
        };
    byte[] text = part(weight + STATE + kind, DType.U8).toArray(ValueLayout.JAVA_BYTE);
    ModelConfig state = ModelConfig.of(Json.parseObject(text, path + ": " + weight), path);
    float[] table = floats(part(weight + ".quant_map", DType.F32));
    if (!Arrays.equals(table, code.table())) {
      throw new FileFormatException(path, weight + ".quant_map is not the table of " + kind);
    }
    long[] shape = state.integers("shape").stream().mapToLong(Integer::longValue).toArray();
    checkMatrix(weight, shape);
    Scales scales;
    if (file.info(weight + ".absmax").dtype() == DType.U8) {
      float[] outer = floats(part(weight + ".nested_quant_map", DType.F32));
      MemorySegment codes = part(weight + ".absmax", DType.U8);
      MemorySegment absmax = part(weight + ".nested_absmax", DType.F32);
      int size = state.integer("nested_blocksize");
      if (outer.length != 256
          || size < 1
          || absmax.byteSize() / Float.BYTES != Math.ceilDiv(codes.byteSize(), (long) size)) {
        throw new FileFormatException(
            path, "the scales of " + weight + " do not belong to their own scales");
      }
      scales =
          new Scales.Nested(
              codes, outer, new Scales.Plain(absmax), size, (float) state.decimal("nested_offset"));
    } else {
      scales = new Scales.Plain(part(weight + ".absmax", DType.F32));
    }
    return new FourBitTensor(
        code, shape, state.integer("blocksize"), part(weight, DType.U8), scales);
  }

  private Int8Rows int8(String weight, String scales) {
    String format = scales.substring(0, scales.length() - SCB.length()) + FORMAT;
    if (file.names().contains(format)
        && part(format, DType.U8).toArray(ValueLayout.JAVA_BYTE)[0] != 0) {
      throw new FileFormatException(
          path, weight + " is laid out for a graphics processor, expected rows");
    }
    long[] shape = file.info(weight).shape();
    checkMatrix(weight, shape);
    return new Int8Rows(shape, part(weight, DType.I8), part(scales, DType.F32));
  }

  /** Whole numbers and a scale for 32 of a row, which are blocks of Q4_0 laid out otherwise. */
  private QuantizedTensor int4(String weight) {
    MemorySegment codes = part(weight + PACKED, DType.I32);
    MemorySegment shapeBytes = part(weight + SHAPE, DType.I64);
    if (shapeBytes.byteSize() != 2 * Long.BYTES) {
      throw new FileFormatException(path, weight + SHAPE + " does not hold two numbers");
    }
    long[] shape = {shapeBytes.get(LONG, 0), shapeBytes.get(LONG, Long.BYTES)};
    checkMatrix(weight, shape);
    DType type = file.info(weight + SCALE).dtype();
    MemorySegment scales = part(weight + SCALE, DType.F32, DType.F16, DType.BF16);
    if (shape[1] % Int4Layout.GROUP != 0
        || codes.byteSize() != Math.multiplyExact(shape[0], shape[1]) / 2
        || file.info(weight + SCALE).elements() != shape[0] * (shape[1] / Int4Layout.GROUP)) {
      throw new FileFormatException(
          path,
          "%s of %s, expected whole numbers of 4 bits and a scale for each 32 of a row"
              .formatted(weight, Arrays.toString(shape)));
    }
    return new QuantizedTensor(
        BlockFormat.Q4_0,
        shape,
        Int4Layout.blocks(codes, group -> scale(scales, type, group), arena));
  }

  private static float scale(MemorySegment scales, DType type, long at) {
    return switch (type) {
      case F16 -> Float.float16ToFloat(scales.get(SHORT, at * Short.BYTES));
      case BF16 -> Float.intBitsToFloat(scales.get(SHORT, at * Short.BYTES) << 16);
      default -> scales.get(FLOAT, at * Float.BYTES);
    };
  }

  private void checkMatrix(String weight, long[] shape) {
    if (shape.length != 2 || shape[0] < 1 || shape[1] < 1) {
      throw new FileFormatException(
          path, weight + " has the shape " + Arrays.toString(shape) + ", expected a matrix");
    }
    Math.multiplyExact(shape[0], shape[1]);
  }

  private static float[] floats(MemorySegment bytes) {
    return bytes.toArray(FLOAT);
  }
}
