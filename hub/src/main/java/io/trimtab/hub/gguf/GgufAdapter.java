package io.trimtab.hub.gguf;

import io.trimtab.hub.DecoderDefaults;
import io.trimtab.hub.FileFormatException;
import io.trimtab.hub.HubException;
import io.trimtab.hub.ModelConfig;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;
import java.util.TreeMap;

/**
 * A LoRA in a GGUF file, as llama.cpp loads it beside a model: for each linear layer two matrices,
 * and one alpha for all, of which a layer's product gets alpha over the layer's own rank.
 *
 * @param alpha the numerator of the scale
 * @param layers the matrices by the layer's path in the Hugging Face checkpoint, without {@code
 *     .weight}
 * @param notes further texts that the file carries; their keys should begin with the name of the
 *     program that understands them
 */
public record GgufAdapter(
    double alpha, SequencedMap<String, Pair> layers, Map<String, String> notes) {
  private static final String DOWN = ".lora_a";
  private static final String UP = ".lora_b";

  /** Copies the maps. */
  public GgufAdapter {
    layers = Collections.unmodifiableSequencedMap(new LinkedHashMap<>(layers));
    notes = Collections.unmodifiableMap(new TreeMap<>(notes));
  }

  /** An adapter without notes. */
  public GgufAdapter(double alpha, SequencedMap<String, Pair> layers) {
    this(alpha, layers, Map.of());
  }

  /** The same with notes. */
  public GgufAdapter with(Map<String, String> texts) {
    return new GgufAdapter(alpha, layers, texts);
  }

  /**
   * The matrices of a layer, row by row, as Hugging Face has them: rows of {@code up} are rows of
   * the layer's weight.
   *
   * @param rank the inner size
   * @param down A, {@code [rank, in]}
   * @param up B, {@code [out, rank]}
   */
  @SuppressWarnings("ArrayRecordComponent") // large, and never compared
  public record Pair(int rank, float[] down, float[] up) {

    /**
     * Checks the sizes.
     *
     * @throws IllegalArgumentException where a matrix has no whole number of rows
     */
    public Pair {
      if (rank < 1 || down.length % rank != 0 || up.length % rank != 0) {
        throw new IllegalArgumentException(
            "matrices of %d and %d numbers do not go with rank %d"
                .formatted(down.length, up.length, rank));
      }
    }

    /** The same product times {@code factor}. */
    public Pair times(double factor) {
      float[] scaled = new float[up.length];
      for (int i = 0; i < scaled.length; i++) {
        scaled[i] = (float) (up[i] * factor);
      }
      return new Pair(rank, down, scaled);
    }
  }

  /**
   * Writes a file, replacing an existing one.
   *
   * @param base the configuration of the model that the adapter is for
   * @throws HubException.Unsupported for an embedding, or a layer that the architecture does not
   *     have or stacks with others
   */
  public void write(ModelConfig base, Path file) {
    if (alpha == 0) { // which would mean that products are not scaled at all
      silent().write(base, file);
      return;
    }
    ModelConfig config = DecoderDefaults.complete(base);
    GgufArchitecture architecture = GgufArchitecture.of(config);
    SequencedMap<String, GgufValue> metadata = new LinkedHashMap<>();
    metadata.put("general.architecture", GgufValue.text(architecture.gguf()));
    metadata.put("general.type", GgufValue.text("adapter"));
    metadata.put("adapter.type", GgufValue.text("lora"));
    metadata.put("adapter.lora.alpha", GgufValue.real(alpha));
    metadata.put("general.file_type", GgufValue.count(0));
    metadata.put("general.quantization_version", GgufValue.count(2));
    notes.forEach((key, text) -> metadata.put(key, GgufValue.text(text)));
    var tensors = new TreeMap<String, Floats>(GgufOrder.BY_BLOCK);
    layers.forEach(
        (path, pair) -> {
          TensorRule rule = rule(architecture, config, path);
          GgufArchitecture.Found found = architecture.findHf(path + ".weight").orElseThrow();
          String name = rule.ggufName(found.place());
          int in = pair.down().length / pair.rank();
          int out = pair.up().length / pair.rank();
          long heads = Heads.of(config, rule);
          tensors.put(name + DOWN, new Floats(pair.down(), pair.rank(), in));
          float[] up = ordered(pair.up(), pair.rank(), rule.layout(), heads, true);
          tensors.put(name + UP, new Floats(up, out, pair.rank()));
        });
    GgufWriter.write(file, metadata, new LinkedHashMap<>(tensors));
  }

  /**
   * Whether a file says that it holds an adapter, and no model; a damaged one is taken for an
   * adapter, so that {@link #read} tells what is wrong.
   */
  public static boolean isAdapter(Path path) {
    try (GgufFile file = GgufFile.open(path)) {
      return file.metadata().text("general.type", "model").equals("adapter");
    } catch (FileFormatException e) {
      return true;
    }
  }

  /** A text of a file's metadata; empty where it has none of that key. */
  public static String text(Path path, String key) {
    try (GgufFile file = GgufFile.open(path)) {
      return file.metadata().text(key, "");
    }
  }

  /**
   * Reads a file.
   *
   * @param base the configuration of the model that the adapter is for
   * @throws FileFormatException if it is damaged
   * @throws HubException.Unsupported if it is no LoRA, for another architecture, or on embeddings
   */
  public static GgufAdapter read(Path path, ModelConfig base) {
    ModelConfig config = DecoderDefaults.complete(base);
    GgufArchitecture architecture = GgufArchitecture.of(config);
    try (GgufFile file = GgufFile.open(path)) {
      GgufMetadata metadata = file.metadata();
      need(path, metadata, "general.type", "adapter");
      need(path, metadata, "adapter.type", "lora");
      need(path, metadata, "general.architecture", architecture.gguf());
      SequencedMap<String, Pair> layers = new LinkedHashMap<>();
      for (GgufTensor tensor : file.tensors().values()) {
        if (!tensor.name().endsWith(DOWN)) {
          continue;
        }
        String name = tensor.name().substring(0, tensor.name().length() - DOWN.length());
        GgufTensor up = file.tensors().get(name + UP);
        if (up == null) {
          throw new FileFormatException(path, "has " + tensor.name() + " and no " + name + UP);
        }
        GgufArchitecture.Found found =
            architecture
                .findGguf(name)
                .orElseThrow(
                    () ->
                        new FileFormatException(
                            path, "has matrices for '" + name + "', which is no layer"));
        String layer = found.rule().hfName(found.place());
        String bare = layer.substring(0, layer.lastIndexOf('.'));
        layers.put(bare, pair(path, tensor, up, rule(architecture, config, bare), config));
      }
      if (layers.isEmpty() || file.tensors().size() != 2 * layers.size()) {
        throw new FileFormatException(
            path,
            "has %d tensors, of which %d are pairs of matrices; expected such pairs alone"
                .formatted(file.tensors().size(), layers.size()));
      }
      Map<String, String> notes = new TreeMap<>();
      metadata
          .values()
          .forEach(
              (key, value) -> {
                boolean known = key.startsWith("general.") || key.startsWith("adapter.");
                if (!known && value instanceof GgufValue.Text(String text)) {
                  notes.put(key, text);
                }
              });
      double alpha = metadata.real("adapter.lora.alpha", 0);
      return (alpha == 0 ? unscaled(layers) : new GgufAdapter(alpha, layers)).with(notes);
    }
  }

  /** What an alpha of 0, or none, means to llama.cpp: products as they are. */
  private static GgufAdapter unscaled(SequencedMap<String, Pair> layers) {
    Map<String, Double> ones = new HashMap<>();
    layers.keySet().forEach(layer -> ones.put(layer, 1.0));
    return scaled(layers, ones);
  }

  /** The same with matrices that add nothing instead of a scale of 0. */
  private GgufAdapter silent() {
    SequencedMap<String, Pair> zeros = new LinkedHashMap<>();
    layers.forEach((layer, pair) -> zeros.put(layer, pair.times(0)));
    return new GgufAdapter(1, zeros, notes);
  }

  private static Pair pair(
      Path path, GgufTensor down, GgufTensor up, TensorRule rule, ModelConfig base) {
    long rank = down.shape()[0];
    if (down.shape().length != 2 || up.shape().length != 2 || up.shape()[1] != rank) {
      throw new FileFormatException(
          path, "has %s and %s, which do not go together".formatted(down, up));
    }
    rule.layout().check(up.name(), up.shape(), Heads.of(base, rule));
    float[] rows = ordered(up.floats(), (int) rank, rule.layout(), Heads.of(base, rule), false);
    return new Pair((int) rank, down.floats(), rows);
  }

  private static TensorRule rule(GgufArchitecture architecture, ModelConfig base, String path) {
    TensorRule rule =
        architecture
            .findHf(path + ".weight")
            .map(GgufArchitecture.Found::rule)
            .orElseThrow(
                () ->
                    new HubException.Unsupported(
                        "a GGUF adapter of "
                            + architecture.gguf()
                            + " has no place for matrices at "
                            + path));
    boolean embedding =
        rule.gguf().endsWith("_embd")
            || rule.gguf().equals("token_types")
            || (rule.gguf().equals("output") && base.flag("tie_word_embeddings", false));
    if (embedding || rule.layout() == Layout.EXPERTS || rule.gguf().endsWith("norm")) {
      throw new HubException.Unsupported(
          "a GGUF adapter has no place for matrices at "
              + path
              + " (an embedding, a tied head, a norm or an expert); leave it out, or merge the"
              + " adapter");
    }
    return rule;
  }

  /** Rows of {@code columns} numbers in GGUF's order, or back in the checkpoint's. */
  private static float[] ordered(
      float[] values, int columns, Layout layout, long heads, boolean toGguf) {
    if (!layout.reorders()) {
      return values;
    }
    float[] out = new float[values.length];
    int rows = values.length / columns;
    for (int row = 0; row < rows; row++) {
      int stored = (int) layout.stored(row, rows, heads);
      int from = toGguf ? row : stored;
      int to = toGguf ? stored : row;
      System.arraycopy(values, from * columns, out, to * columns, columns);
    }
    return out;
  }

  private static void need(Path path, GgufMetadata metadata, String key, String expected) {
    String found = metadata.text(key, "nothing");
    if (!found.equals(expected)) {
      throw new HubException.Unsupported(
          "%s: found %s %s, expected %s".formatted(path, key, found, expected));
    }
  }

  /**
   * The alpha and the matrices that give the scales that layers have each for itself. A scale of 0
   * becomes matrices that add nothing.
   */
  public static GgufAdapter scaled(SequencedMap<String, Pair> layers, Map<String, Double> scales) {
    double alpha = 0;
    SequencedMap<String, Pair> out = new LinkedHashMap<>();
    for (Map.Entry<String, Pair> entry : layers.entrySet()) {
      Double scale = scales.get(entry.getKey());
      if (scale == null) {
        throw new IllegalArgumentException("no scale for " + entry.getKey());
      }
      double own = scale * entry.getValue().rank();
      alpha = alpha == 0 ? own : alpha;
      Pair pair = entry.getValue();
      boolean asItIs = own == alpha && own != 0;
      out.put(entry.getKey(), asItIs ? pair : pair.times(own == 0 ? 0 : own / alpha));
    }
    return new GgufAdapter(alpha == 0 ? 1 : alpha, out);
  }
}
