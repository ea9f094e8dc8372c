package io.trimtab.hub;

import io.trimtab.hub.blocks.FourBitTensor;
import io.trimtab.hub.blocks.Int8Rows;
import io.trimtab.hub.blocks.PackedTensor;
import io.trimtab.hub.blocks.QuantizedTensor;
import io.trimtab.hub.blocks.Scales;
import io.trimtab.tensor.DType;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Writes a model with quantized layers as a directory of the Hugging Face layout: NF4 and int8 as
 * transformers saves what bitsandbytes quantized, int4 as compressed-tensors' {@code
 * pack-quantized}. {@link ModelDirectory} reads it again.
 */
public final class QuantizedExport {
  private static final String WEIGHTS = "model.safetensors";
  private static final String CONFIG = "config.json";
  private static final String OTHER_WEIGHTS =
      "(?i).*\\.(safetensors|bin|h5|msgpack|ot|onnx|gguf)(\\.index\\.json)?";

  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private QuantizedExport() {}

  /**
   * What to write.
   *
   * @param quantizer how layers are packed
   * @param nested whether NF4's scales are quantized in their turn
   * @param layers the names of the tensors to pack
   * @param skipped the paths of the linear layers that stay as they are
   * @param notes metadata of the weights' file
   */
  public record Plan(
      Quantizer quantizer,
      boolean nested,
      Set<String> layers,
      List<String> skipped,
      Map<String, String> notes) {
    /** Copies the collections. */
    public Plan {
      layers = Set.copyOf(layers);
      skipped = List.copyOf(skipped);
      notes = Map.copyOf(notes);
    }
  }

  /**
   * Writes a directory, which is there whole or not at all.
   *
   * @param source a model's directory with plain weights
   * @param target a directory that is not there yet, or is empty
   * @return the bytes of the weights' file
   * @throws HubException.Unsupported where a layer does not fit the quantizer, or the source holds
   *     quantized weights already
   * @throws FileFormatException where the target holds something, or cannot be written
   */
  public static long write(ModelDirectory source, Plan plan, Path target) {
    if (source.packedFile().isPresent() || source.isQuantized()) {
      throw new HubException.Unsupported(
          "found weights in "
              + source.source()
              + " that are quantized already, expected plain ones: rounding twice loses more; name"
              + " the model that they were made of");
    }
    long[] size = {0};
    try (TensorFile file = source.tensors();
        Arena arena = Arena.ofShared()) {
      var tensors = new LinkedHashMap<String, TensorData>();
      for (String name : file.names()) {
        TensorInfo info = file.info(name);
        if (plan.layers().contains(name)) {
          PackedTensor packed = plan.quantizer().pack(file, name, false, arena);
          put(name, info, packed, plan, arena, tensors);
        } else {
          tensors.put(name, new TensorData(info.dtype(), info.shape(), file.bytes(name)));
        }
      }
      Map<String, String> notes = new LinkedHashMap<>(Map.of("format", "pt"));
      notes.putAll(plan.notes());
      Map<String, @Nullable Object> config =
          new LinkedHashMap<>(Json.readObject(source.path().resolve(CONFIG)));
      config.put(QuantizationConfig.FIELD, description(plan));
      AtomicFiles.writeDirectory(
          target,
          directory -> {
            copyOthers(source.path(), directory);
            Files.writeString(directory.resolve(CONFIG), Json.write(config));
            Safetensors.write(directory.resolve(WEIGHTS), tensors, notes);
            size[0] = Files.size(directory.resolve(WEIGHTS));
          });
    }
    return size[0];
  }

  private static void put(
      String name,
      TensorInfo info,
      PackedTensor packed,
      Plan plan,
      Arena arena,
      Map<String, TensorData> out) {
    long[] shape = info.shape();
    switch (packed) {
      case FourBitTensor four ->
          put(name, info, plan.nested() ? four.nested(arena) : four, arena, out);
      case Int8Rows rows -> {
        String layer = name.substring(0, name.lastIndexOf('.') + 1);
        out.put(name, new TensorData(DType.I8, shape, rows.codes()));
        out.put(
            layer + QuantizedLayers.SCB,
            new TensorData(DType.F32, new long[] {shape[0]}, rows.largest()));
        out.put(
            layer + QuantizedLayers.FORMAT,
            new TensorData(DType.U8, new long[0], MemorySegment.ofArray(new byte[1])));
      }
      case QuantizedTensor blocks -> {
        MemorySegment both = arena.allocate(2 * Long.BYTES, Long.BYTES);
        both.set(LONG, 0, shape[0]);
        both.set(LONG, Long.BYTES, shape[1]);
        out.put(
            name + QuantizedLayers.PACKED,
            new TensorData(
                DType.I32,
                new long[] {shape[0], shape[1] / 8},
                Int4Layout.rows(blocks.blocks(), arena)));
        out.put(
            name + QuantizedLayers.SCALE,
            new TensorData(
                DType.F16,
                new long[] {shape[0], shape[1] / Int4Layout.GROUP},
                Int4Layout.scales(blocks.blocks(), arena)));
        out.put(name + QuantizedLayers.SHAPE, new TensorData(DType.I64, new long[] {2}, both));
      }
      default -> throw new IllegalStateException("no layout for " + packed.form());
    }
  }

  private static void put(
      String name, TensorInfo info, FourBitTensor four, Arena arena, Map<String, TensorData> out) {
    Map<String, @Nullable Object> state = new LinkedHashMap<>();
    state.put("quant_type", four.form());
    state.put("blocksize", four.blockSize());
    state.put("dtype", torchName(info.dtype()));
    state.put("shape", List.of(info.shape()[0], info.shape()[1]));
    out.put(name, bytes(four.codes(), DType.U8, four.codes().byteSize(), 1));
    switch (four.scales()) {
      case Scales.Plain plain ->
          out.put(name + ".absmax", bytes(plain.values(), DType.F32, plain.count()));
      case Scales.Nested nested -> {
        out.put(name + ".absmax", bytes(nested.codes(), DType.U8, nested.count()));
        MemorySegment outer = nested.outer().values();
        out.put(name + ".nested_absmax", bytes(outer, DType.F32, nested.outer().count()));
        out.put(
            name + ".nested_quant_map",
            bytes(floats(nested.table(), arena), DType.F32, nested.table().length));
        state.put("nested_blocksize", nested.blockSize());
        state.put("nested_dtype", "float32");
        state.put("nested_offset", (double) nested.offset());
      }
    }
    float[] table = four.code().table();
    out.put(name + ".quant_map", bytes(floats(table, arena), DType.F32, table.length));
    byte[] text = Json.write(state).getBytes(StandardCharsets.UTF_8);
    out.put(
        name + QuantizedLayers.STATE + four.form(),
        bytes(MemorySegment.ofArray(text), DType.U8, text.length));
  }

  private static TensorData bytes(MemorySegment bytes, DType dtype, long... shape) {
    return new TensorData(dtype, shape, bytes);
  }

  private static MemorySegment floats(float[] values, Arena arena) {
    return arena.allocateFrom(FLOAT, values);
  }

  private static String torchName(DType dtype) {
    return switch (dtype) {
      case F16 -> "float16";
      case BF16 -> "bfloat16";
      default -> "float32";
    };
  }

  /** What {@code config.json} says of it, in the words of the library that reads it. */
  private static Map<String, @Nullable Object> description(Plan plan) {
    Map<String, @Nullable Object> all = new LinkedHashMap<>();
    if (plan.quantizer() == Quantizer.INT4) {
      Map<String, @Nullable Object> weights = new LinkedHashMap<>();
      weights.put("num_bits", 4);
      weights.put("type", "int");
      weights.put("symmetric", true);
      weights.put("strategy", "group");
      weights.put("group_size", Int4Layout.GROUP);
      weights.put("dynamic", false);
      Map<String, @Nullable Object> group = new LinkedHashMap<>();
      group.put("targets", List.of("Linear"));
      group.put("weights", weights);
      group.put("input_activations", null);
      group.put("output_activations", null);
      all.put("quant_method", QuantizationConfig.COMPRESSED);
      all.put("format", "pack-quantized");
      all.put("quantization_status", "compressed");
      all.put("config_groups", Map.of("group_0", group));
      all.put("ignore", plan.skipped());
      return all;
    }
    boolean four = plan.quantizer() == Quantizer.NF4;
    all.put("quant_method", QuantizationConfig.BITSANDBYTES);
    all.put("load_in_4bit", four);
    all.put("load_in_8bit", !four);
    if (four) {
      all.put("bnb_4bit_quant_type", plan.quantizer().word().toLowerCase(Locale.ROOT));
      all.put("bnb_4bit_use_double_quant", plan.nested());
      all.put("bnb_4bit_compute_dtype", "float32");
      all.put("bnb_4bit_quant_storage", "uint8");
    }
    all.put("llm_int8_skip_modules", plan.skipped());
    return all;
  }

  /** Everything but weights, in whatever form they are, and notes of where the model came from. */
  private static void copyOthers(Path from, Path to) throws IOException {
    try (Stream<Path> files = Files.list(from)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        String name = String.valueOf(file.getFileName());
        if (!name.matches(OTHER_WEIGHTS)
            && !name.equals(CONFIG)
            && !name.equals(Origin.FILE)
            && !name.equalsIgnoreCase("README.md")
            && !name.startsWith(".")) {
          Files.copy(file, to.resolve(name));
        }
      }
    }
  }
}
