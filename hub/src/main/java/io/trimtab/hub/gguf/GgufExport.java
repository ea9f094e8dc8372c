package io.trimtab.hub.gguf;

import io.trimtab.hub.DecoderDefaults;
import io.trimtab.hub.FileFormatException;
import io.trimtab.hub.HubException;
import io.trimtab.hub.ModelConfig;
import io.trimtab.hub.ModelDirectory;
import io.trimtab.hub.TensorFile;
import io.trimtab.hub.TensorInfo;
import io.trimtab.hub.blocks.BlockFormat;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/**
 * Writes a model as a GGUF file that llama.cpp loads: names and layout of tensors, settings and
 * tokenizer are translated, and matrices are packed. Weights are streamed: the heap stays small
 * whatever the size of the model.
 */
public final class GgufExport {
  /** What old checkpoints store although it follows from their configuration. */
  private static final Predicate<String> NO_WEIGHTS =
      Pattern.compile(".*rotary_emb\\.inv_freq|.*\\.attn\\.(masked_)?bias|.*position_ids")
          .asMatchPredicate();

  /** Matrices that llama.cpp wants in single precision: routers and small tables. */
  private static final Set<String> UNPACKED =
      Set.of("blk.{n}.ffn_gate_inp", "position_embd", "token_types");

  private GgufExport() {}

  /**
   * Writes a file, replacing an existing one.
   *
   * @param model the model's files
   * @param format how matrices are packed; those whose rows are no whole number of blocks are
   *     stored in half precision instead, vectors always in single precision
   * @param file the file to make
   * @throws HubException.Unsupported for an architecture, a setting or a tokenizer that GGUF files
   *     cannot express, or a format that only unpacks
   * @throws FileFormatException if the weights are damaged, or the file cannot be written
   */
  public static void write(ModelDirectory model, BlockFormat format, Path file) {
    if (!format.canQuantize()) {
      throw new HubException.Unsupported(
          format
              + " can be read and not written; expected one of "
              + java.util.Arrays.stream(BlockFormat.values())
                  .filter(BlockFormat::canQuantize)
                  .toList());
    }
    ModelConfig config = DecoderDefaults.complete(model.config());
    GgufArchitecture architecture = GgufArchitecture.of(config);
    try (TensorFile tensors = model.tensors()) {
      SequencedMap<String, GgufWriter.Source> sources =
          sources(config, architecture, tensors, format);
      SequencedMap<String, GgufValue> metadata = new LinkedHashMap<>();
      metadata.put("general.architecture", GgufValue.text(architecture.gguf()));
      metadata.put("general.type", GgufValue.text("model"));
      metadata.put("general.name", GgufValue.text(name(model)));
      metadata.put("general.file_type", GgufValue.count(fileType(format)));
      metadata.put("general.quantization_version", GgufValue.count(2));
      new GgufSettings(config, architecture, tensors, metadata, sources).put();
      new GgufVocabulary(model, metadata).put();
      GgufWriter.write(file, metadata, sources);
    }
  }

  private static String name(ModelDirectory model) {
    Path path = model.packedFile().orElse(model.path()).getFileName();
    return path == null ? model.source() : path.toString();
  }

  /** llama.cpp's number for files that are packed mostly so. */
  private static int fileType(BlockFormat format) {
    return switch (format) {
      case F32 -> 0;
      case F16 -> 1;
      case Q4_0 -> 2;
      case Q4_1 -> 3;
      case Q8_0 -> 7;
      case Q5_0 -> 8;
      case Q5_1 -> 9;
      case BF16 -> 32;
      case TQ1_0 -> 36;
      case TQ2_0 -> 37;
      default -> 1024; // none of the usual mixtures
    };
  }

  private static SequencedMap<String, GgufWriter.Source> sources(
      ModelConfig config, GgufArchitecture architecture, TensorFile tensors, BlockFormat format) {
    boolean tied = config.flag("tie_word_embeddings", false);
    SequencedMap<String, List<GgufSource.Part>> parts = new LinkedHashMap<>();
    SequencedMap<String, TensorRule> rules = new LinkedHashMap<>();
    List<String> unknown = new ArrayList<>();
    for (String name : tensors.names()) {
      if (NO_WEIGHTS.test(name)) {
        continue;
      }
      Optional<GgufArchitecture.Found> found = architecture.findHf(name);
      if (found.isEmpty()) {
        unknown.add(name);
        continue;
      }
      TensorRule rule = found.get().rule();
      if (tied && rule.gguf().equals("output")) {
        continue; // the embedding a second time
      }
      String gguf = rule.ggufName(found.get().place());
      rules.put(gguf, rule);
      parts
          .computeIfAbsent(gguf, _ -> new ArrayList<>())
          .add(new GgufSource.Part(found.get().place().expert(), tensors.info(name)));
    }
    if (!unknown.isEmpty()) {
      throw new HubException.Unsupported(
          "%d tensors of the model have no place in GGUF files of %s (%s)"
              .formatted(
                  unknown.size(),
                  architecture.gguf(),
                  String.join(", ", unknown.subList(0, Math.min(4, unknown.size())))));
    }
    SequencedMap<String, GgufWriter.Source> sources = new LinkedHashMap<>();
    // In the order of blocks, whatever that of the checkpoint is.
    var sorted = new TreeMap<String, List<GgufSource.Part>>(GgufOrder.BY_BLOCK);
    sorted.putAll(parts);
    sorted.forEach(
        (gguf, list) -> {
          TensorRule rule = java.util.Objects.requireNonNull(rules.get(gguf));
          sources.put(
              gguf,
              GgufSource.of(
                  tensors, list, rule, Heads.of(config, rule), format(rule, list, format)));
        });
    return sources;
  }

  private static BlockFormat format(
      TensorRule rule, List<GgufSource.Part> parts, BlockFormat wanted) {
    TensorInfo info = parts.getFirst().info();
    long[] shape = info.shape();
    if (shape.length < 2 || UNPACKED.contains(rule.gguf())) {
      return BlockFormat.F32;
    }
    long columns = rule.layout() == Layout.TRANSPOSED ? shape[0] : shape[shape.length - 1];
    return columns % wanted.blockSize() == 0 ? wanted : BlockFormat.F16;
  }
}
