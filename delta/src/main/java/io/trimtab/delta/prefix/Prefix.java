package io.trimtab.delta.prefix;

import io.trimtab.delta.Delta;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaMethod;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.Gate;
import io.trimtab.delta.Part;
import io.trimtab.delta.SavedModules;
import io.trimtab.model.Block;
import io.trimtab.model.Model;
import io.trimtab.model.Sublayer;
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
import java.util.function.Consumer;
import java.util.stream.IntStream;

/**
 * Settings of prefix tuning (Li and Liang, 2021, section 4): trained keys and values before those
 * of every row, in every block.
 *
 * @param length the number of tokens that the prefix stands for
 * @param inner the inner size of the network that makes keys and values of trained vectors while
 *     they are trained (section 4.3); 0 to train keys and values themselves
 * @param embedded the size of the trained vectors that the network is given; 0 for the model's own
 * @param blocks the numbers of the blocks that have one; empty for all
 * @param text token numbers of a text whose own keys and values the prefix starts as, at least
 *     {@code length}; empty for a random start
 * @param shifted whether tokens are at later positions, as if those of the prefix stood before
 *     them, as in PEFT, where a model has a table of positions; else they stay, as in AdapterHub
 * @param gating whether each row has a trained {@linkplain io.trimtab.delta.Gate gate} over what
 *     attention is given that the prefix is multiplied by, as in UniPELT
 * @param dropout the probability that a number of the prefix is dropped in training
 * @param modulesToSave layers, such as a new classifier, that are trained as a whole
 * @param lenient whether names of modules that hit nothing are let pass, as in files of PEFT
 */
public record Prefix(
    int length,
    int inner,
    int embedded,
    List<Integer> blocks,
    List<Integer> text,
    boolean shifted,
    Gating gating,
    double dropout,
    List<String> modulesToSave,
    boolean lenient)
    implements DeltaSpec {
  /** What gates a prefix has at each attention. */
  public enum Gating {
    /** None. */
    NONE(0),
    /** One for keys and values. */
    SHARED(1),
    /** One for keys and one for values. */
    EACH(2);

    private final int count;

    Gating(int count) {
      this.count = count;
    }
  }

  /** Checks ranges. */
  public Prefix {
    if (length < 1) {
      throw new DeltaException("found a prefix of " + length + " tokens, expected at least 1");
    }
    if (inner < 0) {
      throw new DeltaException(
          "found a projection of size " + inner + " for a prefix, expected 0 for none, or more");
    }
    if (embedded < 0) {
      throw new DeltaException(
          "found trained vectors of size "
              + embedded
              + " for a prefix, expected 0 for the model's own size, or more");
    }
    if (embedded > 0 && inner == 0) {
      throw new DeltaException(
          "found trained vectors of size "
              + embedded
              + " for a prefix without a projection, expected both: only a network is given"
              + " vectors; say projection=512 too, or leave embedding out");
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
    return new Prefix(length, 0, 0, List.of(), List.of(), true, Gating.NONE, 0, List.of(), false);
  }

  /** The same made by a network of that inner size. */
  public Prefix projected(int size) {
    return with(draft -> draft.inner = size);
  }

  /** The same whose network is given vectors of that size. */
  public Prefix embedded(int size) {
    return with(draft -> draft.embedded = size);
  }

  /** The same in some blocks only. */
  public Prefix inBlocks(List<Integer> numbers) {
    return with(draft -> draft.blocks = numbers);
  }

  /** The same starting as the keys and values of the first tokens of a text. */
  public Prefix startingAs(List<Integer> ids) {
    return with(draft -> draft.text = ids);
  }

  /** The same with whole layers trained along. */
  public Prefix saving(String... modules) {
    return with(draft -> draft.modulesToSave = List.of(modules));
  }

  /** The same with the tokens' positions as they are without it, as AdapterHub has it. */
  public Prefix keepingPositions() {
    return with(draft -> draft.shifted = false);
  }

  /** The same with gates. */
  public Prefix gated(Gating which) {
    return with(draft -> draft.gating = which);
  }

  /** The same with dropout of keys and values in training. */
  public Prefix dropout(double probability) {
    return with(draft -> draft.dropout = probability);
  }

  private Prefix with(Consumer<Draft> change) {
    Draft draft = new Draft(this);
    change.accept(draft);
    return draft.prefix();
  }

  /** What is to become a copy with one thing changed. */
  private static final class Draft {
    private final Prefix from;
    private int inner;
    private int embedded;
    private List<Integer> blocks;
    private List<Integer> text;
    private boolean shifted;
    private Gating gating;
    private double dropout;
    private List<String> modulesToSave;

    Draft(Prefix from) {
      this.from = from;
      inner = from.inner;
      embedded = from.embedded;
      blocks = from.blocks;
      text = from.text;
      shifted = from.shifted;
      gating = from.gating;
      dropout = from.dropout;
      modulesToSave = from.modulesToSave;
    }

    Prefix prefix() {
      return new Prefix(
          from.length,
          inner,
          embedded,
          blocks,
          text,
          shifted,
          gating,
          dropout,
          modulesToSave,
          from.lenient);
    }
  }

  @Override
  public DeltaMethod method() {
    return new PrefixMethod();
  }

  /** One of our own where PEFT has no such prefix: it would shift positions and has no gates. */
  @Override
  public String peftType() {
    return shifted && gating == Gating.NONE ? method().peftType() : PrefixMethod.OWN;
  }

  @Override
  public String fileKey(String name) {
    return name.equals(PrefixTables.FLAT) ? name : "base_model." + name;
  }

  @Override
  public List<Part> parts(Model model, Rng rng) {
    List<Block> all = model.stack().blocks();
    List<Integer> numbers = numbers(all.size(), model);
    int size = PrefixTables.keySize(numbers, model);
    List<Integer> owners = owners(numbers, all);
    PrefixTable table = PrefixTables.create(this, model, owners, size, rng);
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
          Gate gate =
              gating == Gating.NONE
                  ? null
                  : Gate.create(
                      attention.path() + ".prefix_gate",
                      PrefixTables.hidden(model),
                      gating.count,
                      model.device(),
                      rng);
          parts.add(
              new PrefixPart(
                  attention, table, at, gate, dropout, shifted ? length : 0, keysAndValues(first)));
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

  private static List<String> keysAndValues(Block block) {
    return block.places().entrySet().stream()
        .filter(place -> place.getKey().equals("attn.k") || place.getKey().equals("attn.v"))
        .map(place -> place.getValue().path() + ".weight")
        .distinct()
        .toList();
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
    Delta flat = embedded(0).projected(0).attach(delta.base(), Rng.seeded(0));
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
    config.put("token_dim", PrefixTables.keySize(numbers, model));
    config.put("num_transformer_submodules", 1);
    config.put("num_attention_heads", heads);
    config.put("num_layers", numbers.size());
    config.put("encoder_hidden_size", PrefixTables.keySize(numbers, model));
    config.put("prefix_projection", false);
    if (!blocks.isEmpty()) {
      config.put("trimtab_blocks", numbers);
    }
    if (dropout > 0) {
      config.put("trimtab_dropout", dropout);
    }
    if (gating != Gating.NONE) {
      config.put("use_gating", true);
      config.put("shared_gating", gating == Gating.SHARED);
      config.put("trimtab_shifted", shifted);
    }
    if (!modulesToSave.isEmpty()) {
      config.put("modules_to_save", modulesToSave);
    }
    return config;
  }
}
