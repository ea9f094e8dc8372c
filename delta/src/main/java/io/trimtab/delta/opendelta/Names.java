package io.trimtab.delta.opendelta;

import io.trimtab.hub.TensorFile;
import io.trimtab.model.Block;
import io.trimtab.model.Layer;
import io.trimtab.model.Model;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * What a checkpoint calls things. Its names are those of the backbone that was changed, which may
 * have had another head than the model here, or none, and then calls its root otherwise.
 */
final class Names {
  private final Model model;
  private final Set<String> inFile;
  private final String root;
  private final String fileRoot;

  private Names(Model model, Set<String> inFile, String root, String fileRoot) {
    this.model = model;
    this.inFile = inFile;
    this.root = root;
    this.fileRoot = fileRoot;
  }

  static Names of(Model model, TensorFile file) {
    Set<String> names = new LinkedHashSet<>(file.names());
    String block = model.blocks().getFirst().path();
    String stack = block.substring(0, block.lastIndexOf('.') + 1);
    String root = stack.substring(0, stack.indexOf('.') + 1);
    if (root.length() == stack.length()) { // the stack is the root itself
      root = "";
    }
    String rest = stack.substring(root.length());
    if (names.stream().noneMatch(name -> name.startsWith(stack))) {
      for (String name : names) {
        int at = ("." + name).indexOf("." + rest);
        if (at >= 0) {
          return new Names(model, names, root, name.substring(0, at));
        }
      }
    }
    return new Names(model, names, root, root);
  }

  /** The file's name of what has a name here. */
  String inFile(String name) {
    return name.startsWith(root) ? fileRoot + name.substring(root.length()) : name;
  }

  /** The one name that ends so, or the end itself where there is none or more than one. */
  String ending(String end) {
    List<String> found = inFile.stream().filter(name -> name.endsWith(end)).toList();
    return found.size() == 1 ? found.getFirst() : end;
  }

  /**
   * The file's name of the module that a delta was hooked into, with the delta's own behind it:
   * that of the path or, since modules of a checkpoint need not be layers here, the deepest one
   * around it within its block that has such a delta.
   *
   * @param delta the name of the delta's module, such as {@code lora}
   */
  String hooked(String path, String delta) {
    int end = blockOf(path).length();
    for (String at = path; at.length() > end; at = at.substring(0, at.lastIndexOf('.'))) {
      String prefix = inFile(at) + "." + delta + ".";
      if (inFile.stream().anyMatch(name -> name.startsWith(prefix))) {
        return prefix;
      }
    }
    return inFile(path) + "." + delta + ".";
  }

  /** The path of the block that a path is in; outside blocks all but its last part. */
  private String blockOf(String path) {
    for (Block block : model.blocks()) {
      if (path.startsWith(block.path() + ".")) {
        return block.path();
      }
    }
    return path.substring(0, Math.max(0, path.lastIndexOf('.')));
  }

  /** The file's names of the model's own tensors. */
  boolean has(String tensor) {
    return inFile.contains(inFile(tensor));
  }

  /** The paths of the model's layers whose tensors are all in the file. */
  List<String> unfrozen() {
    Set<String> modules = new LinkedHashSet<>();
    for (Layer layer : model.root().walk().toList()) {
      Set<String> tensors = layer.tensors().keySet();
      if (!tensors.isEmpty() && tensors.stream().allMatch(this::has)) {
        tensors.forEach(name -> modules.add(name.substring(0, name.lastIndexOf('.'))));
      }
    }
    return List.copyOf(modules);
  }
}
