package io.trimtab.cli;

import io.trimtab.cli.ModelTree.Group;
import io.trimtab.cli.ModelTree.Node;
import java.io.PrintWriter;
import java.util.DoubleSummaryStatistics;
import java.util.Locale;
import java.util.function.ToDoubleFunction;

/** A model's tree as text, a line a layer; runs of layers that look the same are one line. */
final class ModelTreeText {
  private final PrintWriter out;

  private ModelTreeText(PrintWriter out) {
    this.out = out;
  }

  static void print(ModelTree tree, PrintWriter out) {
    new ModelTreeText(out).print(tree.whole(), "");
  }

  private void print(Group above, String indent) {
    for (Group group : above.groups()) {
      out.println(indent + line(group));
      if (!group.first().isLayer()) {
        print(group, indent + "  ");
      }
    }
  }

  private static String line(Group group) {
    Node node = group.first();
    StringBuilder line = new StringBuilder(group.shown());
    if (group.times() > 1) {
      line.append(" (").append(group.times()).append(" ×)");
    }
    if (!node.shape().isEmpty()) {
      line.append(' ').append(node.shape());
    }
    line.append(String.format(Locale.ROOT, "  %,d", node.count()));
    if (node.trained() > 0) {
      line.append(String.format(Locale.ROOT, "  tuned %,d", node.trained()));
    }
    if (node.beside() > 0) {
      line.append(String.format(Locale.ROOT, "  delta +%,d", node.beside()));
    }
    if (!node.hit().isEmpty()) {
      line.append("  hit").append(node.hit().equals("all") ? "" : " rows " + node.hit());
    }
    if (node.isLayer()) {
      line.append(range(group, Node::moved, 100, "  moved ", " %"));
      line.append(range(group, Node::unmerged, 1, "  parameters of norm ", ""));
    }
    return line.toString();
  }

  /** The smallest and largest value of a group; empty where there is none. */
  private static String range(
      Group group, ToDoubleFunction<Node> value, double unit, String before, String after) {
    DoubleSummaryStatistics all =
        group.all().stream()
            .mapToDouble(value)
            .filter(one -> !Double.isNaN(one))
            .summaryStatistics();
    if (all.getCount() == 0) {
      return "";
    }
    String least = number(unit * all.getMin());
    String most = number(unit * all.getMax());
    return before + (least.equals(most) ? most : least + "–" + most) + after;
  }

  /** A number with three digits that count. */
  static String number(double value) {
    if (!Double.isFinite(value)) {
      return value > 0 ? "∞" : "?";
    }
    if (value == 0) {
      return "0";
    }
    if (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e5) {
      return String.format(Locale.ROOT, "%.1e", value);
    }
    int decimals = Math.max(0, 2 - (int) Math.floor(Math.log10(Math.abs(value))));
    return String.format(Locale.ROOT, "%." + decimals + "f", value);
  }
}
