package io.trimtab.delta.prefix;

import io.trimtab.model.Batch;
import io.trimtab.model.Block;
import io.trimtab.model.KeyValueCache;
import io.trimtab.model.Model;
import io.trimtab.model.Pass;
import io.trimtab.model.Patch;
import io.trimtab.model.Patches;
import io.trimtab.model.Place;
import io.trimtab.model.Site;
import io.trimtab.model.Stack;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The keys and values that a model makes of a text: where a prefix can start from. */
final class PrefixStart {
  private PrefixStart() {}

  /** Of the first {@code length} tokens, [length, blocks · 2 · key size] in F32. */
  static Tensor of(Model model, List<Integer> numbers, List<Integer> text, int length) {
    return model.stack().role() == Stack.Role.DECODER
        ? ofDecoder(model, numbers, text, length)
        : ofEncoder(model, numbers, text, length);
  }

  /** What a decoder would keep of the text: keys that are normed and turned already. */
  private static Tensor ofDecoder(
      Model model, List<Integer> numbers, List<Integer> text, int length) {
    Batch batch = Batch.of(List.of(Batch.Row.of(text.stream().mapToInt(id -> id).toArray())));
    try (KeyValueCache cache = new KeyValueCache()) {
      model.stack().hiddenStates(batch, Pass.plain(batch.layout()).caching(cache));
      List<Tensor> columns = new ArrayList<>();
      for (int number : numbers) {
        columns.add(Indexing.slice(cache.keys(number, 0), 0, 0, length));
        columns.add(Indexing.slice(cache.values(number, 0), 0, 0, length));
      }
      return Indexing.concat(columns, 1).to(DType.F32);
    }
  }

  private static Tensor ofEncoder(
      Model model, List<Integer> numbers, List<Integer> text, int length) {
    // Blocks that share their layers run one after the other, so that a list of each layer's
    // results tells them apart.
    Map<String, List<Tensor>> seen = new HashMap<>();
    Map<Site<?>, Patch> at = new HashMap<>();
    for (Block block : model.stack().blocks()) {
      for (String part : List.of("attn.k", "attn.v")) {
        String path = place(block, part).path();
        Patch.Output watch =
            (input, output, pass) -> {
              seen.computeIfAbsent(path, key -> new ArrayList<>()).add(output);
              return output;
            };
        at.put(Site.output(path), watch);
      }
    }
    Batch batch = Batch.of(List.of(Batch.Row.of(text.stream().mapToInt(id -> id).toArray())));
    model.stack().hiddenStates(batch, Pass.with(batch.layout(), Patches.of(at)));
    Map<String, Integer> uses = new HashMap<>();
    List<Tensor> columns = new ArrayList<>();
    for (int number = 0; number < model.stack().blocks().size(); number++) {
      Block block = model.stack().blocks().get(number);
      Map<String, Integer> now = new HashMap<>();
      for (String part : List.of("attn.k", "attn.v")) {
        Place place = place(block, part);
        int use = now.computeIfAbsent(place.path(), path -> uses.merge(path, 1, Integer::sum) - 1);
        if (numbers.contains(number)) {
          Tensor all = java.util.Objects.requireNonNull(seen.get(place.path())).get(use);
          Tensor rows = Indexing.slice(all, 0, 0, length);
          columns.add(
              place.outputs() == 0
                  ? rows
                  : Indexing.slice(rows, 1, place.first(), place.outputs()));
        }
      }
    }
    return Indexing.concat(columns, 1).to(DType.F32);
  }

  private static Place place(Block block, String part) {
    return java.util.Objects.requireNonNull(block.places().get(part));
  }
}
