package io.trimtab.delta.prefix;

import io.trimtab.delta.Delta;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaMethod;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.Part;
import io.trimtab.delta.SavedModules;
import io.trimtab.model.Block;
import io.trimtab.model.Model;
import io.trimtab.model.Sublayer;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Gradients;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Settings of prefix tuning (Li and Liang, 2021, section 4): trained keys and values before those
 * of every row, in every block.
 *
 * @param length the number of tokens that the prefix stands for
 * @param inner the inner size of the network that makes keys and values of trained vectors while
 *     they are trained (section 4.3); 0 to train keys and values themselves
 * @param blocks the numbers of the blocks that have one; empty for all
 * @param text token numbers of a text whose own keys and values the prefix starts as, at least
 *     {@code length}; empty for a random start
 * @param shifted whether tokens are at later positions, as if those of the prefix stood before
 *     them, as in PEFT, where a model has a table of positions; else they stay, as in AdapterHub
 * @param dropout the probability that a number of the prefix is dropped in training
 * @param modulesToSave layers, such as a new classifier, that are trained as a whole
 * @param lenient whether names of modules that hit nothing are let pass, as in files of PEFT
 */
public record Prefix(
    int length,
    int inner,
    List<Integer> blocks,
    List<Integer> text,
    boolean shifted,
    double dropout,
    List<String> modulesToSave,
    boolean lenient)
    implements DeltaSpec {
  private static final String TABLE = "prompt_embeddings";

  /** Checks ranges. */
  public Prefix {
    if (length < 1) {
      throw new DeltaException("found a prefix of " + length + " tokens, expected at least 1");
    }
    if (inner < 0) {
      throw new DeltaException(
          "found a projection of size " + inner + " for a prefix, expected 0 for none, or more");
    }
    if (!text.isEmpty() && text.size() < length) {
      throw new DeltaException(
          "found a text of "
              + text.size()
              + " tokens to start a prefix of "
              + length
              + " from, expected at least as many; give a longer text");
    }
    if (!text.isEmpty() && inner > 0) {
      throw new DeltaException(
          "found a text and a projection for a prefix, expected one of them: what a network"
              + " computes cannot start as given keys and values");
    }
    if (!(dropout >= 0 && dropout < 1)) {
      throw new DeltaException("found dropout " + dropout + ", expected 0 to below 1");
    }
    blocks = List.copyOf(blocks);
    text = List.copyOf(text);
    modulesToSave = List.copyOf(modulesToSave);
  }

  /** A prefix in every block, its keys and values trained themselves from a random start. */
  public static Prefix of(int length) {
    return new Prefix(length, 0, List.of(), List.of(), true, 0, List.of(), false);
  }

  /** The same made by a network of that inner size. */
  public Prefix projected(int size) {
    return with(size, blocks, text, shifted, dropout, modulesToSave);
  }

  /** The same in some blocks only. */
  public Prefix inBlocks(List<Integer> numbers) {
    return with(inner, numbers, text, shifted, dropout, modulesToSave);
  }

  /** The same starting as the keys and values of the first tokens of a text. */
  public Prefix startingAs(List<Integer> ids) {
    return with(inner, blocks, ids, shifted, dropout, modulesToSave);
  }

  /** The same with whole layers trained along. */
  public Prefix saving(String... modules) {
    return with(inner, blocks, text, shifted, dropout, List.of(modules));
  }

  /** The same with the tokens' positions as they are without it, as AdapterHub has it. */
  public Prefix keepingPositions() {
    return with(inner, blocks, text, false, dropout, modulesToSave);
  }

  /** The same with dropout of keys and values in training. */
  public Prefix dropout(double probability) {
    return with(inner, blocks, text, shifted, probability, modulesToSave);
  }

  private Prefix with(
      int newInner,
      List<Integer> newBlocks,
      List<Integer> newText,
      boolean newShifted,
      double newDropout,
      List<String> newModules) {
    return new Prefix(
        length, newInner, newBlocks, newText, newShifted, newDropout, newModules, lenient);
  }

  @Override
  public DeltaMethod method() {
    return new PrefixMethod();
  }

  /** One of our own where the tokens' positions stay: PEFT would shift them. */
  @Override
  public String peftType() {
    return shifted ? method().peftType() : PrefixMethod.KEPT;
  }

  @Override
  public String fileKey(String name) {
    return name.equals(TABLE) ? name : "base_model." + name;
  }

  @Override
  public List<Part> parts(Model model, Rng rng) {
    List<Block> all = model.stack().blocks();
    List<Integer> numbers = numbers(all.size(), model);
    int size = keySize(numbers, model);
    List<Integer> owners = owners(numbers, all);
    PrefixTable table = table(model, owners, size, rng);
    SequencedMap<Sublayer, Map<Integer, Integer>> places = new LinkedHashMap<>();
    for (int number : numbers) {
      Map<Integer, Integer> at =
          places.computeIfAbsent(all.get(number).attention(), key -> new LinkedHashMap<>());
      boolean owns = at.isEmpty() || owners.contains(number);
      at.put(number, owns ? owners.indexOf(number) : at.values().iterator().next());
    }
    List<Part> parts = new ArrayList<>();
    places.forEach(
        (attention, at) -> {
          Block first = all.get(at.keySet().iterator().next());
          parts.add(
              new PrefixPart(
                  attention, table, at, dropout, shifted ? length : 0, keysAndValues(first)));
        });
    if (shifted) {
      model
          .stack()
          .embeddings()
          .positions()
          .ifPresent(positions -> parts.add(new LaterPositions(positions, length)));
    }
    parts.addAll(SavedModules.find(model, modulesToSave, lenient).parts());
    return parts;
  }

  /** The blocks with a prefix of their own: in AdapterHub, blocks that share weights share one. */
  private List<Integer> owners(List<Integer> numbers, List<Block> all) {
    Set<Sublayer> seen = new LinkedHashSet<>();
    return numbers.stream()
        .filter(number -> seen.add(all.get(number).attention()) || shifted)
        .toList();
  }

  /** The numbers of the blocks of a model that have one. */
  public List<Integer> chosen(Model model) {
    return numbers(model.stack().blocks().size(), model);
  }

  private List<Integer> numbers(int count, Model model) {
    for (int block : blocks) {
      if (block < 0 || block >= count) {
        throw new DeltaException.NoMatch(
            "found block "
                + block
                + " for a prefix, expected 0 to "
                + (count - 1)
                + ", which are the blocks of "
                + model.name());
      }
    }
    return blocks.isEmpty()
        ? IntStream.range(0, count).boxed().toList()
        : blocks.stream().sorted().distinct().toList();
  }

  private static int keySize(List<Integer> numbers, Model model) {
    List<Block> blocks = model.stack().blocks();
    List<Integer> sizes =
        numbers.stream().map(number -> blocks.get(number).keySize()).distinct().toList();
    if (sizes.size() != 1) {
      throw new DeltaException.Unsupported(
          "found blocks with keys of sizes "
              + sizes
              + " in "
              + model.name()
              + ", expected one size; choose blocks that are alike");
    }
    return sizes.get(0);
  }

  private static List<String> keysAndValues(Block block) {
    return block.places().entrySet().stream()
        .filter(place -> place.getKey().equals("attn.k") || place.getKey().equals("attn.v"))
        .map(place -> place.getValue().path() + ".weight")
        .distinct()
        .toList();
  }

  private PrefixTable table(Model model, List<Integer> numbers, int size, Rng rng) {
    long width = 2L * numbers.size() * size;
    Device device = model.device();
    try (Scope _ = Scope.open()) {
      if (!text.isEmpty()) {
        Tensor start = Gradients.none(() -> PrefixStart.of(model, numbers, text, length));
        return PrefixTable.flat(Parameter.of(TABLE, start), size);
      }
      if (inner == 0) {
        Tensor start = rng.normal(1, DType.F32, device, length, width);
        return PrefixTable.flat(Parameter.of(TABLE, start), size);
      }
      long hidden = hidden(model);
      return PrefixTable.of(
          new PrefixTable.Network(
              Parameter.of("embedding.weight", rng.normal(1, DType.F32, device, length, hidden)),
              uniform("transform.0.weight", hidden, rng, device, inner, hidden),
              uniform("transform.0.bias", hidden, rng, device, inner),
              uniform("transform.2.weight", inner, rng, device, width, inner),
              uniform("transform.2.bias", inner, rng, device, width)),
          size);
    }
  }

  /** The size of what the last block gives; words' vectors may be smaller. */
  private static long hidden(Model model) {
    return model.stack().blocks().getLast().hiddenSize();
  }

  /** The usual start of a dense layer: uniform within ± 1 / √inputs. */
  private static Parameter uniform(
      String name, long inputs, Rng rng, Device device, long... shape) {
    double bound = 1 / Math.sqrt((double) inputs);
    return Parameter.of(name, rng.uniform(-bound, bound, DType.F32, device, shape));
  }

  /** Without the network, which has done its work. */
  @Override
  public Delta toStore(Delta delta) {
    if (inner == 0) {
      return delta;
    }
    PrefixPart part =
        delta.parts().stream()
            .filter(PrefixPart.class::isInstance)
            .map(PrefixPart.class::cast)
            .findFirst()
            .orElseThrow();
    Delta flat = projected(0).attach(delta.base(), Rng.seeded(0));
    try (Scope _ = Scope.open()) {
      Tensor computed = Gradients.none(() -> part.table().all());
      Map<String, Parameter> trained = new LinkedHashMap<>();
      delta.parameters().forEach(parameter -> trained.put(parameter.name(), parameter));
      for (Parameter parameter : flat.parameters()) {
        Parameter same = trained.get(parameter.name());
        parameter.assign(same == null ? computed : same.value().detach());
      }
    }
    return flat;
  }

  @Override
  public Map<String, Object> toConfig(Model model) {
    List<Block> all = model.stack().blocks();
    List<Integer> numbers = numbers(all.size(), model);
    int heads = all.get(numbers.getFirst()).keyHeads();
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("num_virtual_tokens", length);
    config.put("token_dim", keySize(numbers, model));
    config.put("num_transformer_submodules", 1);
    config.put("num_attention_heads", heads);
    config.put("num_layers", numbers.size());
    config.put("encoder_hidden_size", keySize(numbers, model));
    config.put("prefix_projection", false);
    if (!blocks.isEmpty()) {
      config.put("trimtab_blocks", numbers);
    }
    if (dropout > 0) {
      config.put("trimtab_dropout", dropout);
    }
    if (!modulesToSave.isEmpty()) {
      config.put("modules_to_save", modulesToSave);
    }
    return config;
  }
}
