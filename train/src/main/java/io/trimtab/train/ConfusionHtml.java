package io.trimtab.train;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/** A confusion matrix as a heat table, or, where that would be too large, its heaviest cells. */
final class ConfusionHtml {
  private static final int LARGEST_MATRIX = 50;
  private static final int LISTED = 30;
  private static final int LABEL_LENGTH = 24;

  private ConfusionHtml() {}

  static String render(ClassificationReport report) {
    return report.labels().size() <= LARGEST_MATRIX ? matrix(report) : heaviest(report);
  }

  private static String matrix(ClassificationReport report) {
    StringBuilder out = new StringBuilder();
    out.append(
        """
        <div class="card"><p class="soft">Rows are true classes, columns what the model said; the \
        shade is the share of the row.</p>
        <div class="scroll"><table class="confusion">
        <thead><tr><th class="corner">true \\ said</th>\
        """);
    for (String label : report.labels()) {
      out.append(Html.fill("<th scope=\"col\" title=\"{}\">{}</th>", full(label), brief(label)));
    }
    out.append("</tr></thead>\n<tbody>\n");
    for (int i = 0; i < report.labels().size(); i++) {
      String gold = report.labels().get(i);
      List<Integer> row = report.confusion().get(i);
      int total = row.stream().mapToInt(Integer::intValue).sum();
      out.append(Html.fill("<tr><th scope=\"row\" title=\"{}\">{}</th>", full(gold), brief(gold)));
      for (int j = 0; j < row.size(); j++) {
        out.append(cell(gold, report.labels().get(j), i == j, row.get(j), total));
      }
      out.append("</tr>\n");
    }
    return out.append("</tbody></table></div></div>\n").toString();
  }

  private static String cell(String gold, String said, boolean hit, int count, int total) {
    if (count == 0) {
      return "<td class=\"none\">·</td>";
    }
    double share = (double) count / total;
    return String.format(
        Locale.ROOT,
        "<td class=\"%s%s\" style=\"--share:%.0f%%\" title=\"%s\">%s</td>",
        hit ? "hit" : "miss",
        share > 0.5 ? " full" : "",
        // Even a single case is told from none.
        8 + 92 * share,
        Html.escape(
            Html.fill(
                "true {}, said {}: {} ({})", gold, said, Html.whole(count), Html.percent(share))),
        Html.whole(count));
  }

  private record Cell(String gold, String said, int count) {}

  private static String heaviest(ClassificationReport report) {
    List<String> labels = report.labels();
    List<Cell> cells = new ArrayList<>();
    for (int i = 0; i < labels.size(); i++) {
      for (int j = 0; j < labels.size(); j++) {
        int count = report.confusion().get(i).get(j);
        if (i != j && count > 0) {
          cells.add(new Cell(labels.get(i), labels.get(j), count));
        }
      }
    }
    cells.sort(Comparator.comparingInt(Cell::count).reversed());
    StringBuilder out = new StringBuilder();
    out.append(
        Html.fill(
            "<div class=\"card\"><p class=\"soft\">{} classes; the most frequent of {}"
                + " confusions.</p>\n",
            labels.size(),
            cells.size()));
    out.append("<div class=\"scroll\"><table class=\"scores\">\n");
    out.append(
        "<thead><tr><th scope=\"row\">true</th><th scope=\"row\">said</th><th>count</th></tr>");
    out.append("</thead>\n<tbody>\n");
    for (Cell cell : cells.subList(0, Math.min(LISTED, cells.size()))) {
      out.append(
          Html.fill(
              "<tr><th scope=\"row\">{}</th><th scope=\"row\">{}</th><td>{}</td></tr>\n",
              full(cell.gold()),
              full(cell.said()),
              Html.whole(cell.count())));
    }
    return out.append("</tbody></table></div></div>\n").toString();
  }

  private static String full(String label) {
    return Html.escape(label);
  }

  private static String brief(String label) {
    return Html.escape(Html.shorten(label, LABEL_LENGTH));
  }
}
