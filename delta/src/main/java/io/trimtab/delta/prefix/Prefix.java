package io.trimtab.delta.prefix;

import io.trimtab.delta.Delta;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaMethod;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.Gate;
import io.trimtab.delta.Part;
import io.trimtab.delta.PeftFields;
import io.trimtab.delta.SavedModules;
import io.trimtab.model.Block;
import io.trimtab.model.Model;
import io.trimtab.model.Stack;
import io.trimtab.tensor.Gradients;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;

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
 * @param stacks which blocks of an encoder-decoder can have one
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
    Stacks stacks,
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

  /** Which blocks of an encoder-decoder can have a prefix. A single stack's all can. */
  public enum Stacks {
    /** The decoder's, of which block i has the 2i-th of the table, counted round, as in PEFT. */
    PEFT,
    /** Those of encoder and decoder, in this order. */
    EACH,
    /**
     * The same where blocks are not told relative positions by a stack's first one, as in
     * OpenDelta.
     */
    OPENDELTA
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
    return new Prefix(
        length, 0, 0, List.of(), List.of(), Stacks.PEFT, true, Gating.NONE, 0, List.of(), false);
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

  /** The same in these blocks of an encoder-decoder. */
  public Prefix across(Stacks which) {
    return with(draft -> draft.stacks = which);
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
    private Stacks stacks;
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
      stacks = from.stacks;
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
          stacks,
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
    boolean known = shifted && gating == Gating.NONE && stacks == Stacks.PEFT;
    return known ? method().peftType() : PrefixMethod.OWN;
  }

  @Override
  public String fileKey(String name) {
    return name.equals(PrefixTables.FLAT) ? name : "base_model." + name;
  }

  @Override
  public List<Part> parts(Model model, Rng rng) {
    PrefixBlocks placed = new PrefixBlocks(this, model);
    PrefixTable table = PrefixTables.create(this, model, placed.inTable(), placed.keySize(), rng);
    List<Part> parts = new ArrayList<>();
    placed
        .places()
        .forEach(
            (attention, at) -> {
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
                      attention,
                      table,
                      at,
                      gate,
                      dropout,
                      earlier() ? length : 0,
                      placed.made(attention)));
            });
    if (shifted) {
      for (Stack stack : placed.stacks()) {
        stack
            .embeddings()
            .positions()
            .ifPresent(positions -> parts.add(new LaterPositions(positions, length)));
      }
    }
    if (stacks == Stacks.OPENDELTA) {
      parts.addAll(placed.untold());
    }
    parts.addAll(SavedModules.find(model, modulesToSave, lenient).parts());
    return parts;
  }

  /** Whether attention takes a prefix for earlier tokens where it knows distances. */
  private boolean earlier() {
    return shifted || stacks == Stacks.OPENDELTA;
  }

  /** The blocks of a model that have one. */
  public List<Block> chosenBlocks(Model model) {
    return new PrefixBlocks(this, model).chosen();
  }

  /** The numbers of the blocks of a model that have one, from 0 across the stacks that can. */
  public List<Integer> chosen(Model model) {
    return new PrefixBlocks(this, model).numbers();
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
    PrefixBlocks placed = new PrefixBlocks(this, model);
    boolean one = !model.isEncoderDecoder();
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("num_virtual_tokens", length);
    config.put("token_dim", placed.keySize());
    config.put("num_transformer_submodules", model.stacks().size());
    config.put(PeftFields.TASK, PeftFields.task(model, modulesToSave));
    config.put("num_attention_heads", placed.chosen().getFirst().keyHeads());
    config.put("num_layers", (one ? placed.numbers() : placed.inTable()).size());
    config.put("encoder_hidden_size", placed.keySize());
    config.put("prefix_projection", false);
    if (!blocks.isEmpty()) {
      config.put("trimtab_blocks", placed.numbers());
    }
    if (dropout > 0) {
      config.put("trimtab_dropout", dropout);
    }
    if (gating != Gating.NONE) {
      config.put("use_gating", true);
      config.put("shared_gating", gating == Gating.SHARED);
    }
    if (stacks != Stacks.PEFT) {
      config.put("trimtab_stacks", stacks.name().toLowerCase(Locale.ROOT));
    }
    if (peftType().equals(PrefixMethod.OWN)) {
      config.put("trimtab_shifted", shifted);
    }
    if (!modulesToSave.isEmpty()) {
      config.put("modules_to_save", modulesToSave);
    }
    return config;
  }
}
