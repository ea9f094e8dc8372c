package io.trimtab.train;

import static org.assertj.core.api.Assertions.assertThat;

import io.trimtab.train.Report.Cost;
import io.trimtab.train.Report.Curves;
import io.trimtab.train.Report.Point;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntToDoubleFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.xml.sax.InputSource;

/** Each page is also kept in {@code target/reports}, to be looked at. */
class ReportHtmlTest {
  private static final String HOSTILE =
      "<script>alert('x')</script> & \"quoted\" </td></table> {} %s \u0000 \uD83D";

  @TempDir Path dir = Path.of("");

  private static RunInfo run() {
    Map<String, Object> settings = new LinkedHashMap<>();
    settings.put("model", "bert-base-uncased");
    settings.put("template", "{text} It was {mask}.");
    settings.put("delta", "LoRA r8 α16 on query, value");
    settings.put("batch", 32);
    settings.put("learning rate", "2e-4, linear, 6 % warm-up");
    settings.put("epochs", 2);
    return new RunInfo(
        "tune",
        Map.of("trimtab", "0.1.0"),
        Map.of("seed", 42L),
        Map.of("model", "sha256:" + "0123456789abcdef".repeat(4)),
        settings,
        2,
        Map.of("os", "Linux", "processors", 2));
  }

  private static List<Point> curve(int steps, IntToDoubleFunction value) {
    return IntStream.rangeClosed(1, steps)
        .mapToObj(step -> new Point(step, value.applyAsDouble(step)))
        .toList();
  }

  private static Curves curves(int steps) {
    SplitMix64 random = new SplitMix64(steps);
    Schedule schedule = Schedule.linear(2e-4, Warmup.ratio(0.06));
    return new Curves(
        curve(steps, t -> 0.12 + 0.6 * Math.exp(-6.0 * t / steps) + random.nextInt(100) / 600.0),
        curve(steps, t -> schedule.rate(t - 1, steps)),
        IntStream.rangeClosed(1, 6)
            .mapToObj(i -> new Point((long) steps * i / 6, 0.93 - 0.4 / (i * i + 1)))
            .toList());
  }

  private static ClassificationReport scores(int classes, double right, String text) {
    SplitMix64 random = new SplitMix64(classes);
    List<Prediction> predictions = new ArrayList<>();
    for (int i = 0; i < 40 * classes; i++) {
      int gold = i % classes;
      boolean hit = random.nextInt(1000) < 1000 * right;
      int said = hit ? gold : (gold + 1 + random.nextInt(Math.min(3, classes))) % classes;
      predictions.add(
          new Prediction(
              text + " " + i,
              name(gold, classes),
              name(said, classes),
              (500 + random.nextInt(500)) / 1000.0));
    }
    return ClassificationReport.of(predictions);
  }

  private static String name(int index, int classes) {
    return classes == 2 ? List.of("negative", "positive").get(index) : "intent " + (index + 1);
  }

  private static Report report(
      @Nullable ClassificationReport untuned, @Nullable ClassificationReport tuned, Curves curves) {
    return new Report(
        "LoRA on bert-base-uncased",
        "Sentiment of 1,821 film reviews, tuned on 6,920.",
        untuned,
        tuned,
        new Cost(1133.4, 611.2, 1_432_000_000, 1_193_216),
        curves,
        run());
  }

  /** Renders, keeps the page and checks what holds for every page. */
  private static String page(String name, Report report) throws IOException {
    String html = ReportHtml.render(report);
    Path folder = Path.of("target", "reports");
    Files.createDirectories(folder);
    Files.writeString(folder.resolve(name + ".html"), html.replace('\uD83D', '?'));
    assertThat(html).startsWith("<!DOCTYPE html>").endsWith("</html>\n");
    assertThat(html)
        .doesNotContain("<script")
        .doesNotContain("http:")
        .doesNotContain("https:")
        .doesNotContain("src=")
        .doesNotContain("@import")
        .doesNotContain("url(");
    assertBalanced(html);
    Matcher pictures = Pattern.compile("<svg.*?</svg>", Pattern.DOTALL).matcher(html);
    while (pictures.find()) {
      assertThat(pictures.group()).doesNotContain("NaN\"").doesNotContain("Infinity\"");
      assertWellFormed(pictures.group());
    }
    return html;
  }

  private static void assertBalanced(String html) {
    List<String> open = new ArrayList<>();
    Matcher tags = Pattern.compile("<(/?)([a-z0-9]+)[^>]*?(/?)>").matcher(html);
    while (tags.find()) {
      String tag = tags.group(2);
      if (tag.equals("meta") || !tags.group(3).isEmpty()) {
        continue;
      }
      if (tags.group(1).isEmpty()) {
        open.add(tag);
      } else {
        assertThat(open).isNotEmpty();
        assertThat(open.removeLast()).isEqualTo(tag);
      }
    }
    assertThat(open).isEmpty();
  }

  private static void assertWellFormed(String xml) {
    try {
      DocumentBuilderFactory.newInstance()
          .newDocumentBuilder()
          .parse(new InputSource(new StringReader(xml)));
    } catch (Exception e) {
      throw new AssertionError("not well-formed: " + xml, e);
    }
  }

  @Test
  void twoClasses() throws IOException {
    String html =
        page("two", report(scores(2, 0.55, "film"), scores(2, 0.9, "a fine film"), curves(434)));

    assertThat(html)
        .contains("<h1>LoRA on bert-base-uncased</h1>")
        .contains("untuned", "points", "1.2\u00A0MB", "18\u00A0min 53\u00A0s", "1.4\u00A0GB")
        .contains("611\u00A0tokens/s")
        .contains("Training loss", "Learning rate", "Accuracy on the development data")
        .contains("title=\"true negative, said positive:")
        .contains("<dt>template</dt><dd>{text} It was {mask}.</dd>")
        .contains("sha256:0123");
  }

  @Test
  void twentyClassesAndManySteps() throws IOException {
    String html =
        page("twenty", report(scores(20, 0.2, "t"), scores(20, 0.8, "a ticket"), curves(50_000)));

    assertThat(html.split("<td class=\"(hit|miss|none)", -1)).hasSize(401);
    assertThat(html.length()).isLessThan(300_000);
  }

  @Test
  void manyClassesAreListed() throws IOException {
    String html = page("many", report(null, scores(150, 0.7, "t"), curves(100)));

    assertThat(html)
        .contains("150 classes; the most frequent of")
        .doesNotContain("class=\"confusion\"");
  }

  @Test
  void oneStep() throws IOException {
    String html =
        page(
            "one-step",
            report(
                null,
                scores(2, 0.9, "t"),
                new Curves(
                    List.of(new Point(1, 0.7)),
                    List.of(new Point(1, 1e-4)),
                    List.of(new Point(1, 0.5)))));

    assertThat(html).contains("<title>step 1: 0.7</title>").contains("<title>step 1: 1e-4</title>");
    assertThat(html).doesNotContain("untuned");
  }

  @Test
  void lossThatIsNotANumber() throws IOException {
    String html =
        page(
            "nan",
            report(
                null,
                scores(2, 0.5, "t"),
                new Curves(
                    curve(
                        80,
                        t -> t == 20 ? Double.POSITIVE_INFINITY : t > 60 ? Double.NaN : 1.0 / t),
                    curve(3, t -> Double.NaN),
                    List.of())));

    assertThat(html)
        .contains("Not finite at 21 of 80 steps: 20, 61, 62")
        .contains("<title>step 61: NaN</title>")
        .contains("no finite value")
        .doesNotContain("Accuracy on the development data");
  }

  @Test
  void nothingWrong() throws IOException {
    String html = page("perfect", report(scores(2, 0.5, "t"), scores(2, 1, "t"), curves(20)));

    assertThat(html).contains("None: all 80 test examples are right.");
  }

  @Test
  void noTestDataAndNoCurves() throws IOException {
    Curves none = new Curves(List.of(), List.of(), List.of());

    assertThat(page("bare", report(null, null, none)))
        .contains("No test data was given")
        .doesNotContain("<svg")
        .doesNotContain("Confusion");
  }

  @Test
  void hostileAndLongTextsAreTextOnly() throws IOException {
    String text = HOSTILE + " " + "long ".repeat(2000) + "w".repeat(500);
    List<Prediction> predictions =
        List.of(
            new Prediction(text, "<b>gold</b>", "l".repeat(300), 0.99),
            new Prediction("", "<b>gold</b>", "\"><i>", Double.NaN),
            new Prediction("fine", "<b>gold</b>", "<b>gold</b>", 0.7));
    RunInfo run =
        new RunInfo(HOSTILE, Map.of(), Map.of(), Map.of(), Map.of(HOSTILE, HOSTILE), 1, Map.of());
    Report report =
        new Report(
            HOSTILE,
            HOSTILE,
            null,
            ClassificationReport.of(predictions),
            new Cost(0.25, 0, 999, 0),
            curves(5),
            run);

    String html = page("hostile", report);

    assertThat(html)
        .contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; &quot;quoted&quot;")
        .contains("{} %s \uFFFD \uFFFD")
        .contains("&lt;b&gt;gold&lt;/b&gt;")
        .contains("(blank text)")
        .contains("<details><summary>")
        .doesNotContain("<b>")
        .doesNotContain("<i>");
    RunDirectory directory = RunDirectory.create(dir.resolve("run"), run());
    assertThat(directory.writeReport(report)).hasContent(html);
  }

  @Test
  void curvesComeFromTheMetrics() {
    List<RunEvent> events =
        List.of(
            new RunEvent(1, "train", Map.of("loss", 0.5, "rate", 1e-3)),
            new RunEvent(1, "dev", Map.of("accuracy", 0.75, "loss", 9)),
            new RunEvent(2, "train", Map.of("loss", "NaN")));

    Curves curves = Curves.of(events);

    assertThat(curves.loss()).containsExactly(new Point(1, 0.5), new Point(2, Double.NaN));
    assertThat(curves.learningRate()).containsExactly(new Point(1, 1e-3));
    assertThat(curves.devAccuracy()).containsExactly(new Point(1, 0.75));
  }

  @Test
  void numbersForPeople() {
    assertThat(Html.bytes(999)).isEqualTo("999\u00A0B");
    assertThat(Html.bytes(592_340)).isEqualTo("592\u00A0kB");
    assertThat(Html.bytes(999_960)).isEqualTo("1.0\u00A0MB");
    assertThat(Html.duration(59.94)).isEqualTo("59.9\u00A0s");
    assertThat(Html.duration(3725)).isEqualTo("1\u00A0h 2\u00A0min");
    assertThat(Html.whole(1234567)).isEqualTo("1\u202F234\u202F567");
    assertThat(SvgChart.number(0.000025)).isEqualTo("2.5e-5");
    assertThat(SvgChart.number(0.41239)).isEqualTo("0.4124");
    assertThat(SvgChart.number(100)).isEqualTo("100");
    assertThat(SvgChart.number(1.5e12)).isEqualTo("1.5e12");
    assertThat(SvgChart.number(0)).isEqualTo("0");
    assertThat(Html.shorten("a😀b", 2)).isEqualTo("a…");
  }
}
