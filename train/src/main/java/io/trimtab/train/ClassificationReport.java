package io.trimtab.train;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;

/**
 * How well predictions agree with the true labels, with the meanings that scikit-learn gives the
 * terms: the classes are all labels that occur as true or predicted ones, a ratio whose divisor is
 * zero is 0, and the macro F1 is the plain mean of all classes' F1.
 */
public final class ClassificationReport {
  private final List<Prediction> predictions;
  private final List<String> labels;
  private final List<List<Integer>> confusion;
  private final List<ClassScore> classes;
  private final int correct;

  private ClassificationReport(List<Prediction> predictions, List<String> labels) {
    this.predictions = predictions;
    this.labels = labels;
    Labels index = Labels.of(labels);
    int[][] counts = new int[labels.size()][labels.size()];
    for (Prediction p : predictions) {
      counts[index.index(p.gold())][index.index(p.predicted())]++;
    }
    List<List<Integer>> rows = new ArrayList<>();
    for (int[] row : counts) {
      rows.add(Arrays.stream(row).boxed().toList());
    }
    this.confusion = List.copyOf(rows);
    List<ClassScore> scores = new ArrayList<>();
    int hits = 0;
    for (int i = 0; i < labels.size(); i++) {
      int gold = 0;
      int predicted = 0;
      for (int j = 0; j < labels.size(); j++) {
        gold += counts[i][j];
        predicted += counts[j][i];
      }
      hits += counts[i][i];
      scores.add(
          new ClassScore(
              labels.get(i),
              ratio(counts[i][i], predicted),
              ratio(counts[i][i], gold),
              // 2PR / (P + R) in counts, which needs no case for P + R = 0.
              ratio(2 * counts[i][i], gold + predicted),
              gold));
    }
    this.classes = List.copyOf(scores);
    this.correct = hits;
  }

  /**
   * A report whose classes are in the order of their characters.
   *
   * @throws DataException if there are no predictions
   */
  public static ClassificationReport of(List<Prediction> predictions) {
    return of(predictions, List.of());
  }

  /**
   * A report whose classes are in a given order; classes that occur but are not given follow in the
   * order of their characters, and given ones that do not occur are left out.
   *
   * @param predictions at least one
   * @param order the order of the classes
   * @throws DataException if there are no predictions
   */
  public static ClassificationReport of(List<Prediction> predictions, List<String> order) {
    if (predictions.isEmpty()) {
      throw new DataException("there are no predictions to score; expected at least one");
    }
    TreeSet<String> seen = new TreeSet<>();
    for (Prediction p : predictions) {
      seen.add(p.gold());
      seen.add(p.predicted());
    }
    List<String> labels = new ArrayList<>();
    for (String label : order) {
      if (seen.remove(label)) {
        labels.add(label);
      }
    }
    labels.addAll(seen);
    return new ClassificationReport(List.copyOf(predictions), List.copyOf(labels));
  }

  /**
   * How well one class is found.
   *
   * @param label the class
   * @param precision of those predicted as this class, the share that is
   * @param recall of those that are of this class, the share predicted so
   * @param f1 the harmonic mean of both
   * @param support how many are of this class
   */
  public record ClassScore(String label, double precision, double recall, double f1, int support) {}

  /** The number of predictions. */
  public int count() {
    return predictions.size();
  }

  /** The number of right predictions. */
  public int correct() {
    return correct;
  }

  /** The share of right predictions, from 0 to 1. */
  public double accuracy() {
    return ratio(correct, predictions.size());
  }

  /** The mean of all classes' F1, from 0 to 1. */
  public double macroF1() {
    return classes.stream().mapToDouble(ClassScore::f1).average().orElse(0);
  }

  /** The classes, in the order of all tables. */
  public List<String> labels() {
    return labels;
  }

  /** The scores of every class. */
  public List<ClassScore> classes() {
    return classes;
  }

  /** Counts {@code [gold][predicted]}, in the order of {@link #labels()}. */
  public List<List<Integer>> confusion() {
    return confusion;
  }

  /** All predictions, as given. */
  public List<Prediction> predictions() {
    return predictions;
  }

  /**
   * The wrong predictions, those first of which the model was surest.
   *
   * @param limit how many at most
   */
  public List<Prediction> mistakes(int limit) {
    return predictions.stream()
        .filter(p -> !p.correct())
        .sorted(
            Comparator.comparingDouble(p -> Double.isNaN(p.probability()) ? 1 : -p.probability()))
        .limit(limit)
        .toList();
  }

  /** The per-class table as aligned text, with accuracy and macro averages below. */
  public String table() {
    int width = "macro average".length();
    for (String label : labels) {
      width = Math.max(width, width(label));
    }
    StringBuilder out = new StringBuilder();
    line(out, width, "", "precision", "recall", "F1", "support");
    for (ClassScore c : classes) {
      line(
          out,
          width,
          c.label(),
          three(c.precision()),
          three(c.recall()),
          three(c.f1()),
          Integer.toString(c.support()));
    }
    String count = Integer.toString(count());
    line(out, width, "accuracy", "", "", three(accuracy()), count);
    line(
        out,
        width,
        "macro average",
        three(classes.stream().mapToDouble(ClassScore::precision).average().orElse(0)),
        three(classes.stream().mapToDouble(ClassScore::recall).average().orElse(0)),
        three(macroF1()),
        count);
    return out.toString();
  }

  /**
   * The scores as plain maps, lists, texts and numbers, for JSON: {@code accuracy}, {@code
   * macro_f1}, {@code count}, {@code labels}, {@code classes} (a map from label to {@code
   * precision, recall, f1, support}) and {@code confusion} ({@code [gold][predicted]}).
   */
  public Map<String, Object> toMap() {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("accuracy", accuracy());
    map.put("macro_f1", macroF1());
    map.put("count", count());
    map.put("labels", labels);
    Map<String, Object> perClass = new LinkedHashMap<>();
    for (ClassScore c : classes) {
      Map<String, Object> score = new LinkedHashMap<>();
      score.put("precision", c.precision());
      score.put("recall", c.recall());
      score.put("f1", c.f1());
      score.put("support", c.support());
      perClass.put(c.label(), score);
    }
    map.put("classes", perClass);
    map.put("confusion", confusion);
    return map;
  }

  private static double ratio(int part, int whole) {
    return whole == 0 ? 0 : (double) part / whole;
  }

  private static String three(double value) {
    return String.format(Locale.ROOT, "%.3f", value);
  }

  private static int width(String text) {
    return text.codePointCount(0, text.length());
  }

  private static void line(StringBuilder out, int width, String label, String... cells) {
    out.append(label).repeat(' ', width - width(label));
    for (String cell : cells) {
      out.append(String.format(Locale.ROOT, "%11s", cell));
    }
    out.append('\n');
  }
}
