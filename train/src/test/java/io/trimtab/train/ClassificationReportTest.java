package io.trimtab.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.trimtab.train.ClassificationReport.ClassScore;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.json.JsonMapper;

class ClassificationReportTest {
  private static final String GOLD = "a a a a b b b c c d";
  private static final String PREDICTED = "a a b c b b a c e a";

  private static List<Prediction> predictions(String gold, String predicted) {
    String[] golds = gold.split(" ", -1);
    String[] said = predicted.split(" ", -1);
    List<Prediction> predictions = new ArrayList<>();
    for (int i = 0; i < golds.length; i++) {
      predictions.add(new Prediction("text " + i, golds[i], said[i], (i + 1) / 20.0));
    }
    return predictions;
  }

  @Test
  void asScikitLearn() {
    // scikit-learn 1.9.1, zero_division=0: accuracy_score, f1_score(average="macro"),
    // precision_recall_fscore_support and confusion_matrix of the two lists above. Class d is never
    // predicted, class e never true.
    ClassificationReport report = ClassificationReport.of(predictions(GOLD, PREDICTED));

    assertThat(report.accuracy()).isEqualTo(0.5);
    assertThat(report.macroF1()).isCloseTo(0.3333333333333333, within(1e-15));
    assertThat(report.labels()).containsExactly("a", "b", "c", "d", "e");
    double twoThirds = 0.6666666666666666;
    assertThat(report.classes())
        .containsExactly(
            new ClassScore("a", 0.5, 0.5, 0.5, 4),
            new ClassScore("b", twoThirds, twoThirds, twoThirds, 3),
            new ClassScore("c", 0.5, 0.5, 0.5, 2),
            new ClassScore("d", 0, 0, 0, 1),
            new ClassScore("e", 0, 0, 0, 0));
    assertThat(report.confusion())
        .containsExactly(
            List.of(2, 1, 1, 0, 0),
            List.of(1, 2, 0, 0, 0),
            List.of(0, 0, 1, 0, 1),
            List.of(1, 0, 0, 0, 0),
            List.of(0, 0, 0, 0, 0));
    assertThat(report.correct()).isEqualTo(5);
    assertThat(report.count()).isEqualTo(10);
  }

  @Test
  void givenOrderComesFirst() {
    List<String> order = List.of("z", "c", "a");

    assertThat(ClassificationReport.of(predictions(GOLD, PREDICTED), order).labels())
        .containsExactly("c", "a", "b", "d", "e");
  }

  @Test
  void surestMistakesFirst() {
    List<Prediction> predictions = new ArrayList<>(predictions(GOLD, PREDICTED));
    predictions.add(new Prediction("unsure", "a", "b", Double.NaN));
    ClassificationReport report = ClassificationReport.of(predictions);

    assertThat(report.mistakes(3).stream().map(Prediction::text))
        .containsExactly("text 9", "text 8", "text 6");
    assertThat(report.mistakes(100)).hasSize(6).last().extracting("text").isEqualTo("unsure");
    assertThat(report.mistakes(100)).noneMatch(Prediction::correct);
  }

  @Test
  void alignedTable() {
    String table = ClassificationReport.of(predictions("ä ä bb", "ä bb bb")).table();

    assertThat(table)
        .isEqualTo(
            """
                           precision     recall         F1    support
            bb                 0.500      1.000      0.667          1
            ä                  1.000      0.500      0.667          2
            accuracy                                 0.667          3
            macro average      0.750      0.750      0.667          3
            """);
  }

  @Test
  void mapIsJson() {
    Map<String, Object> map = ClassificationReport.of(predictions("x y", "x x")).toMap();

    assertThat(JsonMapper.shared().writeValueAsString(map))
        .isEqualTo(
            "{\"accuracy\":0.5,\"macro_f1\":0.3333333333333333,\"count\":2,\"labels\":[\"x\",\"y\"],"
                + "\"classes\":{\"x\":{\"precision\":0.5,\"recall\":1.0,\"f1\":0.6666666666666666,"
                + "\"support\":1},\"y\":{\"precision\":0.0,\"recall\":0.0,\"f1\":0.0,\"support\":1}},"
                + "\"confusion\":[[1,0],[1,0]]}");
  }

  @Property(tries = 200)
  void scoresAreConsistent(
      @ForAll @Size(min = 1, max = 60) List<@IntRange(max = 24) Integer> pairs) {
    List<Prediction> predictions =
        pairs.stream().map(p -> new Prediction("", "c" + p / 5, "c" + p % 5, 0.5)).toList();
    ClassificationReport report = ClassificationReport.of(predictions);

    assertThat(report.classes().stream().mapToInt(ClassScore::support).sum())
        .isEqualTo(pairs.size());
    assertThat(report.correct() + report.mistakes(Integer.MAX_VALUE).size())
        .isEqualTo(pairs.size());
    for (ClassScore c : report.classes()) {
      double sum = c.precision() + c.recall();
      double harmonic = sum == 0 ? 0 : 2 * c.precision() * c.recall() / sum;
      assertThat(c.f1()).isCloseTo(harmonic, within(1e-12));
    }
  }

  @Test
  void nothingToScore() {
    assertThatThrownBy(() -> ClassificationReport.of(List.of())).isInstanceOf(DataException.class);
  }

  @Test
  void meanAndSampleDeviation() {
    // statistics.mean and statistics.stdev of Python 3.
    MeanSd five = MeanSd.of(0.91, 0.88, 0.93, 0.90, 0.895);

    assertThat(five.mean()).isCloseTo(0.903, within(1e-15));
    assertThat(five.sd()).isCloseTo(0.018574175621006727, within(1e-15));
    assertThat(five.percent()).isEqualTo("90.3 ± 1.9");
    assertThat(five).hasToString("0.9030 ± 0.0186");
    assertThat(MeanSd.of(0.5).sd()).isNaN();
    assertThat(MeanSd.of(0.5).percent()).isEqualTo("50.0");
    // Where sums of squares would lose everything.
    assertThat(MeanSd.of(1e9 + 1, 1e9 + 2, 1e9 + 3).sd()).isEqualTo(1);
    assertThatThrownBy(() -> MeanSd.of()).isInstanceOf(DataException.class);
  }
}
