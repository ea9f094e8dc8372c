package io.trimtab.delta.bottleneck;

import io.trimtab.delta.Address;
import io.trimtab.delta.DeltaException;
import io.trimtab.model.Block;
import io.trimtab.model.Embeddings;
import io.trimtab.model.Layer;
import io.trimtab.model.Linear;
import io.trimtab.model.Model;
import io.trimtab.model.Norm;
import io.trimtab.model.Place;
import io.trimtab.model.Sublayer;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.jspecify.annotations.Nullable;

/**
 * Finds modules as OpenDelta names them. A checkpoint's module need not be a layer here: {@code
 * attention} of a BERT block is its queries, keys, values and the sublayer that they end in. What
 * counts is where its output is.
 */
final class Modules {
  /**
   * A module whose output adapters can be behind.
   *
   * @param path the module's
   * @param layer the layer whose output is the module's
   * @param point where that is
   */
  record Module(String path, Layer layer, AdapterPlace.Point point) {}

  private final Model model;
  private final Blocks blocks;
  private final List<Layer> layers;

  Modules(Model model, Blocks blocks) {
    this.model = model;
    this.blocks = blocks;
    layers = model.root().walk().filter(layer -> !layer.path().isEmpty()).toList();
  }

  /** The modules of a name, in the order of computation. */
  List<Module> named(String name, List<String> exclude) {
    List<Module> found = new ArrayList<>();
    for (String path : name.contains("@") ? common(name.replace("@", "")) : matching(name)) {
      if (exclude.stream().noneMatch(path::startsWith)) {
        found.add(module(path));
      }
    }
    if (found.isEmpty()) {
      throw new DeltaException.NoMatch(
          "found no module "
              + name
              + " in "
              + model.name()
              + ", expected the end of a path such as "
              + blocks.all().getLast().layer().path()
              + ", [r] and a regular expression, or attn@, attn@.proj@, ff@ or ff@.w2@");
    }
    return found;
  }

  private Set<String> common(String name) {
    Set<String> paths = new LinkedHashSet<>();
    for (Block block : model.stack().blocks()) {
      Place place = block.places().get(name);
      if (place != null && place.outputs() > 0) {
        throw new DeltaException.Unsupported(
            "found "
                + name
                + " as a part of "
                + place.path()
                + ", which computes several things at once, expected a whole layer to put an"
                + " adapter behind; name that layer");
      }
      if (place != null) {
        paths.add(place.path());
      }
    }
    return paths;
  }

  private Set<String> matching(String name) {
    Pattern regex = name.startsWith("[r]") ? compile(name.substring(3)) : null;
    Set<String> paths = new LinkedHashSet<>();
    for (String path : allPaths()) {
      boolean hit = regex == null ? Address.endsIn(path, name) : regex.matcher(path).matches();
      if (hit) {
        paths.add(path);
      }
    }
    return paths;
  }

  /** Paths of layers and of the modules around them, which are no layers here. */
  private Set<String> allPaths() {
    Set<String> paths = new LinkedHashSet<>();
    for (Layer layer : layers) {
      String path = layer.path();
      for (int dot = path.indexOf('.'); dot >= 0; dot = path.indexOf('.', dot + 1)) {
        paths.add(path.substring(0, dot));
      }
      paths.add(path);
    }
    return paths;
  }

  /** From a dot to the end, as OpenDelta means it; it tries the leftmost place alone. */
  private static Pattern compile(String regex) {
    try {
      return Pattern.compile("(?:.*\\.)?(?:" + regex + ")");
    } catch (PatternSyntaxException e) {
      throw new DeltaException(
          "found \""
              + regex
              + "\" as a regular expression ("
              + e.getDescription()
              + "), expected Java's syntax",
          e);
    }
  }

  private Module module(String path) {
    for (Layer layer : layers) {
      if (layer.path().equals(path)) {
        Module module = ofLayer(path, layer);
        if (module != null) {
          return module;
        }
      }
    }
    Layer last = null;
    for (Layer layer : layers) {
      if (layer.path().startsWith(path + ".")) {
        last = layer;
      }
    }
    if (last instanceof Sublayer sublayer) {
      return ofSublayer(path, sublayer);
    }
    throw new DeltaException.Unsupported(
        "found "
            + path
            + " to put an adapter behind, expected a linear layer, attention, a feed-forward"
            + " network, a block or the embeddings; name one of these");
  }

  private @Nullable Module ofLayer(String path, Layer layer) {
    return switch (layer) {
      case Linear linear -> new Module(path, linear, AdapterPlace.Point.OUTPUT);
      case Block block -> new Module(path, block, AdapterPlace.Point.OUTPUT);
      case Embeddings embeddings -> new Module(path, embeddings, AdapterPlace.Point.OUTPUT);
      case Sublayer sublayer -> ofSublayer(path, sublayer);
      case Norm norm -> ofNorm(path, norm);
      default -> null;
    };
  }

  /** A checkpoint's module may end before its sublayer's addition and norm, or behind them. */
  private static Module ofSublayer(String path, Sublayer sublayer) {
    Norm norm = sublayer.norm();
    boolean normed = norm != null && norm.path().startsWith(path + ".");
    return new Module(
        path, sublayer, normed ? AdapterPlace.Point.OUTPUT : AdapterPlace.Point.BEFORE_ADDITION);
  }

  private @Nullable Module ofNorm(String path, Norm norm) {
    for (Blocks.Known sublayer : blocks.all()) {
      if (sublayer.layer().norm() == norm) {
        return new Module(path, sublayer.layer(), AdapterPlace.Point.OUTPUT);
      }
    }
    return null;
  }
}
