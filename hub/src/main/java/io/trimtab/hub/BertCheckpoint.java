package io.trimtab.hub;

import io.trimtab.tensor.DType;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.Set;
import java.util.TreeSet;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * A BERT whose tensors another format holds under other names and perhaps transposed, and how it is
 * written under the names, shapes and settings of Hugging Face.
 */
final class BertCheckpoint {

  /**
   * Where a tensor comes from.
   *
   * @param name its name in the file it is in
   * @param transposed whether it is stored {@code [in, out]} although it is {@code [out, in]} here
   */
  record Origin(String name, boolean transposed) {}

  private static final int TILE = 32;
  private static final ValueLayout.OfInt ELEMENT = ValueLayout.JAVA_INT_UNALIGNED;

  private final Path file;
  private final TensorFile stored;
  private final SequencedMap<String, Origin> origins;

  /** A BERT in {@code file}: for every tensor, its Hugging Face name and where it is. */
  BertCheckpoint(Path file, TensorFile stored, SequencedMap<String, Origin> origins) {
    this.file = file;
    this.stored = stored;
    this.origins = origins;
  }

  /** Checks that the tensors are exactly those of a BERT and returns its sizes. */
  Sizes sizes(String prefix) {
    long[] words = shape(prefix + "embeddings.word_embeddings.weight");
    long[] positions = shape(prefix + "embeddings.position_embeddings.weight");
    long[] types = shape(prefix + "embeddings.token_type_embeddings.weight");
    int layers = 0;
    while (origins.containsKey(layer(prefix, layers) + "attention.self.query.weight")) {
      layers++;
    }
    long[] intermediate = shape(layer(prefix, 0) + "intermediate.dense.weight");
    if (words.length != 2
        || positions.length != 2
        || types.length != 2
        || intermediate.length != 2) {
      throw new FileFormatException(file, "embeddings or weights of its BERT are not matrices");
    }
    var sizes = new Sizes(words[0], words[1], layers, intermediate[0], positions[0], types[0]);
    SequencedMap<String, long[]> expected = expected(prefix, sizes);
    var missing = new TreeSet<>(expected.keySet());
    missing.removeAll(origins.keySet());
    var surplus = new TreeSet<>(origins.keySet());
    surplus.removeAll(expected.keySet());
    if (!missing.isEmpty() || !surplus.isEmpty()) {
      throw new FileFormatException(
          file,
          "does not hold just a BERT of %d layers: missing %s, unexpected %s"
              .formatted(layers, shorten(missing), shorten(surplus)));
    }
    expected.forEach(
        (name, shape) -> {
          TensorInfo info = stored.info(origin(name).name());
          if (info.dtype() != DType.F32 || !Arrays.equals(shape(name), shape)) {
            throw new FileFormatException(
                file,
                "'%s' (for %s) should have F32%s in Hugging Face's order, found %s%s"
                    .formatted(
                        info,
                        name,
                        Arrays.toString(shape),
                        info.dtype(),
                        Arrays.toString(shape(name))));
          }
        });
    return sizes;
  }

  /** Writes {@code model.safetensors}, transposing one matrix at a time outside the heap. */
  void writeWeights(Path directory) {
    var sources = new LinkedHashMap<String, SafetensorsWriter.Source>();
    origins.keySet().forEach(name -> sources.put(name, new Converted(name)));
    SafetensorsWriter.write(
        directory.resolve("model.safetensors"), sources, Map.of("format", "pt"));
  }

  /** Writes {@code config.json}. */
  static void writeConfig(Path directory, String architecture, Sizes sizes, int heads)
      throws IOException {
    if (sizes.hidden() % heads != 0) {
      throw new FileFormatException(
          "a BERT of hidden size " + sizes.hidden() + " cannot have " + heads + " heads");
    }
    var config = new LinkedHashMap<String, Object>();
    config.put("architectures", List.of(architecture));
    config.put("model_type", "bert");
    config.put("vocab_size", sizes.vocabulary());
    config.put("hidden_size", sizes.hidden());
    config.put("num_hidden_layers", sizes.layers());
    config.put("num_attention_heads", heads);
    config.put("intermediate_size", sizes.intermediate());
    config.put("max_position_embeddings", sizes.positions());
    config.put("type_vocab_size", sizes.types());
    config.put("hidden_act", "gelu");
    config.put("layer_norm_eps", 1e-12);
    config.put("hidden_dropout_prob", 0.1);
    config.put("attention_probs_dropout_prob", 0.1);
    config.put("initializer_range", 0.02);
    config.put("pad_token_id", 0);
    writeJson(directory.resolve("config.json"), config);
  }

  /** Writes an object as indented JSON. */
  static void writeJson(Path file, Map<String, Object> content) throws IOException {
    var mapper = JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();
    Files.writeString(file, mapper.writeValueAsString(content) + "\n");
  }

  /**
   * The sizes of a BERT.
   *
   * @param vocabulary rows of the word embeddings
   * @param hidden size of the hidden states
   * @param layers number of transformer layers
   * @param intermediate size inside the feed-forward part
   * @param positions longest input, in tokens
   * @param types number of segments
   */
  record Sizes(
      long vocabulary, long hidden, int layers, long intermediate, long positions, long types) {}

  /** Names and shapes of all tensors; pooler and MLM head only if a part of them is there. */
  private SequencedMap<String, long[]> expected(String prefix, Sizes sizes) {
    long hidden = sizes.hidden();
    var shapes = new LinkedHashMap<String, long[]>();
    String embeddings = prefix + "embeddings.";
    shapes.put(embeddings + "word_embeddings.weight", new long[] {sizes.vocabulary(), hidden});
    shapes.put(embeddings + "position_embeddings.weight", new long[] {sizes.positions(), hidden});
    shapes.put(embeddings + "token_type_embeddings.weight", new long[] {sizes.types(), hidden});
    vectors(shapes, embeddings + "LayerNorm", hidden);
    for (int i = 0; i < sizes.layers(); i++) {
      String layer = layer(prefix, i);
      for (String part : List.of("self.query", "self.key", "self.value", "output.dense")) {
        linear(shapes, layer + "attention." + part, hidden, hidden);
      }
      vectors(shapes, layer + "attention.output.LayerNorm", hidden);
      linear(shapes, layer + "intermediate.dense", sizes.intermediate(), hidden);
      linear(shapes, layer + "output.dense", hidden, sizes.intermediate());
      vectors(shapes, layer + "output.LayerNorm", hidden);
    }
    if (has(prefix + "pooler.")) {
      linear(shapes, prefix + "pooler.dense", hidden, hidden);
    }
    if (has("cls.")) {
      shapes.put("cls.predictions.bias", new long[] {sizes.vocabulary()});
      linear(shapes, "cls.predictions.transform.dense", hidden, hidden);
      vectors(shapes, "cls.predictions.transform.LayerNorm", hidden);
    }
    return shapes;
  }

  private static String layer(String prefix, int index) {
    return prefix + "encoder.layer." + index + ".";
  }

  private boolean has(String prefix) {
    return origins.keySet().stream().anyMatch(name -> name.startsWith(prefix));
  }

  private static void linear(Map<String, long[]> shapes, String name, long out, long in) {
    shapes.put(name + ".weight", new long[] {out, in});
    shapes.put(name + ".bias", new long[] {out});
  }

  private static void vectors(Map<String, long[]> shapes, String name, long size) {
    shapes.put(name + ".weight", new long[] {size});
    shapes.put(name + ".bias", new long[] {size});
  }

  private static String shorten(Set<String> names) {
    List<String> list = new ArrayList<>(names);
    return list.size() <= 4 ? list.toString() : list.subList(0, 4) + " and others";
  }

  private Origin origin(String name) {
    Origin origin = origins.get(name);
    if (origin == null) {
      throw new FileFormatException(
          file,
          "holds nothing for the BERT tensor '"
              + name
              + "'"
              + NearMisses.hint(name, stored.names()));
    }
    return origin;
  }

  /** The shape as Hugging Face has it. */
  private long[] shape(String name) {
    Origin origin = origin(name);
    long[] shape = stored.info(origin.name()).shape();
    return origin.transposed() && shape.length == 2 ? new long[] {shape[1], shape[0]} : shape;
  }

  private final class Converted implements SafetensorsWriter.Source {
    private final String name;

    Converted(String name) {
      this.name = name;
    }

    @Override
    public DType dtype() {
      return DType.F32;
    }

    @Override
    public long[] shape() {
      return BertCheckpoint.this.shape(name);
    }

    @Override
    public MemorySegment bytes(Arena scratch) {
      Origin origin = origin(name);
      if (stored instanceof TensorFlowBundle bundle) {
        bundle.verify(origin.name());
      }
      MemorySegment bytes = stored.bytes(origin.name());
      return origin.transposed() ? transpose(bytes, shape(), scratch) : bytes;
    }
  }

  /**
   * {@code [columns, rows]} to {@code shape = [rows, columns]}, in tiles that fit into the cache.
   */
  private static MemorySegment transpose(MemorySegment from, long[] shape, Arena scratch) {
    long rows = shape[0];
    long columns = shape[1];
    MemorySegment to = scratch.allocate(from.byteSize(), ELEMENT.byteSize());
    for (long row0 = 0; row0 < rows; row0 += TILE) {
      for (long column0 = 0; column0 < columns; column0 += TILE) {
        long rowEnd = Math.min(row0 + TILE, rows);
        long columnEnd = Math.min(column0 + TILE, columns);
        for (long row = row0; row < rowEnd; row++) {
          for (long column = column0; column < columnEnd; column++) {
            to.setAtIndex(
                ELEMENT, row * columns + column, from.getAtIndex(ELEMENT, column * rows + row));
          }
        }
      }
    }
    return to;
  }
}
