package io.trimtab.prompt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trimtab.hub.EncodeOptions.TruncationSide;
import io.trimtab.hub.SpecialToken;
import io.trimtab.hub.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class PromptEncoderTest {
  private static final Template TEMPLATE = Template.parse("{text} it was {mask} .");
  private Tokenizer bert;
  private Tokenizer roberta;

  @BeforeAll
  void open(@TempDir Path directory) throws IOException {
    bert = Tiny.wordPiece(directory);
    roberta = Tiny.byteLevel(directory);
  }

  @AfterAll
  void close() {
    bert.close();
    roberta.close();
  }

  private static PromptEncoder encoder(Template template, Tokenizer tokenizer, int length) {
    return new PromptEncoder(template, tokenizer, length, TruncationSide.RIGHT);
  }

  private static String tokens(Prompt prompt, Tokenizer tokenizer) {
    return String.join(" ", Arrays.stream(prompt.row().ids()).mapToObj(tokenizer::token).toList());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        " ",
        "the film",
        "The FILM, played!",
        "great  \t news\n",
        "été 😀 naïve 漢字",
        "un-known 'words'",
        "trailing space ",
        "{text} {mask}"
      })
  void equalsTheTokensOfTheWholeSentence(String text) {
    String[] sources = {
      "{text} it was {mask} .", "{mask}: {text}", "a{text}b({mask})", "{text}{mask}"
    };
    for (String source : sources) {
      Template template = Template.parse(source);
      for (Tokenizer tokenizer : List.of(bert, roberta)) {
        String mask = tokenizer.special(SpecialToken.MASK).orElseThrow();
        String whole =
            source
                .replace("{mask}", mask)
                .replaceFirst("\\{text}", text.replace("{mask}", "{ mask}"));
        String clean = text.replace("{mask}", "{ mask}");
        Prompt prompt = encoder(template, tokenizer, 500).encode(clean);
        assertThat(prompt.row().ids()).containsExactly(tokenizer.encode(whole).ids());
        assertThat(prompt.row().ids()[prompt.mask()])
            .isEqualTo(tokenizer.specialId(SpecialToken.MASK));
        assertThat(prompt.lost()).isZero();
      }
    }
  }

  @Test
  void keepsTheBlankInsideByteLevelTokens() {
    assertThat(tokens(encoder(TEMPLATE, roberta, 99).encode("great"), roberta))
        .isEqualTo("<s> g r e a t Ġit Ġwas <mask> Ġ . </s>");
    assertThat(tokens(encoder(TEMPLATE, roberta, 99).encode(" great"), roberta))
        .isEqualTo("<s> Ġgreat Ġit Ġwas <mask> Ġ . </s>");
  }

  @Test
  void readsASpecialTokenInATextAsWords() {
    Prompt prompt = encoder(TEMPLATE, bert, 99).encode("a [MASK] film [SEP] is [CLS] bad [PAD]");
    assertThat(tokens(prompt, bert))
        .isEqualTo(
            "[CLS] a [ [UNK] ] film [ [UNK] ] is [ [UNK] ] bad [ [UNK] ] it was [MASK] . [SEP]"
                .replace("[UNK]", "%s")
                .formatted("m ##a ##s ##k", "s ##e ##p", "c ##l ##s", "p ##a ##d"));
    Prompt bpe = encoder(TEMPLATE, roberta, 99).encode("<mask> </s><s> <mask>");
    assertThat(count(bpe, roberta, SpecialToken.MASK)).isOne();
    assertThat(count(bpe, roberta, SpecialToken.CLS)).isOne();
    assertThat(count(bpe, roberta, SpecialToken.SEP)).isOne();
    assertThat(bpe.row().ids()[bpe.mask()]).isEqualTo(roberta.specialId(SpecialToken.MASK));
  }

  @Test
  void readsASpecialTokenMadeOfTextAndTemplateAsWords() {
    Template around = Template.parse("[{text}] it was {mask}");
    assertThat(tokens(encoder(around, bert, 99).encode("MASK"), bert))
        .isEqualTo("[CLS] [ m ##a ##s ##k ] it was [MASK] [SEP]");
  }

  @Test
  void refusesASpecialTokenInTheTemplate() {
    assertThatThrownBy(() -> encoder(Template.parse("{text} [SEP] {mask}"), bert, 99))
        .isInstanceOf(PromptException.Syntax.class)
        .hasMessageContaining("[SEP]")
        .hasMessageContaining("leave it out");
    assertThatThrownBy(() -> encoder(Template.parse("{text} [MASK] {mask}"), bert, 99))
        .isInstanceOf(PromptException.Syntax.class)
        .hasMessageContaining("write {mask}");
  }

  @Test
  void shortensTheTextAlone() {
    String text = "the lovely film is very funny and warm";
    PromptEncoder end = encoder(TEMPLATE, bert, 10);
    assertThat(tokens(end.encode(text), bert))
        .isEqualTo("[CLS] the lovely film is it was [MASK] . [SEP]");
    assertThat(end.encode(text).lost()).isEqualTo(" very funny and warm".length());
    PromptEncoder start = new PromptEncoder(TEMPLATE, bert, 10, TruncationSide.LEFT);
    assertThat(tokens(start.encode(text), bert))
        .isEqualTo("[CLS] very funny and warm it was [MASK] . [SEP]");
    assertThat(tokens(encoder(TEMPLATE, bert, 6).encode(text), bert))
        .isEqualTo("[CLS] it was [MASK] . [SEP]");
    assertThat(end.encode("the lovely film is").lost()).isZero();
  }

  @Test
  void refusesATemplateThatIsTooLong() {
    assertThatThrownBy(() -> encoder(TEMPLATE, bert, 5))
        .isInstanceOf(PromptException.TooLong.class)
        .hasMessageContaining("found 6 tokens")
        .hasMessageContaining("at most 5");
  }

  /** Whatever the text, the template stays whole, there is one mask, and the length is kept. */
  @Test
  void standsAnyText() {
    Random random = new Random(3);
    String[] bits = {
      "[", "MASK", "]", "[MASK]", "[SEP]", "[mask]", "<mask>", "<", "</s>", "<s>", "mask>", " ",
          "the",
      "film", "😀", "\uD83D", "é", "\u0000", "\t", "漢", "{", "}", "it was", "<pad>", "[PAD]", "."
    };
    for (Tokenizer tokenizer : List.of(bert, roberta)) {
      for (TruncationSide side : TruncationSide.values()) {
        for (String source :
            List.of("{text} it was {mask} .", "[{text}]<{mask}>", "<{text}{mask}]")) {
          PromptEncoder encoder = new PromptEncoder(Template.parse(source), tokenizer, 24, side);
          List<String> texts = new ArrayList<>();
          for (int i = 0; i < 150; i++) {
            StringBuilder text = new StringBuilder();
            for (int n = random.nextInt(14); n > 0; n--) {
              text.append(bits[random.nextInt(bits.length)]);
            }
            texts.add(text.toString());
          }
          List<Prompt> prompts = encoder.encodeAll(texts);
          for (int i = 0; i < texts.size(); i++) {
            Prompt prompt = prompts.get(i);
            assertThat(prompt.length()).as(texts.get(i)).isLessThanOrEqualTo(24);
            for (SpecialToken role :
                List.of(SpecialToken.MASK, SpecialToken.CLS, SpecialToken.SEP)) {
              assertThat(count(prompt, tokenizer, role)).as(texts.get(i)).isOne();
            }
            assertThat(encoder.encode(texts.get(i)).row().ids()).isEqualTo(prompt.row().ids());
          }
        }
      }
    }
  }

  private static long count(Prompt prompt, Tokenizer tokenizer, SpecialToken role) {
    int id = tokenizer.specialId(role);
    return Arrays.stream(prompt.row().ids()).filter(i -> i == id).count();
  }
}
