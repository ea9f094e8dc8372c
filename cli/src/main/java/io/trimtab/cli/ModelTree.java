package io.trimtab.cli;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** A model's tensors as a tree of their names' parts, with repeated parts shown once. */
final class ModelTree {
  private static final class Node {
    private final Map<String, Node> children = new LinkedHashMap<>();
    private String shape = "";
    private long own;
    private long tuned;

    long count() {
      return own + children.values().stream().mapToLong(Node::count).sum();
    }

    long tunedCount() {
      return tuned + children.values().stream().mapToLong(Node::tunedCount).sum();
    }

    /** Equal for parts that look the same but for their names. */
    String look() {
      StringBuilder look = new StringBuilder(shape).append(tuned);
      children.forEach(
          (name, child) -> look.append(name).append('(').append(child.look()).append(')'));
      return look.toString();
    }
  }

  private final Node root = new Node();

  /** Adds a tensor. */
  void add(String name, long[] shape, long elements) {
    Node node = find(name);
    node.shape = Arrays.toString(shape);
    node.own = elements;
  }

  /** Notes that a layer gets so many tuned numbers. */
  void mark(String path, long count) {
    find(path).tuned += count;
  }

  private Node find(String name) {
    Node node = root;
    for (String part : name.split("\\.", -1)) {
      node = node.children.computeIfAbsent(part, _ -> new Node());
    }
    return node;
  }

  /** Prints it, a line a layer; runs of numbered parts that look the same are one line. */
  void print(PrintWriter out) {
    print(root, "", out);
  }

  private static void print(Node node, String indent, PrintWriter out) {
    List<Map.Entry<String, Node>> children = new ArrayList<>(node.children.entrySet());
    int at = 0;
    while (at < children.size()) {
      Node child = children.get(at).getValue();
      String name = children.get(at).getKey();
      int end = at + 1;
      if (isNumber(name)) {
        String look = child.look();
        while (end < children.size()
            && isNumber(children.get(end).getKey())
            && children.get(end).getValue().look().equals(look)) {
          end++;
        }
      }
      int times = end - at;
      String shown = times == 1 ? name : name + "–" + children.get(end - 1).getKey();
      StringBuilder line = new StringBuilder(indent).append(shown);
      if (times > 1) {
        line.append(" (").append(times).append(" ×)");
      }
      if (!child.shape.isEmpty()) {
        line.append(' ').append(child.shape);
      }
      line.append(String.format(Locale.ROOT, "  %,d", child.count()));
      if (child.tunedCount() > 0) {
        line.append(String.format(Locale.ROOT, "  tuned +%,d", child.tunedCount()));
      }
      out.println(line);
      boolean leafLayer = child.children.values().stream().allMatch(c -> c.children.isEmpty());
      if (!leafLayer) {
        print(child, indent + "  ", out);
      }
      at = end;
    }
  }

  private static boolean isNumber(String name) {
    return !name.isEmpty() && name.chars().allMatch(Character::isDigit);
  }
}
