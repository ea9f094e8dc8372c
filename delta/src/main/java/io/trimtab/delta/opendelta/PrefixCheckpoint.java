package io.trimtab.delta.opendelta;

import io.trimtab.delta.Address;
import io.trimtab.delta.Delta;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.DeltaTensors;
import io.trimtab.delta.Fields;
import io.trimtab.delta.OpenDeltaTargets;
import io.trimtab.delta.prefix.Prefix;
import io.trimtab.model.Block;
import io.trimtab.model.Embedding;
import io.trimtab.model.Model;
import io.trimtab.model.Place;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Prefixes: {@code PATH.prefix.past_key} and {@code past_value} [length, key size] in each block,
 * or one network at the first of them, {@code PATH.reparams.…}, that gives all. Tokens stay at
 * their positions.
 */
final class PrefixCheckpoint implements Checkpoint {
  private static final String TABLE = "prompt_embeddings";
  private static final Map<String, String> NETWORK =
      Map.of(
          "embedding.weight", "wte.weight",
          "transform.0.weight", "control_trans.0.weight",
          "transform.0.bias", "control_trans.0.bias",
          "transform.2.weight", "control_trans.2.weight",
          "transform.2.bias", "control_trans.2.bias");

  @Override
  public DeltaSpec read(Fields fields, Model model, List<String> unfrozen) {
    boolean network = fields.flag("reparameterize", true);
    fields.ignore("embed_dim", "mid_dim");
    Prefix prefix =
        Prefix.of(fields.integer("prefix_token_num"))
            .keepingPositions()
            .across(isTold(model) ? Prefix.Stacks.OPENDELTA : Prefix.Stacks.PEFT)
            .saving(unfrozen.toArray(String[]::new));
    List<Integer> blocks = blocks(OpenDeltaTargets.read(fields.config()), model);
    Prefix placed = blocks.size() == model.blocks().size() ? prefix : prefix.inBlocks(blocks);
    return network
        ? placed.projected(fields.integer("mid_dim")).embedded(fields.integer("embed_dim"))
        : placed;
  }

  /** Whether there are two stacks, or blocks that are told relative positions, as in T5. */
  private static boolean isTold(Model model) {
    return model.isEncoderDecoder()
        || model.blocks().stream()
            .flatMap(block -> block.children().stream())
            .anyMatch(Embedding.class::isInstance);
  }

  /** The numbers of the blocks whose attention is hit. */
  private static List<Integer> blocks(Address address, Model model) {
    List<String> hits =
        address.findLeniently(model, Address.Kind.MODULES).stream().map(Address.Hit::path).toList();
    List<Block> all = model.blocks();
    List<Integer> numbers = new ArrayList<>();
    for (int number = 0; number < all.size(); number++) {
      String query = query(all.get(number));
      if (hits.stream().anyMatch(hit -> query.startsWith(hit + "."))) {
        numbers.add(number);
      }
    }
    if (numbers.isEmpty()) {
      throw new DeltaException.NoMatch(
          "found no attention at "
              + address
              + " in "
              + model.name()
              + ", expected some for a prefix to go before; the checkpoint is for another model");
    }
    return numbers;
  }

  private static String query(Block block) {
    Place place = block.places().get("attn.q");
    return Objects.requireNonNull(place).path();
  }

  @Override
  public List<DeltaTensors.Entry> entries(Delta delta, Names names, Map<String, Parameter> left) {
    Prefix prefix = (Prefix) delta.spec();
    List<String> queries =
        prefix.chosenBlocks(delta.base()).stream().map(PrefixCheckpoint::query).toList();
    List<DeltaTensors.Entry> entries = new ArrayList<>();
    if (prefix.inner() > 0) {
      String at = names.hooked(queries.getFirst(), "reparams");
      NETWORK.forEach(
          (ours, theirs) ->
              entries.add(
                  DeltaTensors.Entry.of(
                      at + theirs, Objects.requireNonNull(left.remove(ours), ours))));
      return entries;
    }
    Parameter table = Objects.requireNonNull(left.remove(TABLE));
    long size = table.value().size(1) / (2L * queries.size());
    for (int i = 0; i < queries.size(); i++) {
      String at = names.hooked(queries.get(i), "prefix");
      entries.add(columns(at + "past_key", table, 2L * i * size, size));
      entries.add(columns(at + "past_value", table, (2L * i + 1) * size, size));
    }
    return entries;
  }

  /** Some columns of the table as a tensor of their own. */
  private static DeltaTensors.Entry columns(String key, Parameter table, long from, long size) {
    return new DeltaTensors.Entry(
        key,
        () -> Indexing.slice(table.value().detach(), 1, from, size),
        read -> {
          Tensor before = table.value().detach();
          long after = before.size(1) - from - size;
          List<Tensor> parts = new ArrayList<>();
          if (from > 0) {
            parts.add(Indexing.slice(before, 1, 0, from));
          }
          parts.add(read.to(before.dtype()));
          if (after > 0) {
            parts.add(Indexing.slice(before, 1, from + size, after));
          }
          table.assign(Indexing.concat(parts, 1));
        });
  }
}
