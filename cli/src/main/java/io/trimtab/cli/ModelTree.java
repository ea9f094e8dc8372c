package io.trimtab.cli;

import io.trimtab.delta.Address;
import io.trimtab.delta.Delta;
import io.trimtab.delta.Movement;
import io.trimtab.delta.Part;
import io.trimtab.delta.ReplacedTensor;
import io.trimtab.model.Held;
import io.trimtab.model.Model;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import java.util.function.ToLongFunction;
import java.util.stream.Stream;

/** A model's tensors as a tree of their names' parts, with what a delta or address does to each. */
final class ModelTree {
  /** A part of a name: a module, a layer or a tensor. */
  static final class Node {
    private final String name;
    private final Map<String, Node> children = new LinkedHashMap<>();
    private String shape = "";
    private long own;
    private long ownBytes;
    private long ownBeside;
    private long ownTrained;
    private String hit = "";
    private final List<Movement> movements = new ArrayList<>();

    private Node(String name) {
      this.name = name;
    }

    /** The last part of its path. */
    String name() {
      return name;
    }

    /** The tensor's shape; empty for a layer or module. */
    String shape() {
      return shape;
    }

    /** What of it the address hits: empty for nothing, {@code all}, or rows. */
    String hit() {
      return hit;
    }

    /** A layer, or a tensor at the top: what has no modules or layers below it. */
    boolean isLayer() {
      return children.values().stream().allMatch(child -> child.children.isEmpty());
    }

    /** The stored numbers here and below. */
    long count() {
      return sum(node -> node.own);
    }

    /** The bytes of these. */
    long bytes() {
      return sum(node -> node.ownBytes);
    }

    /** New numbers that a delta puts beside what is here and below. */
    long beside() {
      return sum(node -> node.ownBeside);
    }

    /** Stored numbers here and below that a delta trains itself. */
    long trained() {
      return sum(node -> node.ownTrained);
    }

    /** How many places here and below the address hits. */
    long hits() {
      return sum(node -> node.hit.isEmpty() ? 0 : 1);
    }

    /**
     * How far tensors that can be merged have moved, relative to them; NaN where there are none.
     */
    double moved() {
      double change = norm(one -> one.merged() ? one.change() : 0);
      return change == 0 && nodes().flatMap(n -> n.movements.stream()).noneMatch(Movement::merged)
          ? Double.NaN
          : change / norm(one -> one.merged() ? one.weight() : 0);
    }

    /** The norm of parameters that cannot be merged; NaN where there are none. */
    double unmerged() {
      return nodes().flatMap(n -> n.movements.stream()).allMatch(Movement::merged)
          ? Double.NaN
          : norm(one -> one.merged() ? 0 : one.change());
    }

    private double norm(ToDoubleFunction<Movement> part) {
      return Math.sqrt(
          nodes()
              .flatMap(node -> node.movements.stream())
              .mapToDouble(part)
              .map(value -> value * value)
              .sum());
    }

    private Stream<Node> nodes() {
      return Stream.concat(Stream.of(this), children.values().stream().flatMap(Node::nodes));
    }

    private long sum(ToLongFunction<Node> part) {
      return nodes().mapToLong(part).sum();
    }

    /** Equal for parts that look the same but for their names and how far they moved. */
    private String look() {
      StringBuilder look = new StringBuilder(shape);
      look.append(' ').append(ownBeside).append(' ').append(ownTrained).append(hit);
      children.forEach(
          (child, node) -> look.append(child).append('(').append(node.look()).append(')'));
      return look.toString();
    }
  }

  /**
   * A run of nodes that look the same, in one or in several places that do.
   *
   * @param run the nodes in the first place; at least one
   * @param all the nodes in all places
   */
  record Group(List<Node> run, List<Node> all) {
    Node first() {
      return run.getFirst();
    }

    int times() {
      return run.size();
    }

    /** Their name, or their first and last one. */
    String shown() {
      return times() == 1 ? first().name : first().name + "–" + run.getLast().name;
    }

    /** The nodes below, with runs of numbered ones that look the same as one. */
    List<Group> groups() {
      List<List<Node>> runs = new ArrayList<>();
      for (Node child : first().children.values()) {
        if (!runs.isEmpty() && alike(runs.getLast().getFirst(), child)) {
          runs.getLast().add(child);
        } else {
          runs.add(new ArrayList<>(List.of(child)));
        }
      }
      return runs.stream().map(one -> new Group(one, everywhere(one))).toList();
    }

    private List<Node> everywhere(List<Node> one) {
      List<String> names = one.stream().map(Node::name).toList();
      return all.stream()
          .flatMap(place -> place.children.values().stream())
          .filter(node -> names.contains(node.name))
          .toList();
    }

    private static boolean alike(Node a, Node b) {
      return isNumber(a.name) && isNumber(b.name) && a.look().equals(b.look());
    }
  }

  private final Node root = new Node("");

  /** The tree of a model's stored tensors. */
  static ModelTree of(Model model) {
    ModelTree tree = new ModelTree();
    model.held().forEach(tree::add);
    return tree;
  }

  private void add(String name, Held tensor) {
    Node node = find(name);
    node.shape = tensor.shape().toString();
    node.own = tensor.elements();
    node.ownBytes = tensor.bytes();
  }

  /** All of it, as a group without a name. */
  Group whole() {
    return new Group(List.of(root), List.of(root));
  }

  /** Notes what a delta tunes, and where. */
  void mark(Delta delta) {
    for (Part part : delta.parts()) {
      long count = count(part);
      if (part instanceof ReplacedTensor) {
        find(part.baseTensors().getFirst()).ownTrained += count;
      } else {
        find(layerOf(part)).ownBeside += count;
      }
    }
  }

  /** Notes what an address hits. */
  void mark(Address.Resolution resolution) {
    for (Address.Hit hit : resolution.found()) {
      Address.Outputs outputs = hit.outputs();
      Node node = find(hit.path());
      String rows = outputs == null ? "all" : outputs.start() + "–" + (outputs.end() - 1);
      node.hit = node.hit.isEmpty() ? rows : node.hit + ", " + rows;
    }
  }

  /** Notes how far tensors have moved. */
  void mark(List<Movement> movements) {
    movements.forEach(one -> find(one.tensor()).movements.add(one));
  }

  /** The path of the layer that a part is for. */
  static String layerOf(Part part) {
    if (part.baseTensors().isEmpty()) {
      return part.site().path();
    }
    String tensor = part.baseTensors().getFirst();
    return tensor.substring(0, Math.max(tensor.lastIndexOf('.'), 0));
  }

  /** How many numbers a part trains. */
  static long count(Part part) {
    return part.parameters().stream().mapToLong(one -> one.value().elements()).sum();
  }

  private Node find(String name) {
    Node node = root;
    for (String part : name.split("\\.", -1)) {
      node = node.children.computeIfAbsent(part, Node::new);
    }
    return node;
  }

  private static boolean isNumber(String name) {
    return !name.isEmpty() && name.chars().allMatch(Character::isDigit);
  }
}
