package io.trimtab.train;

import io.trimtab.train.Report.Point;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.DoubleFunction;

/** A curve over steps as inline SVG: axes, ticks, values on hover, gaps where it is not finite. */
final class SvgChart {
  private static final int WIDTH = 560;
  private static final int HEIGHT = 250;
  private static final int LEFT = 58;
  private static final int RIGHT = 28;
  private static final int TOP = 14;
  private static final int BOTTOM = 40;

  /** From so many points on, a running mean is drawn over the raw curve. */
  private static final int SMOOTH_FROM = 60;

  /** More points than this would be denser than pixels; each bucket keeps its extremes. */
  private static final int BUCKETS = 500;

  private static final int HOVER_POINTS = 200;
  private static final int MARKED_GAPS = 50;

  private final String name;
  private final List<Point> points;
  private final boolean smooth;
  private final DoubleFunction<String> format;
  private final Axis x;
  private final Axis y;

  private SvgChart(
      String name,
      List<Point> points,
      boolean smooth,
      DoubleFunction<String> format,
      double floor,
      double ceiling) {
    this.name = name;
    this.points = points;
    this.smooth = smooth && points.size() >= SMOOTH_FROM;
    this.format = format;
    List<Point> finite = points.stream().filter(SvgChart::finite).toList();
    double first = points.isEmpty() ? 0 : points.getFirst().step();
    double last = points.isEmpty() ? 1 : points.getLast().step();
    this.x = first == last ? new Axis(first - 1, first + 1, 1) : Axis.within(first, last);
    this.y =
        Axis.around(
            finite.stream().mapToDouble(Point::value).min().orElse(0),
            finite.stream().mapToDouble(Point::value).max().orElse(1),
            floor,
            ceiling);
  }

  /** A chart of losses or rates, from zero up where zero is near. */
  static String of(String name, List<Point> points, boolean smooth) {
    return new SvgChart(name, points, smooth, SvgChart::number, 0, Double.POSITIVE_INFINITY)
        .render();
  }

  /** A chart of shares from 0 to 1, shown in percent. */
  static String ofShares(String name, List<Point> points) {
    return new SvgChart(name, points, false, Html::percent, 0, 1).render();
  }

  private static boolean finite(Point point) {
    return Double.isFinite(point.value());
  }

  private String render() {
    StringBuilder svg = new StringBuilder();
    svg.append(
        Html.fill(
            "<svg class=\"chart\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">\n",
            WIDTH,
            HEIGHT,
            Html.escape(name + " over steps")));
    axes(svg);
    gaps(svg);
    if (points.stream().noneMatch(SvgChart::finite)) {
      svg.append(
          Html.fill(
              "<text class=\"empty\" x=\"{}\" y=\"{}\">no finite value</text>\n",
              (LEFT + WIDTH - RIGHT) / 2,
              (TOP + HEIGHT - BOTTOM) / 2));
    }
    path(svg, smooth ? "raw" : "line", thin(points));
    if (smooth) {
      path(svg, "line", thin(runningMean()));
    }
    hover(svg);
    return svg.append("</svg>\n").toString();
  }

  private void axes(StringBuilder svg) {
    for (double tick : y.ticks()) {
      String at = fixed(py(tick));
      svg.append(
          Html.fill(
              "<line class=\"grid\" x1=\"{}\" x2=\"{}\" y1=\"{}\" y2=\"{}\"/>",
              LEFT,
              WIDTH - RIGHT,
              at,
              at));
      svg.append(
          Html.fill(
              "<text class=\"tick y\" x=\"{}\" y=\"{}\">{}</text>\n",
              LEFT - 8,
              fixed(py(tick) + 4),
              tickLabel(tick)));
    }
    int base = HEIGHT - BOTTOM;
    svg.append(
        Html.fill(
            "<line class=\"axis\" x1=\"{}\" x2=\"{}\" y1=\"{}\" y2=\"{}\"/>\n",
            LEFT,
            WIDTH - RIGHT,
            base,
            base));
    for (double tick : x.ticks()) {
      if (tick != Math.rint(tick) || tick < 0) {
        continue;
      }
      String at = fixed(px(tick));
      svg.append(
          Html.fill(
              "<line class=\"axis\" x1=\"{}\" x2=\"{}\" y1=\"{}\" y2=\"{}\"/>",
              at,
              at,
              base,
              base + 4));
      svg.append(
          Html.fill(
              "<text class=\"tick x\" x=\"{}\" y=\"{}\">{}</text>\n",
              at,
              base + 18,
              Html.whole((long) tick)));
    }
    svg.append(
        Html.fill(
            "<text class=\"tick x\" x=\"{}\" y=\"{}\">step</text>\n",
            (LEFT + WIDTH - RIGHT) / 2,
            HEIGHT - 5));
  }

  private String tickLabel(double tick) {
    if (format.apply(0.5).endsWith("%")) {
      String text = String.format(Locale.ROOT, "%." + decimals(y.step() * 100) + "f", tick * 100);
      return text + "\u00A0%";
    }
    double largest = Math.max(Math.abs(y.low()), Math.abs(y.high()));
    if (largest < 1e-2 || largest >= 1e5) {
      return tick == 0 ? "0" : scientific(tick);
    }
    return String.format(Locale.ROOT, "%." + decimals(y.step()) + "f", tick);
  }

  private void gaps(StringBuilder svg) {
    points.stream()
        .filter(point -> !finite(point))
        .limit(MARKED_GAPS)
        .forEach(
            point -> {
              String at = across(point);
              svg.append(
                  Html.fill(
                      "<line class=\"gap\" x1=\"{}\" x2=\"{}\" y1=\"{}\" y2=\"{}\">",
                      at,
                      at,
                      TOP,
                      HEIGHT - BOTTOM));
              svg.append(Html.fill("<title>{}</title></line>\n", title(point)));
            });
  }

  private void path(StringBuilder svg, String kind, List<Point> drawn) {
    StringBuilder d = new StringBuilder();
    boolean pen = false;
    for (Point point : drawn) {
      if (finite(point)) {
        d.append(pen ? "L" : "M").append(across(point)).append(' ');
        d.append(fixed(py(point.value()))).append(' ');
      }
      pen = finite(point);
    }
    if (!d.isEmpty()) {
      svg.append(Html.fill("<path class=\"{}\" d=\"{}\"/>\n", kind, d.toString().strip()));
    }
  }

  /** Visible dots where there are few points, else invisible ones that only catch the pointer. */
  private void hover(StringBuilder svg) {
    int stride = Math.ceilDiv(points.size(), HOVER_POINTS);
    boolean visible = points.size() <= 40;
    for (int i = 0; i < points.size(); i += Math.max(1, stride)) {
      Point point = points.get(i);
      if (finite(point)) {
        svg.append(
            Html.fill(
                "<circle class=\"{}\" cx=\"{}\" cy=\"{}\" r=\"{}\"><title>{}</title></circle>\n",
                visible ? "dot" : "hit",
                across(point),
                fixed(py(point.value())),
                visible ? "3" : "6",
                title(point)));
      }
    }
  }

  private String title(Point point) {
    String value = finite(point) ? format.apply(point.value()) : Double.toString(point.value());
    return Html.escape(Html.fill("step {}: {}", Html.whole(point.step()), value));
  }

  private List<Point> thin(List<Point> all) {
    if (all.size() <= 2 * BUCKETS) {
      return all;
    }
    List<Point> kept = new ArrayList<>();
    for (int bucket = 0; bucket < BUCKETS; bucket++) {
      int from = (int) ((long) all.size() * bucket / BUCKETS);
      int to = (int) ((long) all.size() * (bucket + 1) / BUCKETS);
      Point low = all.get(from);
      Point high = low;
      for (Point point : all.subList(from, to)) {
        low = finite(point) && !(point.value() >= low.value()) ? point : low;
        high = finite(point) && !(point.value() <= high.value()) ? point : high;
      }
      kept.add(low.step() <= high.step() ? low : high);
      if (low.step() != high.step()) {
        kept.add(low.step() <= high.step() ? high : low);
      }
    }
    return kept;
  }

  /** An exponential mean over about a twentieth of the run, corrected for its start at zero. */
  private List<Point> runningMean() {
    double keep = 1 - 1 / Math.max(1, points.size() / 20.0);
    double sum = 0;
    double weight = 0;
    List<Point> means = new ArrayList<>();
    for (Point point : points) {
      if (finite(point)) {
        sum = keep * sum + point.value();
        weight = keep * weight + 1;
        means.add(new Point(point.step(), sum / weight));
      } else {
        means.add(point);
      }
    }
    return means;
  }

  private double px(double step) {
    return LEFT + (step - x.low()) / (x.high() - x.low()) * (WIDTH - LEFT - RIGHT);
  }

  private String across(Point point) {
    return fixed(px((double) point.step()));
  }

  private double py(double value) {
    return HEIGHT - BOTTOM - (value - y.low()) / (y.high() - y.low()) * (HEIGHT - TOP - BOTTOM);
  }

  private static String fixed(double pixels) {
    return String.format(Locale.ROOT, "%.1f", pixels);
  }

  /** Four significant digits, plain or scientific, whichever is shorter to read. */
  static String number(double value) {
    double size = Math.abs(value);
    if (size != 0 && (size < 1e-3 || size >= 1e6)) {
      return scientific(value);
    }
    return new BigDecimal(value).round(new MathContext(4)).stripTrailingZeros().toPlainString();
  }

  private static String scientific(double value) {
    // 2.500e-05 as 2.5e-5.
    return String.format(Locale.ROOT, "%.3e", value)
        .replaceFirst("\\.?0+e", "e")
        .replaceFirst("e([+-])0", "e$1")
        .replace("e+", "e");
  }

  private static int decimals(double step) {
    return Math.max(0, (int) Math.ceil(-Math.log10(step) - 1e-9));
  }

  /**
   * A range with round ticks.
   *
   * @param low its lower end
   * @param high its upper end, above {@code low}
   * @param step between ticks: 1, 2 or 5 times a power of ten
   */
  record Axis(double low, double high, double step) {
    /** Exactly from low to high. */
    static Axis within(double low, double high) {
      return new Axis(low, high, Math.max(1, roundStep((high - low) / 6)));
    }

    /** From the round number below to the one above, but not beyond floor and ceiling. */
    static Axis around(double low, double high, double floor, double ceiling) {
      double span = high - low;
      // A flat curve lies in the middle of some range.
      double margin = span > 0 ? 0 : high == 0 ? 1 : Math.abs(high) / 2;
      double from = low - margin;
      double to = high + margin;
      if (low >= floor && from < floor + (to - from) / 2) {
        from = floor;
      }
      double step = roundStep((to - from) / 5);
      return new Axis(
          Math.max(Math.floor(from / step + 1e-9) * step, Math.min(low, floor)),
          Math.min(Math.ceil(to / step - 1e-9) * step, Math.max(high, ceiling)),
          step);
    }

    List<Double> ticks() {
      List<Double> ticks = new ArrayList<>();
      long first = (long) Math.ceil(low / step - 1e-9);
      long last = (long) Math.floor(high / step + 1e-9);
      for (long i = first; i <= last; i++) {
        ticks.add(i * step);
      }
      return ticks;
    }

    private static double roundStep(double rough) {
      double power = Math.pow(10, Math.floor(Math.log10(rough)));
      double share = rough / power;
      return power * (share <= 1 ? 1 : share <= 2 ? 2 : share <= 5 ? 5 : 10);
    }
  }
}
