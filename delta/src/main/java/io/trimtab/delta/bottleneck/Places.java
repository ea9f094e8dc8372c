package io.trimtab.delta.bottleneck;

import io.trimtab.delta.DeltaException;
import io.trimtab.model.Block;
import io.trimtab.model.Layer;
import io.trimtab.model.Linear;
import io.trimtab.model.Model;
import io.trimtab.model.Sublayer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** Finds the places in a model that a placement means. */
final class Places {
  private final Model model;
  private final Blocks blocks;
  private final Modules modules;

  private Places(Model model) {
    this.model = model;
    blocks = new Blocks(model);
    modules = new Modules(model, blocks);
  }

  static List<AdapterPlace> of(Placement placement, Model model) {
    Places places = new Places(model);
    return switch (placement) {
      case Placement.Sublayers sublayers -> places.sublayers(sublayers);
      case Placement.Behind behind -> places.behind(behind);
      case Placement.Beside beside -> places.beside(beside);
    };
  }

  private List<AdapterPlace> sublayers(Placement.Sublayers wanted) {
    int count = model.blocks().size();
    for (int number : wanted.leaveOut()) {
      if (number < 0 || number >= count) {
        throw new DeltaException.NoMatch(
            "found block "
                + number
                + " to leave out, expected 0 to "
                + (count - 1)
                + ", which are the blocks of "
                + model.name());
      }
    }
    // Without a norm of the sublayer's own afterwards there is nothing left to be done by it.
    boolean behind = wanted.flow() instanceof Placement.Flow.Sequential flow && !flow.normAfter();
    AdapterPlace.Point point =
        behind ? AdapterPlace.Point.OUTPUT : AdapterPlace.Point.BEFORE_ADDITION;
    List<AdapterPlace> places = new ArrayList<>();
    for (Blocks.Known sublayer : blocks.all()) {
      boolean own = sublayer.layer().isAttention() && !sublayer.crosses();
      boolean meant = own ? wanted.attention() : !sublayer.crosses() && wanted.feedForward();
      Set<Integer> having = new TreeSet<>(sublayer.numbers());
      having.removeAll(wanted.leaveOut());
      if (meant && !having.isEmpty()) {
        Set<Integer> without = new TreeSet<>(sublayer.numbers());
        without.removeAll(having);
        String path = sublayer.layer().path();
        places.add(place(path, path, point, sublayer, having.iterator().next(), without));
      }
    }
    if (places.isEmpty()) {
      throw new DeltaException.NoMatch(
          "found every block of " + model.name() + " left out, expected at least one to be left");
    }
    return places;
  }

  private static AdapterPlace place(
      String path,
      String from,
      AdapterPlace.Point point,
      Blocks.Known sublayer,
      int block,
      Set<Integer> without) {
    List<String> weights = sublayer.weights();
    long hidden = sublayer.hidden();
    String site = sublayer.layer().path();
    return new AdapterPlace(path, from, site, point, hidden, hidden, block, without, weights);
  }

  private List<AdapterPlace> behind(Placement.Behind wanted) {
    Map<String, AdapterPlace> places = new LinkedHashMap<>();
    for (String name : wanted.names()) {
      for (Modules.Module module : modules.named(name, wanted.exclude())) {
        places.putIfAbsent(module.path(), at(module, false));
      }
    }
    return List.copyOf(places.values());
  }

  private AdapterPlace at(Modules.Module module, boolean readsInput) {
    Layer layer = module.layer();
    if (layer instanceof Sublayer sublayer) {
      Blocks.Known known = blocks.of(sublayer);
      return place(
          module.path(), module.path(), module.point(), known, known.numbers().first(), Set.of());
    }
    int block = blockOf(layer);
    if (layer instanceof Linear linear) {
      long out = linear.weight().out();
      return new AdapterPlace(
          module.path(),
          module.path(),
          linear.path(),
          module.point(),
          readsInput ? linear.weight().in() : out,
          out,
          block,
          Set.of(),
          List.of(linear.weightName()));
    }
    long hidden = blocks.all().getFirst().hidden();
    return new AdapterPlace(
        module.path(),
        module.path(),
        layer.path(),
        module.point(),
        hidden,
        hidden,
        block,
        Set.of(),
        layer.walk().flatMap(part -> part.tensors().keySet().stream()).distinct().toList());
  }

  private int blockOf(Layer layer) {
    List<Block> all = model.blocks();
    for (int i = 0; i < all.size(); i++) {
      if (all.get(i).walk().anyMatch(layer::equals)) {
        return i;
      }
    }
    return -1;
  }

  private List<AdapterPlace> beside(Placement.Beside wanted) {
    List<AdapterPlace> places = new ArrayList<>();
    for (int i = 0; i < wanted.names().size(); i += 2) {
      List<Modules.Module> from = modules.named(wanted.names().get(i), wanted.exclude());
      List<Modules.Module> to = modules.named(wanted.names().get(i + 1), wanted.exclude());
      if (from.size() != to.size()) {
        throw new DeltaException.NoMatch(
            "found "
                + from.size()
                + " modules "
                + wanted.names().get(i)
                + " and "
                + to.size()
                + " "
                + wanted.names().get(i + 1)
                + " for parallel adapters, expected as many of both");
      }
      for (int pair = 0; pair < from.size(); pair++) {
        places.add(between(from.get(pair), to.get(pair)));
      }
    }
    return places;
  }

  private AdapterPlace between(Modules.Module from, Modules.Module to) {
    if (from.path().equals(to.path())) {
      return at(to, true);
    }
    Blocks.Known sublayer = blocks.endingIn(to.layer());
    if (sublayer == null || !sublayer.first().contains(from.layer().path())) {
      throw new DeltaException.Unsupported(
          "found a parallel adapter from the input of "
              + from.path()
              + " to the output of "
              + to.path()
              + ", expected one module for both, or the first and the last linear layer of an"
              + " attention or feed-forward network");
    }
    return place(
        to.path(),
        from.path(),
        AdapterPlace.Point.BEFORE_ADDITION,
        sublayer,
        sublayer.numbers().first(),
        Set.of());
  }
}
