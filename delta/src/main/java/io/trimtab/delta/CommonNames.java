package io.trimtab.delta;

import io.trimtab.model.Block;
import io.trimtab.model.Head;
import io.trimtab.model.Model;
import io.trimtab.model.Stack;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SequencedMap;
import java.util.SequencedSet;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The common structure: one set of names for the parts of every architecture, {@code embeddings},
 * {@code encoder.block.0.attn.q}, …, {@code encoder.block.0.ff.w2}, {@code lm_head.proj}, as
 * OpenDelta has it (Hu et al., 2023, section 3.2), with the modules that hold several of them.
 */
final class CommonNames {
  private static final Pattern PROJECTION =
      Pattern.compile("(attn|crossattn|ff)\\.(?:q|k|v|proj|w\\d)");

  /**
   * Where a common name is in a model.
   *
   * @param path of a layer, or of a module that holds layers
   * @param outputs which of the layer's outputs it is, or null for all
   */
  record Place(String path, Address.@Nullable Outputs outputs) {}

  private CommonNames() {}

  /** Every common name of a model with its place, in the order of computation. */
  static SequencedMap<String, Place> of(Model model) {
    SequencedMap<String, Place> names = new LinkedHashMap<>();
    String words = model.stacks().getFirst().embeddings().words().path();
    names.put("embeddings", new Place(words, null));
    for (Stack stack : model.stacks()) {
      Set<String> known = new HashSet<>();
      for (Block block : stack.blocks()) {
        if (known.add(block.path())) { // several that share their weights are one
          add(names, stack.role().word() + ".block." + (known.size() - 1), block);
        }
      }
    }
    model
        .head(Head.MaskedLm.class)
        .<Head>map(head -> head)
        .or(() -> model.head(Head.CausalLm.class))
        .ifPresent(
            head -> names.put("lm_head.proj", new Place(head.children().getLast().path(), null)));
    return Collections.unmodifiableSequencedMap(names);
  }

  private static void add(SequencedMap<String, Place> names, String at, Block block) {
    names.put(at, new Place(block.path(), null));
    SequencedMap<String, io.trimtab.model.Place> places = block.places();
    for (String part : List.of("attn", "crossattn", "ff")) {
      if (!places.containsKey(part)) {
        continue;
      }
      List<io.trimtab.model.Place> inside =
          places.entrySet().stream()
              .filter(place -> isProjection(place.getKey(), part))
              .map(Map.Entry::getValue)
              .toList();
      String module =
          inside.isEmpty() // experts, each with layers of its own
              ? Objects.requireNonNull(places.get(part)).path()
              : moduleOf(inside.stream().map(io.trimtab.model.Place::path).toList());
      io.trimtab.model.Place end = places.get(part);
      if (!module.equals(block.path())) {
        names.put(at + "." + part, new Place(module, null));
      } else if (end != null) { // some architectures have no module for it, but one that it ends in
        names.put(at + "." + part, new Place(end.path(), null));
      }
      places.forEach(
          (name, place) -> {
            // Pieces of each head have no address: they are no stretch of outputs.
            if (name.startsWith(part + ".") && place.every() == 0) {
              Address.Outputs outputs =
                  place.outputs() == 0
                      ? null
                      : new Address.Outputs(place.first(), (long) place.first() + place.outputs());
              names.put(at + "." + name, new Place(place.path(), outputs));
            }
          });
    }
  }

  private static boolean isProjection(String name, String part) {
    Matcher matcher = PROJECTION.matcher(name);
    return matcher.matches() && matcher.group(1).equals(part);
  }

  /** The deepest module that holds all of these layers. */
  private static String moduleOf(List<String> paths) {
    String module = paths.getFirst();
    do {
      module = module.substring(0, module.lastIndexOf('.'));
    } while (!allIn(paths, module + "."));
    return module;
  }

  private static boolean allIn(List<String> paths, String prefix) {
    return paths.stream().allMatch(path -> path.startsWith(prefix));
  }

  /** Paths of layers and of the modules that their dots imply, each before what it holds. */
  static SequencedSet<String> withModules(Iterable<String> layers) {
    SequencedSet<String> paths = new LinkedHashSet<>();
    for (String path : layers) {
      for (int dot = path.indexOf('.'); dot >= 0; dot = path.indexOf('.', dot + 1)) {
        paths.add(path.substring(0, dot));
      }
      if (!path.isEmpty()) {
        paths.add(path);
      }
    }
    return paths;
  }
}
