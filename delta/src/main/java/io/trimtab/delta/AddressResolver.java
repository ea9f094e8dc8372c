package io.trimtab.delta;

import io.trimtab.delta.Address.Hit;
import io.trimtab.delta.Address.Kind;
import io.trimtab.delta.Address.Miss;
import io.trimtab.delta.Address.Outputs;
import io.trimtab.delta.AddressTree.AllLinear;
import io.trimtab.delta.AddressTree.Common;
import io.trimtab.delta.AddressTree.Full;
import io.trimtab.delta.AddressTree.Glob;
import io.trimtab.delta.AddressTree.Minus;
import io.trimtab.delta.AddressTree.PeftLayers;
import io.trimtab.delta.AddressTree.Range;
import io.trimtab.delta.AddressTree.Search;
import io.trimtab.delta.AddressTree.Suffix;
import io.trimtab.delta.AddressTree.Union;
import io.trimtab.delta.AddressTree.Within;
import io.trimtab.model.Head;
import io.trimtab.model.Layer;
import io.trimtab.model.Linear;
import io.trimtab.model.Model;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Finds what an address hits. It computes with sets of atoms: a whole layer, or one part of a layer
 * that holds several by the common structure, so that parts can be joined and taken away.
 */
final class AddressResolver {
  private static final Pattern NUMBER =
      Pattern.compile("(?<stack>.*?\\.)??(?<number>\\d+)(?:\\..*)?");

  private final Model model;
  private final Kind kind;
  private final SequencedMap<String, CommonNames.Place> common;
  private final List<Hit> atoms = new ArrayList<>();
  private final Map<String, BitSet> atomsOfPath = new LinkedHashMap<>();
  private final Set<String> results;

  /** The outputs that are parts of their own, by the paths of the layers that hold several. */
  private final Map<String, List<Outputs>> parts = new HashMap<>();

  AddressResolver(Model model, Kind kind) {
    this.model = model;
    this.kind = kind;
    common = CommonNames.of(model);
    results = results(model);
    for (CommonNames.Place place : common.values()) {
      Outputs outputs = place.outputs();
      if (outputs != null) {
        parts.computeIfAbsent(place.path(), _ -> new ArrayList<>()).add(outputs);
      }
    }
    AddressNodes.of(model, kind).forEach(this::addAtoms);
  }

  private void addAtoms(AddressNodes.Node node) {
    TreeSet<Long> cuts = new TreeSet<>();
    if (node.layer() instanceof Linear linear) {
      for (Outputs outputs : parts.getOrDefault(node.path(), List.of())) {
        cuts.addAll(List.of(0L, outputs.start(), outputs.end(), linear.weight().out()));
      }
    }
    BitSet own = new BitSet();
    if (cuts.isEmpty()) {
      own.set(atoms.size());
      atoms.add(new Hit(node.path(), node.layer(), null));
    }
    for (Long cut : cuts) {
      Long end = cuts.higher(cut);
      if (end != null) {
        own.set(atoms.size());
        atoms.add(new Hit(node.path(), node.layer(), new Outputs(cut, end)));
      }
    }
    atomsOfPath.put(node.path(), own);
  }

  /** What an address hits and misses. */
  Address.Resolution resolve(Address address) {
    Map<AddressTree, BitSet> leaves = new LinkedHashMap<>();
    List<Miss> misses = new ArrayList<>();
    BitSet hit = evaluate(address.tree(), leaves, misses);
    AddressHints hints = new AddressHints(model, kind, common.sequencedKeySet());
    checkLeaves(address.tree(), hit, leaves, misses, hints, true);
    return new Address.Resolution(address, model.name(), hits(hit), distinct(misses));
  }

  private static List<Miss> distinct(List<Miss> misses) {
    return List.copyOf(new LinkedHashSet<>(misses));
  }

  /** Atoms as hits; all atoms of a layer are the layer. */
  private List<Hit> hits(BitSet hit) {
    List<Hit> hits = new ArrayList<>();
    atomsOfPath.forEach(
        (path, own) -> {
          BitSet both = (BitSet) own.clone();
          both.and(hit);
          if (both.equals(own)) {
            hits.add(new Hit(path, atoms.get(own.nextSetBit(0)).layer(), null));
          } else {
            both.stream().mapToObj(atoms::get).forEach(hits::add);
          }
        });
    return hits;
  }

  private BitSet evaluate(AddressTree tree, Map<AddressTree, BitSet> leaves, List<Miss> misses) {
    BitSet hit =
        switch (tree) {
          case Suffix suffix -> paths(path -> Address.endsIn(path, suffix.name()));
          case Glob glob -> paths(AddressRegex.glob(glob.pattern()));
          case Search search -> paths(AddressRegex.search(search.regex()));
          case Full full -> paths(AddressRegex.full(full.regex()));
          case AllLinear _ -> allLinear();
          case Common name -> common(name.pattern());
          case Union union -> {
            BitSet all = new BitSet();
            union.members().forEach(member -> all.or(evaluate(member, leaves, misses)));
            yield all;
          }
          case Minus minus -> {
            BitSet left = (BitSet) evaluate(minus.from(), leaves, misses).clone();
            left.andNot(evaluate(minus.what(), leaves, misses));
            yield left;
          }
          case Within within -> {
            BitSet left = (BitSet) evaluate(within.of(), leaves, misses).clone();
            left.and(inRanges(within.layers(), misses));
            yield left;
          }
          case PeftLayers layers -> {
            BitSet left = (BitSet) evaluate(layers.of(), leaves, misses).clone();
            left.and(paths(path -> inPeftLayers(path, layers)));
            left.or(wholePaths(layers.of()));
            yield left;
          }
        };
    if (isLeaf(tree)) {
      leaves.put(tree, hit);
    }
    return hit;
  }

  private static boolean isLeaf(AddressTree tree) {
    return switch (tree) {
      case Suffix _, Glob _, Search _, Full _, AllLinear _, Common _ -> true;
      case Union _, Minus _, Within _, PeftLayers _ -> false;
    };
  }

  /** Notes leaves that hit nothing, or nothing that is left in the end. */
  private static void checkLeaves(
      AddressTree tree,
      BitSet hit,
      Map<AddressTree, BitSet> leaves,
      List<Miss> misses,
      AddressHints hints,
      boolean wanted) {
    switch (tree) {
      case Union union ->
          union.members().forEach(one -> checkLeaves(one, hit, leaves, misses, hints, wanted));
      case Minus minus -> {
        checkLeaves(minus.from(), hit, leaves, misses, hints, wanted);
        checkLeaves(minus.what(), hit, leaves, misses, hints, false);
      }
      case Within within -> checkLeaves(within.of(), hit, leaves, misses, hints, wanted);
      case PeftLayers layers -> checkLeaves(layers.of(), hit, leaves, misses, hints, wanted);
      case Suffix _, Glob _, Search _, Full _, AllLinear _, Common _ -> {
        BitSet own = leaves.getOrDefault(tree, new BitSet());
        if (own.isEmpty()) {
          misses.add(new Miss(AddressPrinter.print(tree), hints.of(tree)));
        } else if (wanted && !own.intersects(hit)) {
          misses.add(
              new Miss(
                  AddressPrinter.print(tree), "all that it hits is filtered or taken away again"));
        }
      }
    }
  }

  private BitSet paths(Predicate<String> test) {
    BitSet hit = new BitSet();
    atomsOfPath.forEach(
        (path, own) -> {
          if (test.test(path)) {
            hit.or(own);
          }
        });
    return hit;
  }

  private BitSet allLinear() {
    BitSet hit = new BitSet();
    for (int i = 0; i < atoms.size(); i++) {
      hit.set(i, atoms.get(i).layer() instanceof Linear && !results.contains(atoms.get(i).path()));
    }
    return hit;
  }

  private static Set<String> results(Model model) {
    return model
        .root()
        .walk()
        .filter(layer -> layer instanceof Head && !(layer instanceof Head.Pooler))
        .map(head -> head.children().getLast().path())
        .collect(Collectors.toSet());
  }

  /** A module's common name stands for the layers it holds, unless modules are what is sought. */
  private BitSet common(String pattern) {
    Predicate<String> test =
        pattern.indexOf('*') >= 0 || pattern.indexOf('?') >= 0
            ? AddressRegex.glob(pattern)
            : name -> Address.endsIn(name, pattern);
    Set<String> named =
        CommonNames.withModules(common.keySet()).stream().filter(test).collect(Collectors.toSet());
    BitSet hit = new BitSet();
    common.forEach(
        (name, place) -> {
          boolean within =
              kind != Kind.MODULES
                  && CommonNames.withModules(List.of(name)).stream().anyMatch(named::contains);
          if (named.contains(name) || within) {
            hit.or(atomsAt(place));
          }
        });
    return hit;
  }

  private BitSet atomsAt(CommonNames.Place place) {
    BitSet own = (BitSet) atomsOfPath.getOrDefault(place.path(), new BitSet()).clone();
    Outputs wanted = place.outputs();
    if (wanted != null) {
      own.stream()
          .filter(
              i -> {
                Outputs has = atoms.get(i).outputs();
                return has != null && (has.start() < wanted.start() || has.end() > wanted.end());
              })
          .boxed()
          .toList()
          .forEach(own::clear);
    }
    return own;
  }

  /** The stack of layers that a path is in, and its number there. */
  private record Place(String stack, int number) {}

  private static Optional<Place> place(String path) {
    Matcher matcher = NUMBER.matcher(path);
    if (!matcher.matches() || matcher.group("number").length() > 6) {
      return Optional.empty();
    }
    String stack = String.valueOf(matcher.group("stack"));
    return Optional.of(new Place(stack, Integer.parseInt(matcher.group("number"))));
  }

  private BitSet inRanges(List<Range> ranges, List<Miss> misses) {
    Map<String, TreeSet<Integer>> stacks = new TreeMap<>();
    for (Layer layer : model.root().walk().toList()) {
      place(layer.path())
          .ifPresent(p -> stacks.computeIfAbsent(p.stack(), _ -> new TreeSet<>()).add(p.number()));
    }
    for (Range range : ranges) {
      boolean there =
          switch (range) {
            case Range.Span span ->
                stacks.values().stream()
                    .anyMatch(in -> in.contains(span.from()) && in.contains(span.to()));
            case Range.Last last ->
                stacks.values().stream().anyMatch(in -> in.size() >= last.count());
          };
      if (!there) {
        String has =
            stacks.values().stream()
                .map(in -> in.first() + "-" + in.last())
                .distinct()
                .collect(Collectors.joining(" and "));
        misses.add(
            new Miss(
                "layers=" + range, "the layers are " + (has.isEmpty() ? "not numbered" : has)));
      }
    }
    return paths(
        path ->
            place(path)
                .map(
                    p ->
                        ranges.stream()
                            .anyMatch(r -> contains(r, p.number(), stacks.get(p.stack()))))
                .orElse(false));
  }

  private static boolean contains(Range range, int number, @Nullable NavigableSet<Integer> stack) {
    return switch (range) {
      case Range.Span span -> span.from() <= number && number <= span.to();
      case Range.Last last -> stack != null && stack.tailSet(number).size() <= last.count();
    };
  }

  /** As PEFT finds the number: the first after one of the names, or after two parts of the path. */
  private static boolean inPeftLayers(String path, PeftLayers layers) {
    List<String> before =
        layers.names().isEmpty()
            ? List.of(".*?\\.[^.]*")
            : layers.names().stream().map(name -> "(?:^|.*?\\.)" + name).toList();
    for (String start : before) {
      Matcher matcher = AddressRegex.compile(start + "\\.(?<idx>\\d+)\\.").matcher(path);
      if (matcher.lookingAt()) {
        String number = matcher.group("idx");
        return layers.numbers().stream().anyMatch(n -> String.valueOf(n).equals(number));
      }
    }
    return false;
  }

  private BitSet wholePaths(AddressTree tree) {
    return switch (tree) {
      case Suffix suffix -> paths(suffix.name()::equals);
      case Union union -> {
        BitSet all = new BitSet();
        union.members().forEach(member -> all.or(wholePaths(member)));
        yield all;
      }
      default -> new BitSet();
    };
  }
}
