package io.trimtab.hub.vocabulary;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trimtab.hub.HubException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class TakenTest {
  private static final String BLANK = "\u2581";
  private static final Map<String, Object> REPLACE =
      Map.of("type", "Replace", "pattern", Map.of("String", " "), "content", BLANK);

  static Stream<Arguments> blanks() {
    return Stream.of(
        Arguments.of(sequence("normalizers", prepend(), REPLACE), null, true),
        Arguments.of(REPLACE, null, false),
        // Gemma's: nothing is left to be cut.
        Arguments.of(REPLACE, split(Map.of("String", " ")), false),
        Arguments.of(null, metaspace(Map.of("prepend_scheme", "first", "split", false)), true),
        Arguments.of(null, metaspace(Map.of("prepend_scheme", "always", "split", false)), true),
        Arguments.of(null, metaspace(Map.of("prepend_scheme", "never", "split", false)), false),
        Arguments.of(null, metaspace(Map.of("add_prefix_space", true)), true),
        Arguments.of(null, metaspace(Map.of("add_prefix_space", false)), false),
        Arguments.of(null, metaspace(Map.of()), true));
  }

  @ParameterizedTest
  @MethodSource("blanks")
  void theFirstBlankIsKept(
      @Nullable Object normalizer, @Nullable Object preTokenizer, boolean expected) {
    Taken taken = Taken.apart(pieces(normalizer, preTokenizer, BLANK + " a"), 3);
    assertThat(taken.kind()).isEqualTo(Taken.Kind.SENTENCE_PIECE);
    assertThat(taken.blankFirst()).isEqualTo(expected);
  }

  static Stream<Arguments> foreign() {
    return Stream.of(
        Arguments.of(null, null, "does not write blanks"),
        Arguments.of(Map.of("type", "Lowercase"), null, "the normalizer {type=Lowercase}"),
        Arguments.of(REPLACE, Map.of("type", "Whitespace"), "the pre-tokenizer {type=Whitespace}"),
        Arguments.of(null, split(Map.of("String", " ")), "the pre-tokenizer"),
        Arguments.of(null, metaspace(Map.of("replacement", "_")), "the pre-tokenizer"));
  }

  @ParameterizedTest
  @MethodSource("foreign")
  void otherWaysWithBlanksAreRefused(
      @Nullable Object normalizer, @Nullable Object preTokenizer, String expected) {
    refused(pieces(normalizer, preTokenizer, BLANK + " a"), expected);
  }

  @Test
  void piecesOverBlanksDoNotGoWithCutting() {
    Object cutting = metaspace(Map.of("prepend_scheme", "first"));
    refused(pieces(null, cutting, "a " + BLANK), "pieces that reach over one");
    assertThat(Taken.apart(pieces(null, cutting, BLANK + " a"), 3).blankFirst()).isTrue();
  }

  @Test
  void bytesAreCutAsGpt2DoesWhereNothingElseIsSaid() {
    for (Object own :
        List.of(
            byteLevel(Map.of("add_prefix_space", false)), byteLevel(Map.of("use_regex", true)))) {
      assertThat(Taken.apart(bytes(own), 2).preTokenizer()).isEqualTo("gpt-2");
    }
    Object digits =
        sequence(
            "pretokenizers",
            Map.of("type", "Digits", "individual_digits", true),
            byteLevel(Map.of("add_prefix_space", false)));
    assertThat(Taken.apart(bytes(digits), 2).preTokenizer()).isEqualTo("smollm");
  }

  @Test
  void otherCutsAreRefused() {
    refused(bytes(byteLevel(Map.of("add_prefix_space", true))), "add_prefix_space");
    Object runs =
        sequence(
            "pretokenizers",
            Map.of("type", "Digits", "individual_digits", false),
            byteLevel(Map.of("add_prefix_space", false)));
    refused(bytes(runs), "\\p{N}+");
    Object atText =
        sequence(
            "pretokenizers", split(Map.of("String", "x")), byteLevel(Map.of("use_regex", false)));
    refused(bytes(atText), "a Split");
  }

  private static void refused(Map<String, @Nullable Object> json, String expected) {
    assertThatThrownBy(() -> Taken.apart(json, 3))
        .isInstanceOf(HubException.Unsupported.class)
        .hasMessageContaining(expected);
  }

  private static Map<String, @Nullable Object> pieces(
      @Nullable Object normalizer, @Nullable Object preTokenizer, String merge) {
    Map<String, @Nullable Object> root = new LinkedHashMap<>();
    root.put("normalizer", normalizer);
    root.put("pre_tokenizer", preTokenizer);
    root.put(
        "model",
        Map.of(
            "type",
            "BPE",
            "byte_fallback",
            true,
            "vocab",
            Map.of(BLANK, 0, "a", 1, merge.replace(" ", ""), 2),
            "merges",
            List.of(merge)));
    return root;
  }

  private static Map<String, @Nullable Object> bytes(Object preTokenizer) {
    Map<String, @Nullable Object> root = new LinkedHashMap<>();
    root.put("pre_tokenizer", preTokenizer);
    root.put("model", Map.of("type", "BPE", "vocab", Map.of("a", 0, "b", 1), "merges", List.of()));
    return root;
  }

  private static Map<String, Object> prepend() {
    return Map.of("type", "Prepend", "prepend", BLANK);
  }

  private static Map<String, Object> split(Map<String, String> pattern) {
    return Map.of(
        "type", "Split", "pattern", pattern, "behavior", "MergedWithPrevious", "invert", false);
  }

  private static Map<String, Object> metaspace(Map<String, Object> more) {
    Map<String, Object> out = new LinkedHashMap<>();
    out.put("type", "Metaspace");
    out.put("replacement", BLANK);
    out.putAll(more);
    return out;
  }

  private static Map<String, Object> byteLevel(Map<String, Object> more) {
    Map<String, Object> out = new LinkedHashMap<>(more);
    out.put("type", "ByteLevel");
    return out;
  }

  private static Map<String, Object> sequence(String field, Object... steps) {
    return Map.of("type", "Sequence", field, Arrays.asList(steps));
  }
}
