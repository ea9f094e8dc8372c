package io.trimtab.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Test;

class AnswerTest {
  private static Answer answer(String expected, String said) {
    return new Answer("", expected, said);
  }

  /** The examples of the paper's section 3.1, with β = 1. */
  @Test
  void theOverlapIsThatOfTheLongestCommonSubsequence() {
    String reference = "police killed the gunman";
    assertThat(answer(reference, "police kill the gunman").overlap()).isCloseTo(0.75, within(1e-9));
    assertThat(answer(reference, "the gunman kill police").overlap()).isCloseTo(0.5, within(1e-9));
    assertThat(answer(reference, "the gunman police killed").overlap())
        .isCloseTo(0.5, within(1e-9));
    assertThat(answer("a b c", "A, b; c!").overlap()).isEqualTo(1);
    assertThat(answer("a b c d", "b d").overlap()).isCloseTo(2.0 * 2 / 6, within(1e-9));
    assertThat(answer("a", "").overlap()).isZero();
    assertThat(answer("…", "!").overlap()).isEqualTo(1);
  }

  @Test
  void anExactAnswerHasTheSameLettersButForBlanksAround() {
    assertThat(answer("[New] A b.", " [New] A b.\n").isExact()).isTrue();
    assertThat(answer("[New] A b.", "[New] a b.").isExact()).isFalse();
    AnswerScore score = new AnswerScore(List.of(answer("a b", "a b"), answer("a b", "a c")));
    assertThat(score.exactMatch()).isEqualTo(0.5);
    assertThat(score.overlap()).isEqualTo(0.75);
    assertThat(score.toMap()).containsEntry("count", 2).containsEntry("rouge_l", 0.75);
    assertThatThrownBy(() -> new AnswerScore(List.of())).isInstanceOf(DataException.class);
  }
}
