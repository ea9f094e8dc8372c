package io.trimtab.delta.adapterhub;

import io.trimtab.delta.DeltaTensors;
import io.trimtab.model.Model;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * How tensors are called in a file: below the names of the model's layers, with the adapter's own.
 *
 * @param adapter the adapter's name
 * @param root the name of the model without its head, such as {@code bert}; empty where it is the
 *     whole model
 */
record Keys(String adapter, String root) {
  static Keys of(Model model, String adapter) {
    String embeddings = model.stacks().getFirst().embeddings().path();
    String root = above(embeddings);
    return new Keys(adapter, model.isEncoderDecoder() ? above(root) : root);
  }

  private static String above(String path) {
    return path.substring(0, Math.max(0, path.lastIndexOf('.')));
  }

  /** A name below the model without its head. */
  String below(String name) {
    return root.isEmpty() ? name : root + "." + name;
  }

  /**
   * The entries under the names of a file that may have been written of the same model with another
   * head, or without one, and then calls its root otherwise.
   */
  List<DeltaTensors.Entry> in(Set<String> names, List<DeltaTensors.Entry> entries) {
    Set<String> roots = new LinkedHashSet<>(List.of(root, ""));
    names.forEach(name -> roots.add(name.substring(0, name.indexOf('.') + 1).replace(".", "")));
    for (String other : roots) {
      if (!entries.isEmpty() && names.contains(moved(entries.getFirst().key(), other))) {
        return entries.stream().map(each -> each.named(moved(each.key(), other))).toList();
      }
    }
    return entries;
  }

  private String moved(String key, String other) {
    String rest = root.isEmpty() ? key : key.substring(root.length() + 1);
    return other.isEmpty() ? rest : other + "." + rest;
  }
}
