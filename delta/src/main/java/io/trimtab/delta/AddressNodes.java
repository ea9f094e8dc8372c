package io.trimtab.delta;

import io.trimtab.delta.Address.Kind;
import io.trimtab.model.Embedding;
import io.trimtab.model.Layer;
import io.trimtab.model.Linear;
import io.trimtab.model.Model;
import io.trimtab.model.Norm;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;

/** What an address can hit in a model. */
final class AddressNodes {
  /** A path, and the layer that has it; null for a module that is a name only. */
  record Node(String path, @Nullable Layer layer) {}

  private AddressNodes() {}

  /** All nodes of a kind, in the order of computation. */
  static List<Node> of(Model model, Kind kind) {
    SequencedMap<String, Layer> layers = new LinkedHashMap<>();
    // A head may have the path of a layer below it, which is the one that is meant.
    model.root().walk().forEach(layer -> layers.merge(layer.path(), layer, AddressNodes::chosen));
    if (kind == Kind.MODULES) {
      return CommonNames.withModules(layers.keySet()).stream()
          .map(path -> new Node(path, layers.get(path)))
          .toList();
    }
    return layers.values().stream()
        .filter(layer -> is(layer, kind))
        .map(layer -> new Node(layer.path(), layer))
        .toList();
  }

  private static Layer chosen(Layer a, Layer b) {
    return a.tensors().isEmpty() ? b : a;
  }

  /** Whether a layer is of a kind. */
  static boolean is(Layer layer, Kind kind) {
    return switch (kind) {
      case PROJECTIONS -> layer instanceof Linear || layer instanceof Embedding;
      case NORMS -> layer instanceof Norm;
      case LAYERS -> !layer.tensors().isEmpty();
      case MODULES -> true;
    };
  }
}
