package io.trimtab.delta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.util.List;
import java.util.Random;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.StringLength;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The language by itself: what is an address, where errors are, and that printing is exact. */
class AddressLanguageTest {
  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '`',
      value = {
        "``; 0; the end",
        "`   `; 3; the end",
        "query,,value; 6; a comma",
        "query,; 6; the end",
        "-query; 0; a minus",
        "query value; 6; \"value\"",
        "(query; 6; the end",
        "query); 5; a closing parenthesis",
        "(); 1; a closing parenthesis",
        "que;0;",
        "que!y; 3; \"!\"",
        "a..b; 0; a name with nothing beside a dot",
        ".query; 0; a name with nothing beside a dot",
        "at@tn.q; 2; an @ inside a name",
        "@; 0; a name with nothing beside a dot",
        "\"query; 0; a quote that is not closed",
        "\"\"; 0; an empty name",
        "[query; 0; an opening bracket",
        "[r]; 3; nothing",
        "[r]a(b; 6; unclosed group",
        "layers=1; 8; the end",
        "query layers=; 13; the end",
        "query layers=5-4; 13; \"5-4\"",
        "query layers=last:0; 13; \"last:0\"",
        "query layers=x; 13; \"x\"",
        "query layer=1; 6; layer=",
        "query layers_pattern=a; 6; layers_pattern=",
        "query exclude=; 14; the end",
        "last:4; 4; a colon",
      })
  void errorsSayWhere(String text, int position, String found) {
    if (found == null) {
      assertThat(Address.parse(text).toString()).isEqualTo(text);
      return;
    }
    AddressSyntaxException error =
        catchThrowableOfType(AddressSyntaxException.class, () -> Address.parse(text));
    assertThat(error).as("no error for " + text).isNotNull();
    assertThat(error.position()).isEqualTo(position);
    assertThat(error)
        .hasMessageContaining("found " + found)
        .hasMessageContaining("at column " + (position + 1) + " of")
        .hasMessageContaining("expected");
    assertThat(error.picture()).isEqualTo(text + "\n" + " ".repeat(position) + "^");
  }

  @Test
  void deepOrLongIsAnErrorNotAnOverflow() {
    assertThatThrownBy(() -> Address.parse("(".repeat(10_000) + "a"))
        .isInstanceOf(DeltaException.class)
        .hasMessageContaining("inside each other");
    assertThatThrownBy(() -> Address.parse("a,".repeat(20_000) + "a"))
        .isInstanceOf(DeltaException.class)
        .hasMessageContaining("characters");
    assertThatThrownBy(() -> Address.regex("(".repeat(200_000))).isInstanceOf(DeltaException.class);
  }

  @Test
  void namesOfListsAreTakenLiterally() {
    Address odd = Address.suffixes(List.of("q*", "a \"b\"", "@attn.q", "-x", "layers=3", "k"));
    assertThat(odd.toString())
        .isEqualTo("\"q*\",\"a \"\"b\"\"\",\"@attn.q\",\"-x\",\"layers=3\",k");
    assertThat(Address.parse(odd.toString())).isEqualTo(odd);
    Address regex = Address.regex("a, b\\)\"").excludingRegex("[)]\\(x{1,2}");
    assertThat(Address.parse(regex.toString())).isEqualTo(regex);
  }

  @Test
  void theOldFormsPrintAndParse() {
    Address address =
        Address.parse("query,value")
            .excluding(List.of("0.attention.self.query"))
            .inBlocks(List.of(0, 1), List.of("layer", "h"));
    assertThat(address.toString())
        .isEqualTo(
            "(query,value layers_to_transform=0,1 layers_pattern=\"layer\",\"h\")"
                + " - 0.attention.self.query");
    assertThat(Address.parse(address.toString())).isEqualTo(address);
    assertThat(Address.parse("query").excluding(List.of())).isEqualTo(Address.parse("query"));
    assertThat(Address.parse("query").inBlocks(List.of())).isEqualTo(Address.parse("query"));
  }

  @ParameterizedTest(name = "{0} {1} is {2}")
  @CsvSource({
    "q*, a.query, true",
    "q*, query, true",
    "*q, a.bq, true",
    "*, a.b, true",
    "a.*, x.a.b, true",
    "a.*, a.b.c, false",
    "a.**, a.b.c, true",
    "a.**, a, false",
    "a.**.c, a.c, true",
    "a.**.c, a.b.b.c, true",
    "**, a.b, true",
    "**.c, c, true",
    "a*c, abc, true",
    "a*c, a.c, false",
    "a**c, a.c, true",
    "?, a.b, true",
    "ab?, ab, false",
    "a+b, aab, false",
  })
  void globs(String glob, String path, boolean fits) {
    assertThat(AddressRegex.glob(glob).test(path)).isEqualTo(fits);
  }

  @Test
  void aSearchTriesEveryMatchNotTheLeftmostOnly() {
    // OpenDelta looks at the first match alone and misses the second of these.
    Predicate<String> fc = AddressRegex.search("fc");
    assertThat(fc.test("a.fc")).isTrue();
    assertThat(fc.test("a.fc.b.fc")).isTrue();
    assertThat(fc.test("afc")).isFalse();
    assertThat(fc.test("fc.b")).isFalse();
  }

  @Property
  void anyTextIsAnAddressOrAnErrorOfOurs(@ForAll @StringLength(max = 40) String text) {
    check(text);
  }

  @Property
  void anyTokensAreAnAddressOrAnErrorOfOurs(@ForAll("tokens") String text) {
    check(text);
  }

  private static void check(String text) {
    try {
      Address address = Address.parse(text);
      assertThat(Address.parse(address.toString())).isEqualTo(address);
    } catch (DeltaException e) {
      assertThat(e).hasMessageContaining("expected");
    }
  }

  @Provide
  Arbitrary<String> tokens() {
    return Arbitraries.of(
            "query",
            "q*",
            "**",
            ".",
            "(",
            ")",
            ",",
            "-",
            " ",
            "[r]",
            "[f]",
            "\"",
            "layers=",
            "exclude=",
            "layers_to_transform=",
            "layers_pattern=",
            "0",
            "4-11",
            "last:2",
            "@",
            "attn@.q@",
            "all-linear",
            "\\",
            "[",
            "]",
            "{",
            "}",
            "a|b",
            "=",
            ":",
            "\n")
        .list()
        .ofMaxSize(14)
        .map(pieces -> String.join("", pieces));
  }

  @Property
  void whatIsPrintedParsesToTheSame(@ForAll long seed) {
    Random random = new Random(seed);
    Address address = Address.of(tree(random, 4));
    assertThat(Address.parse(address.toString())).as(address.toString()).isEqualTo(address);
  }

  private static AddressTree tree(Random random, int depth) {
    if (depth == 0 || random.nextInt(3) == 0) {
      return leaf(random);
    }
    return switch (random.nextInt(4)) {
      case 0 ->
          IntStream.range(0, 2 + random.nextInt(2))
              .mapToObj(_ -> tree(random, depth - 1))
              .reduce(AddressTree.Union::of)
              .orElseThrow();
      case 1 -> new AddressTree.Minus(tree(random, depth - 1), tree(random, depth - 1));
      case 2 ->
          new AddressTree.Within(
              tree(random, depth - 1),
              List.of(
                  new AddressTree.Range.Span(1, 1 + random.nextInt(3)),
                  new AddressTree.Range.Last(1 + random.nextInt(3))));
      default ->
          new AddressTree.PeftLayers(
              tree(random, depth - 1),
              List.of(random.nextInt(5)),
              random.nextBoolean() ? List.of() : List.of("layer", "a|b"));
    };
  }

  private static AddressTree leaf(Random random) {
    return switch (random.nextInt(6)) {
      case 0 -> new AddressTree.Suffix(odd(random));
      case 1 -> new AddressTree.Glob("a.*.q?");
      case 2 -> new AddressTree.Search("x(a|b){1,2}[,)] *");
      case 3 -> new AddressTree.Full("a\\)");
      case 4 -> new AddressTree.AllLinear();
      default -> new AddressTree.Common("attn.*");
    };
  }

  private static String odd(Random random) {
    String letters = "ab.-_(),\" *@=[:\u00e4";
    return "x"
        + IntStream.range(0, random.nextInt(6))
            .mapToObj(_ -> letters.substring(random.nextInt(letters.length())).substring(0, 1))
            .collect(Collectors.joining());
  }
}
