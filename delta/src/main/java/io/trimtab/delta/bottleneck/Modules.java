package io.trimtab.delta.bottleneck;

import io.trimtab.delta.Address;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.OpenDeltaTargets;
import io.trimtab.model.Block;
import io.trimtab.model.Embeddings;
import io.trimtab.model.Layer;
import io.trimtab.model.Linear;
import io.trimtab.model.Model;
import io.trimtab.model.Norm;
import io.trimtab.model.Sublayer;
import java.util.ArrayList;
import java.util.List;
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

  /**
   * The modules of a name, in the order of computation.
   *
   * @throws DeltaException.NoMatch where it hits nothing; names near misses
   */
  List<Module> named(String name, List<String> exclude) {
    Address address = OpenDeltaTargets.excluding(OpenDeltaTargets.entry(name), exclude);
    List<Module> found = new ArrayList<>();
    for (Address.Hit hit : address.findLeniently(model, Address.Kind.MODULES)) {
      if (hit.outputs() != null) {
        throw new DeltaException.Unsupported(
            "found "
                + name
                + " as a part of "
                + hit.path()
                + ", which computes several things at once, expected a whole layer to put an"
                + " adapter behind; name that layer");
      }
      found.add(module(hit.path()));
    }
    return found;
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
