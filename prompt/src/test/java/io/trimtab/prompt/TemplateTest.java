package io.trimtab.prompt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.CharRange;
import net.jqwik.api.constraints.StringLength;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TemplateTest {
  @Test
  void readsSlotsAndWords() {
    assertThat(Template.parse("{text} It was {mask}.").segments())
        .containsExactly(
            new Segment.Text(),
            new Segment.Words(" It was "),
            new Segment.Mask(),
            new Segment.Words("."));
    assertThat(Template.parse("{ mask }{text}").segments())
        .containsExactly(new Segment.Mask(), new Segment.Text());
  }

  @Test
  void readsDoubledBracesAsBraces() {
    Template template = Template.parse("{{{text}}} {{x}} {mask}");
    assertThat(template.segments())
        .containsExactly(
            new Segment.Words("{"),
            new Segment.Text(),
            new Segment.Words("} {x} "),
            new Segment.Mask());
    assertThat(template.source()).isEqualTo("{{{text}}} {{x}} {mask}");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{text} was {mask      | never closed | position 12",
        "{text} } {mask}       | closes nothing | position 8",
        "{text} {soft} {mask}  | {soft} | position 8",
        "{text} {} {mask}      | known slots are {text} and {mask} | position 8",
        "{text} {mask} {mask}  | second {mask} (the first is at position 8) | position 15",
        "{text} {text} {mask}  | second {text} | position 8",
        "{text} is good        | no {mask} | expected exactly one",
        "It was {mask}.        | no {text} | expected exactly one",
      })
  void namesWhatIsWrongAndWhere(String source, String what, String where) {
    assertThatThrownBy(() -> Template.parse(source))
        .isInstanceOf(PromptException.Syntax.class)
        .hasMessageContaining(what)
        .hasMessageContaining(where);
  }

  @Property(tries = 200)
  void isReadBackAsWritten(
      @ForAll @StringLength(max = 8) @CharRange(from = 'x', to = '~') String before,
      @ForAll @StringLength(max = 8) @CharRange(from = 'x', to = '~') String after) {
    String words = before.replace("{", "{{").replace("}", "}}");
    String more = after.replace("{", "{{").replace("}", "}}");
    Template template = Template.parse(words + "{mask}" + more + "{text}");
    List<String> read =
        template.segments().stream()
            .map(s -> s instanceof Segment.Words w ? w.text() : "|")
            .toList();
    assertThat(String.join("", read)).isEqualTo(before + "|" + after + "|");
    assertThat(Template.parse(template.source())).isEqualTo(template);
  }
}
