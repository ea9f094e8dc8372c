package io.trimtab.train;

import io.trimtab.train.ClassificationReport.ClassScore;
import io.trimtab.train.Report.Cost;
import io.trimtab.train.Report.Curves;
import io.trimtab.train.Report.Point;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A report as one HTML page that needs nothing else: styles and pictures are inside, there is no
 * script, and everything that came from data is escaped.
 */
public final class ReportHtml {
  private static final int MISTAKES = 50;
  private static final int LONG_TEXT = 400;
  private static final int NAMED_STEPS = 10;

  private final StringBuilder out = new StringBuilder();

  private ReportHtml() {}

  /** The page's text. */
  public static String render(Report report) {
    ReportHtml page = new ReportHtml();
    page.page(report);
    return page.out.toString();
  }

  private void page(Report report) {
    add(
        """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>{}</title>
        <style>
        {}</style>
        </head>
        <body>
        <main>
        <header>
        <h1>{}</h1>
        <p class="soft">{}</p>
        </header>
        """,
        Html.escape(report.title()),
        stylesheet(),
        Html.escape(report.title()),
        Html.escape(report.subtitle()));
    if (report.language() == null) {
      headline(report.untuned(), report.tuned());
    } else {
      out.append(LanguageHtml.headline(report.language()));
    }
    cost(report.cost());
    curves(report.curves());
    if (report.tuned() != null) {
      out.append("<h2>Confusion</h2>\n");
      out.append(ConfusionHtml.render(report.tuned()));
      scores(report.tuned());
      mistakes(report.tuned());
    }
    if (report.language() != null) {
      out.append(LanguageHtml.answers(report.language()));
    }
    run(report.run());
    add("<footer>Made by Trimtab.</footer>\n</main>\n</body>\n</html>\n");
  }

  private void headline(
      @Nullable ClassificationReport untuned, @Nullable ClassificationReport tuned) {
    if (tuned == null) {
      add("<p class=\"card\">No test data was given, so there is no test score.</p>\n");
      return;
    }
    add("<section class=\"heroes\">\n");
    hero("Test accuracy", untuned == null ? Double.NaN : untuned.accuracy(), tuned.accuracy());
    hero("Test macro F1", untuned == null ? Double.NaN : untuned.macroF1(), tuned.macroF1());
    add("</section>\n");
    add(
        "<p class=\"soft\" style=\"margin-top:10px\">{} of {} test examples right, {}"
            + " classes.</p>\n",
        Html.whole(tuned.correct()),
        Html.whole(tuned.count()),
        Html.whole(tuned.labels().size()));
  }

  private void hero(String name, double before, double after) {
    add("<div class=\"card\"><h3>{}</h3><div class=\"big\">{}", name, Html.percent(after));
    if (!Double.isNaN(before)) {
      double points = 100 * (after - before);
      add(
          "<span class=\"gain{}\">{} points</span>",
          points < 0 ? " down" : "",
          String.format(Locale.ROOT, "%+.1f", points).replace('-', '−'));
    }
    add("</div>\n<div class=\"compare\">");
    if (!Double.isNaN(before)) {
      bar("untuned", before, "");
    }
    bar("tuned", after, " tuned");
    add("</div></div>\n");
  }

  private void bar(String name, double share, String kind) {
    add(
        "<span>{}</span><div class=\"track\"><div class=\"fill{}\""
            + " style=\"width:{}%\"></div></div><span>{}</span>",
        name, kind, oneDecimal(100 * share), Html.percent(share));
  }

  private void cost(Cost cost) {
    add("<section class=\"tiles\">\n");
    tile("Delta size", Html.bytes(cost.deltaBytes()));
    tile("Training time", Html.duration(cost.seconds()));
    tile("Throughput", Html.whole(Math.round(cost.tokensPerSecond())) + "\u00A0tokens/s");
    tile("Peak memory", Html.bytes(cost.peakMemoryBytes()));
    add("</section>\n");
  }

  private void tile(String name, String value) {
    add("<div class=\"card\"><h3>{}</h3><div class=\"value\">{}</div></div>\n", name, value);
  }

  private void curves(Curves curves) {
    if (curves.loss().isEmpty()
        && curves.learningRate().isEmpty()
        && curves.devAccuracy().isEmpty()
        && curves.devLoss().isEmpty()) {
      return;
    }
    add("<h2>Training</h2>\n<section class=\"grid2\">\n");
    curve("Training loss", curves.loss(), SvgChart.of("Training loss", curves.loss(), true));
    curve(
        "Accuracy on the development data",
        curves.devAccuracy(),
        SvgChart.ofShares("Development accuracy", curves.devAccuracy()));
    curve(
        "Loss on the development data",
        curves.devLoss(),
        SvgChart.of("Development loss", curves.devLoss(), false));
    curve(
        "Learning rate",
        curves.learningRate(),
        SvgChart.of("Learning rate", curves.learningRate(), false));
    add("</section>\n");
  }

  private void curve(String name, List<Point> points, String chart) {
    if (points.isEmpty()) {
      return;
    }
    add("<div class=\"card\"><h3>{}</h3>\n{}", name, chart);
    List<Point> bad = points.stream().filter(p -> !Double.isFinite(p.value())).toList();
    if (!bad.isEmpty()) {
      add(
          "<p class=\"warn\">Not finite at {} of {} steps: {}{}</p>\n",
          Html.whole(bad.size()),
          Html.whole(points.size()),
          bad.stream()
              .limit(NAMED_STEPS)
              .map(p -> Html.whole(p.step()))
              .collect(Collectors.joining(", ")),
          bad.size() > NAMED_STEPS ? ", …" : "");
    }
    add("</div>\n");
  }

  private void scores(ClassificationReport report) {
    add(
        """
        <h2>Per class</h2>
        <div class="card scroll"><table class="scores">
        <thead><tr><th scope="row">class</th><th>precision</th><th>recall</th><th>F1</th>\
        <th class="meter"></th><th>support</th></tr></thead>
        <tbody>
        """);
    for (ClassScore c : report.classes()) {
      scoreRow(
          Html.escape(c.label()), three(c.precision()), three(c.recall()), c.f1(), c.support());
    }
    add("</tbody>\n<tfoot>\n");
    scoreRow(
        "macro average",
        three(report.classes().stream().mapToDouble(ClassScore::precision).average().orElse(0)),
        three(report.classes().stream().mapToDouble(ClassScore::recall).average().orElse(0)),
        report.macroF1(),
        report.count());
    add("</tfoot></table></div>\n");
  }

  private void scoreRow(String label, String precision, String recall, double f1, int support) {
    add(
        "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td>{}</td><td class=\"meter\"><div>"
            + "<div style=\"width:{}%\"></div></div></td><td>{}</td></tr>\n",
        label, precision, recall, three(f1), oneDecimal(100 * f1), Html.whole(support));
  }

  private void mistakes(ClassificationReport report) {
    int wrong = report.count() - report.correct();
    add("<h2>Examples got wrong</h2>\n<div class=\"card\">\n");
    if (wrong == 0) {
      add("<p>None: all {} test examples are right.</p>\n</div>\n", Html.whole(report.count()));
      return;
    }
    add(
        "<p class=\"soft\">{} of {}{}, those first of which the model was surest.</p>\n",
        Html.whole(wrong),
        Html.whole(report.count()),
        wrong > MISTAKES ? "; the first " + MISTAKES : "");
    for (Prediction p : report.mistakes(MISTAKES)) {
      mistake(p);
    }
    add("</div>\n");
  }

  private void mistake(Prediction p) {
    add("<div class=\"mistake\">");
    String shown = Html.shorten(p.text(), LONG_TEXT);
    if (p.text().isBlank()) {
      add("<div class=\"text soft\">(blank text)</div>");
    } else if (shown.equals(p.text())) {
      add("<div class=\"text\">{}</div>", Html.escape(shown));
    } else {
      add(
          "<details><summary>{}</summary><div class=\"text soft\">{}</div></details>",
          Html.escape(shown),
          Html.escape(p.text()));
    }
    add(
        "<p class=\"verdict\">said <span class=\"tag said\">{}</span>{}, is"
            + " <span class=\"tag true\">{}</span></p></div>\n",
        Html.escape(p.predicted()),
        Double.isNaN(p.probability()) ? "" : " at " + Html.percent(p.probability()),
        Html.escape(p.gold()));
  }

  private void run(RunInfo run) {
    add("<h2>Settings</h2>\n<section class=\"grid2\">\n");
    facts("Settings", run.settings());
    facts("Seeds", run.seeds());
    facts("Versions", run.versions());
    Map<String, Object> machine = new LinkedHashMap<>();
    machine.put("threads", run.threads());
    machine.putAll(run.machine());
    facts("Machine", machine);
    facts("Hashes", run.hashes());
    add("</section>\n");
  }

  private void facts(String name, Map<String, ?> facts) {
    if (facts.isEmpty()) {
      return;
    }
    add("<div class=\"card\"><h3>{}</h3><dl>\n", name);
    facts.forEach(
        (key, value) ->
            add(
                "<dt>{}</dt><dd>{}</dd>\n",
                Html.escape(key),
                Html.escape(Objects.toString(value, ""))));
    add("</dl></div>\n");
  }

  private static String stylesheet() {
    try (InputStream in = ReportHtml.class.getResourceAsStream("report.css")) {
      return new String(
          Objects.requireNonNull(in, "report.css is missing from the library").readAllBytes(),
          StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void add(String template, Object... values) {
    out.append(Html.fill(template, values));
  }

  private static String three(double value) {
    return String.format(Locale.ROOT, "%.3f", value);
  }

  private static String oneDecimal(double value) {
    return String.format(Locale.ROOT, "%.1f", value);
  }
}
