package io.trimtab.model.generate;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Texts to stop at, where every character is several tokens. */
class TranscriptTest {
  private static List<String> pieces(String text, String... stops) {
    Transcript transcript = new Transcript(new ByteTokenizer(), List.of(stops));
    List<String> pieces = new ArrayList<>();
    for (int token : ByteTokenizer.tokens(text)) {
      if (!transcript.stopped()) {
        pieces.add(transcript.add(token));
      }
    }
    pieces.add(transcript.rest());
    pieces.removeIf(String::isEmpty);
    assertThat(String.join("", pieces)).isEqualTo(transcript.text());
    return pieces;
  }

  @Test
  void charactersComeWhole() {
    assertThat(pieces("aé€🙂b")).containsExactly("a", "é", "€", "🙂", "b");
  }

  @Test
  void nothingOfAStopIsEverGivenOut() {
    assertThat(pieces("one two END three", "END")).isNotEmpty().last().isEqualTo(" ");
    assertThat(String.join("", pieces("one two END three", "END"))).isEqualTo("one two ");
    assertThat(pieces("a🙂🙂🙃z", "🙂🙃")).containsExactly("a", "🙂");
    assertThat(pieces("END", "END")).isEmpty();
  }

  @Test
  void whatOnlyBeganLikeAStopComesLater() {
    assertThat(pieces("aENb", "END")).containsExactly("a", "ENb");
    assertThat(pieces("aEN", "END")).containsExactly("a", "EN");
    assertThat(pieces("EENEND", "END")).containsExactly("E", "EN");
  }

  @Test
  void theFirstOfSeveralStopsCounts() {
    assertThat(String.join("", pieces("x y z", "z", "y"))).isEqualTo("x ");
    assertThat(String.join("", pieces("abcd", "cd", "bcd"))).isEqualTo("a");
  }
}
