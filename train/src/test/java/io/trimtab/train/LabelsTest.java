package io.trimtab.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class LabelsTest {
  @Test
  void sortedAndGivenOrder() {
    List<Example> examples =
        List.of(new Example("1", "pos"), new Example("2", "neg"), new Example("3", "pos"));

    assertThat(Labels.sorted(examples).names()).containsExactly("neg", "pos");
    Labels given = Labels.of(List.of("pos", "neg"));
    assertThat(given.encode("a.csv", examples)).containsExactly(0, 1, 0);
    assertThat(given.name(given.index("neg"))).isEqualTo("neg");
    assertThat(given)
        .isEqualTo(Labels.of(List.of("pos", "neg")))
        .isNotEqualTo(Labels.of(List.of()));
    assertThat(given.contains("other")).isFalse();
  }

  @Test
  void unknownLabelNamesLineAndKnownLabels() {
    Labels labels = Labels.of(List.of("positive", "negative"));

    assertThatThrownBy(() -> labels.encode("test.csv", List.of(new Example("t", "Positiv", 17))))
        .isInstanceOf(DataException.class)
        .hasMessage(
            "test.csv line 17: the label \"Positiv\" is unknown; did you mean \"positive\"?; known"
                + " labels are \"positive\", \"negative\"");
    assertThatThrownBy(() -> labels.encode("test data", List.of(new Example("t", "zzzzzzzzzzzz"))))
        .hasMessageContaining("test data example 1: the label \"zzzzzzzzzzzz\" is unknown; known");
    assertThatThrownBy(() -> labels.index("x")).isInstanceOf(DataException.class);
  }

  @Test
  void manyKnownLabelsAreCounted() {
    Labels labels = Labels.of(IntStream.range(0, 150).mapToObj(i -> "class" + i).toList());

    assertThatThrownBy(() -> labels.index("?")).hasMessageEndingWith("\"class19\" and 130 more");
  }

  @Test
  void repeatedLabel() {
    assertThatThrownBy(() -> Labels.of(List.of("a", "a"))).isInstanceOf(DataException.class);
  }
}
