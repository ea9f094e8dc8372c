package io.trimtab.delta.prefix;

import io.trimtab.delta.DeltaException;
import io.trimtab.model.Block;
import io.trimtab.model.Embedding;
import io.trimtab.model.Model;
import io.trimtab.model.Stack;
import io.trimtab.model.Sublayer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.Set;
import java.util.stream.IntStream;

/** The blocks of a model that have a prefix, and where in its table each block's is. */
final class PrefixBlocks {
  /** A block, and its number in its stack, which passes have. */
  private record Numbered(Block block, Stack stack, int inStack) {}

  private final Model model;
  private final boolean ofPeft;
  private final boolean eachItsOwn;
  private final List<Numbered> all = new ArrayList<>();
  private final List<Integer> numbers;

  PrefixBlocks(Prefix prefix, Model model) {
    this.model = model;
    ofPeft = prefix.stacks() == Prefix.Stacks.PEFT && model.isEncoderDecoder();
    eachItsOwn = prefix.shifted();
    for (Stack stack : ofPeft ? List.of(model.stacks().getLast()) : model.stacks()) {
      List<Block> blocks = stack.blocks();
      for (int number = 0; number < blocks.size(); number++) {
        all.add(new Numbered(blocks.get(number), stack, number));
      }
    }
    if (ofPeft && all.size() > encoderBlocks()) {
      throw new DeltaException.Unsupported(
          "found a decoder of "
              + all.size()
              + " blocks behind an encoder of "
              + encoderBlocks()
              + " in "
              + model.name()
              + ", expected no more in the decoder: PEFT has no prefix there; say stacks=each");
    }
    numbers = numbers(prefix.blocks());
  }

  private int encoderBlocks() {
    return model.stacks().getFirst().blocks().size();
  }

  private List<Integer> numbers(List<Integer> chosen) {
    int count = all.size();
    for (int block : chosen) {
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
    return chosen.isEmpty()
        ? IntStream.range(0, count).boxed().toList()
        : chosen.stream().sorted().distinct().toList();
  }

  /** The numbers of those that have one, from 0 across stacks. */
  List<Integer> numbers() {
    return numbers;
  }

  /** Those that have one. */
  List<Block> chosen() {
    return numbers.stream().map(number -> all.get(number).block()).toList();
  }

  /**
   * The numbers of those whose keys and values are in the table, in its order: in AdapterHub,
   * blocks that share weights share one. PEFT makes an encoder-decoder's table for the encoder.
   */
  List<Integer> inTable() {
    if (ofPeft) {
      return IntStream.range(0, encoderBlocks()).boxed().toList();
    }
    Set<Sublayer> seen = new LinkedHashSet<>();
    return numbers.stream()
        .filter(number -> seen.add(all.get(number).block().attention()) || eachItsOwn)
        .toList();
  }

  /** For each attention where in the table its prefix is, by the block's number in its stack. */
  SequencedMap<Sublayer, Map<Integer, Integer>> places() {
    List<Integer> inTable = inTable();
    SequencedMap<Sublayer, Map<Integer, Integer>> places = new LinkedHashMap<>();
    for (int number : numbers) {
      Numbered here = all.get(number);
      Map<Integer, Integer> at =
          places.computeIfAbsent(here.block().attention(), key -> new LinkedHashMap<>());
      boolean owns = at.isEmpty() || inTable.contains(number);
      int own = owns ? inTable.indexOf(number) : at.values().iterator().next();
      // PEFT hands each block two, for its own tokens and for the encoder's, and forgets the
      // latter.
      at.put(here.inStack(), ofPeft ? 2 * number % inTable.size() : own);
    }
    return places;
  }

  /** The stacks of those that have one. */
  List<Stack> stacks() {
    return numbers.stream().map(number -> all.get(number).stack()).distinct().toList();
  }

  /**
   * What OpenDelta leaves out: blocks with a prefix, and all behind them, look relative positions
   * up themselves, and only a stack's first block has a table to do so.
   */
  List<UntoldPositions> untold() {
    List<UntoldPositions> parts = new ArrayList<>();
    for (Stack stack : stacks()) {
      int first =
          numbers.stream()
              .map(all::get)
              .filter(each -> each.stack().equals(stack))
              .mapToInt(Numbered::inStack)
              .min()
              .orElse(0);
      stack.blocks().getFirst().children().stream()
          .filter(Embedding.class::isInstance)
          .map(Embedding.class::cast)
          .forEach(table -> parts.add(new UntoldPositions(table, Math.max(1, first))));
    }
    return parts;
  }

  /** The weights that make an attention's keys and values. */
  List<String> made(Sublayer attention) {
    return all.stream()
        .map(Numbered::block)
        .filter(block -> block.attention().equals(attention))
        .limit(1)
        .flatMap(block -> block.places().entrySet().stream())
        .filter(place -> place.getKey().equals("attn.k") || place.getKey().equals("attn.v"))
        .map(place -> place.getValue().path() + ".weight")
        .distinct()
        .toList();
  }

  /**
   * The size of the blocks' keys.
   *
   * @throws DeltaException.Unsupported where they differ, since a table has one size
   */
  int keySize() {
    List<Integer> sizes = chosen().stream().map(Block::keySize).distinct().toList();
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
}
