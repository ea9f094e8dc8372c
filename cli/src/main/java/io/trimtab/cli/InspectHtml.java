package io.trimtab.cli;

import io.trimtab.cli.ModelTree.Group;
import io.trimtab.cli.ModelTree.Node;
import io.trimtab.delta.Movement;
import io.trimtab.train.ReportHtml;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * A model's tree as one HTML page that needs nothing else: it folds without a script, and all that
 * came from a model's files is escaped.
 */
final class InspectHtml {
  private static final Pattern NUMBER = Pattern.compile("(?<=^|\\.)\\d{1,6}(?=\\.)");

  private final StringBuilder out = new StringBuilder();

  private InspectHtml() {}

  /**
   * The page's text.
   *
   * @param title the heading
   * @param subtitle below it
   * @param facts figures by name, shown above the tree
   * @param tree the model
   * @param movements how far a trained delta moved; empty where there is none
   */
  static String render(
      String title,
      String subtitle,
      Map<String, String> facts,
      ModelTree tree,
      List<Movement> movements) {
    InspectHtml page = new InspectHtml();
    page.head(title, subtitle);
    page.facts(facts);
    page.tree(tree);
    page.movements(movements);
    page.out.append("<footer>Made by Trimtab.</footer>\n</main>\n</body>\n</html>\n");
    return page.out.toString();
  }

  private void head(String title, String subtitle) {
    out.append(
            """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>\
            """)
        .append(escape(title))
        .append("</title>\n<style>\n")
        .append(resource(ReportHtml.class, "report.css")) // the look of the runs' reports
        .append(resource(InspectHtml.class, "inspect.css"))
        .append("</style>\n</head>\n<body>\n<main>\n<header>\n<h1>")
        .append(escape(title))
        .append("</h1>\n<p class=\"soft\">")
        .append(escape(subtitle))
        .append("</p>\n</header>\n");
  }

  private void facts(Map<String, String> facts) {
    out.append("<section class=\"tiles\">\n");
    facts.forEach(
        (name, value) ->
            out.append("<div class=\"card\"><h3>")
                .append(escape(name))
                .append("</h3><div class=\"value\">")
                .append(escape(value))
                .append("</div></div>\n"));
    out.append("</section>\n");
  }

  private void tree(ModelTree tree) {
    out.append(
        """
        <h2>Layers</h2>
        <div class="card scroll">
        <p class="legend"><span class="dot frozen"></span>frozen \
        <span class="dot tuned"></span>its own numbers are tuned \
        <span class="dot delta"></span>a delta beside it \
        <span class="dot hit"></span>hit by the address</p>
        <div class="tree">
        <div class="row titles"><span class="name">layer</span><span>shape</span>\
        <span>numbers</span><span>bytes</span><span>tuned</span><span>moved</span></div>
        """);
    tree.whole().groups().forEach(group -> group(group, 0));
    out.append("</div>\n</div>\n");
  }

  private void group(Group group, int depth) {
    Node node = group.first();
    if (node.isLayer()) {
      row(group, depth, "div");
      return;
    }
    boolean open = depth < 2 || touched(node);
    out.append(open ? "<details open>" : "<details>");
    row(group, depth, "summary");
    group.groups().forEach(child -> group(child, depth + 1));
    out.append("</details>\n");
  }

  private static boolean touched(Node node) {
    return node.trained() > 0 || node.beside() > 0 || node.hits() > 0;
  }

  private void row(Group group, int depth, String element) {
    Node node = group.first();
    long tuned = node.trained() + node.beside();
    out.append('<')
        .append(element)
        .append(" class=\"row\"><span class=\"name\" style=\"padding-left:");
    out.append(depth * 18)
        .append("px\"><span class=\"dot ")
        .append(state(node))
        .append("\"></span>");
    out.append(escape(group.shown()));
    if (group.times() > 1) {
      out.append(" <span class=\"soft\">").append(group.times()).append(" ×</span>");
    }
    if (!node.hit().isEmpty() && !node.hit().equals("all")) {
      out.append(" <span class=\"tag\">rows ").append(escape(node.hit())).append("</span>");
    }
    out.append("</span><span class=\"soft\">").append(escape(shape(group)));
    out.append("</span><span>").append(whole(node.count()));
    out.append("</span><span>").append(bytes(node.bytes()));
    out.append("</span><span class=\"plus\">").append(tuned == 0 ? "" : sign(node) + whole(tuned));
    out.append("</span><span>").append(escape(moved(group)));
    out.append("</span></").append(element).append(">\n");
  }

  private static String sign(Node node) {
    return node.beside() > 0 ? "+" : "";
  }

  private static String state(Node node) {
    if (node.beside() > 0) {
      return "delta";
    }
    if (node.trained() > 0) {
      return "tuned";
    }
    return node.hits() > 0 ? "hit" : "frozen";
  }

  /** A layer's first tensor says most; a module has no shape. */
  private static String shape(Group group) {
    List<Group> tensors = group.first().isLayer() ? group.groups() : List.of();
    return tensors.isEmpty() ? group.first().shape() : tensors.getFirst().first().shape();
  }

  private static String moved(Group group) {
    List<Double> moved = group.all().stream().map(Node::moved).filter(one -> !one.isNaN()).toList();
    if (moved.isEmpty()) {
      double norm = group.first().unmerged();
      return Double.isNaN(norm) ? "" : "norm " + ModelTreeText.number(norm);
    }
    String least = ModelTreeText.number(100 * moved.stream().min(Double::compare).orElse(0.0));
    String most = ModelTreeText.number(100 * moved.stream().max(Double::compare).orElse(0.0));
    return (least.equals(most) ? most : least + "–" + most) + " %";
  }

  /** A table with a row for each kind of tensor and a column for each numbered layer. */
  private void movements(List<Movement> movements) {
    if (movements.isEmpty()) {
      return;
    }
    Map<String, Map<Integer, Movement>> rows = new LinkedHashMap<>();
    TreeSet<Integer> columns = new TreeSet<>();
    double most = 0;
    for (Movement one : movements) {
      Matcher matcher = NUMBER.matcher(one.tensor());
      boolean numbered = matcher.find();
      int column = numbered ? Integer.parseInt(matcher.group()) : -1;
      String row = numbered ? matcher.replaceFirst("*") : one.tensor();
      rows.computeIfAbsent(row, _ -> new TreeMap<>()).put(column, one);
      columns.add(column);
      most = Double.isFinite(one.relative()) ? Math.max(most, one.relative()) : most;
    }
    out.append(
        """
        <h2>How far each layer moved</h2>
        <div class="card scroll">
        <p class="soft">The Frobenius norm of the merged change, in percent of the weight's; where a \
        part cannot be merged, the norm of its parameters, in brackets.</p>
        <table class="moved"><thead><tr><th></th>\
        """);
    columns.forEach(
        column ->
            out.append("<th>").append(column < 0 ? "" : String.valueOf(column)).append("</th>"));
    out.append("</tr></thead>\n<tbody>\n");
    double scale = most;
    rows.forEach(
        (name, row) -> {
          out.append("<tr><th scope=\"row\">").append(escape(name)).append("</th>");
          columns.forEach(column -> cell(row.get(column), scale));
          out.append("</tr>\n");
        });
    out.append("</tbody></table></div>\n");
  }

  private void cell(@org.jspecify.annotations.Nullable Movement one, double most) {
    if (one == null) {
      out.append("<td class=\"none\"></td>");
    } else if (!one.merged()) {
      out.append("<td>(").append(ModelTreeText.number(one.change())).append(")</td>");
    } else {
      double share = most > 0 && Double.isFinite(one.relative()) ? one.relative() / most : 0;
      out.append("<td class=\"hit")
          .append(share > 0.55 ? " full" : "")
          .append("\" style=\"--share:");
      out.append(String.format(Locale.ROOT, "%.0f", 100 * share)).append("%\" title=\"");
      out.append(escape(one.tensor())).append("\">");
      out.append(ModelTreeText.number(100 * one.relative())).append("</td>");
    }
  }

  private static String resource(Class<?> beside, String name) {
    try (InputStream in = beside.getResourceAsStream(name)) {
      return new String(
          Objects.requireNonNull(in, () -> name + " is missing from the library").readAllBytes(),
          StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static String escape(String text) {
    return text.codePoints()
        .mapToObj(
            c ->
                switch (c) {
                  case '&' -> "&amp;";
                  case '<' -> "&lt;";
                  case '>' -> "&gt;";
                  case '"' -> "&quot;";
                  case '\'' -> "&#39;";
                  default -> Character.isISOControl(c) ? "\uFFFD" : Character.toString(c);
                })
        .collect(Collectors.joining());
  }

  /** A whole number with thin spaces between thousands. */
  static String whole(long number) {
    return String.format(Locale.ROOT, "%,d", number).replace(',', '\u202F');
  }

  /** Bytes in the unit that fits, a thousand to the next. */
  static String bytes(long bytes) {
    String[] units = {"B", "kB", "MB", "GB", "TB"};
    double value = bytes;
    int unit = 0;
    while (value >= 999.5 && unit < units.length - 1) {
      value /= 1000;
      unit++;
    }
    String form = unit == 0 || value >= 99.95 ? "%.0f" : "%.1f";
    return String.format(Locale.ROOT, form, value) + "\u00A0" + units[unit];
  }
}
