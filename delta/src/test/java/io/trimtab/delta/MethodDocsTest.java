package io.trimtab.delta;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Every method has its line in the index of methods, and a page with a picture and figures. */
class MethodDocsTest {
  private static final Path DOCS = Path.of("..", "docs");
  private static final Pattern PICTURE = Pattern.compile("!\\[[^]]+]\\(([^)]+\\.svg)\\)");

  @TestFactory
  Stream<DynamicTest> everyMethodIsDescribed() throws IOException {
    String index = Files.readString(DOCS.resolve("methods.md"));
    return DeltaMethods.all().stream()
        .filter(DeltaMethod::standsAlone)
        .map(method -> DynamicTest.dynamicTest(method.name(), () -> check(method, index)));
  }

  private static void check(DeltaMethod method, String index) throws IOException {
    String name = method.name();
    String link = "[`" + name + "`](";
    int start = index.indexOf(link);
    assertThat(start)
        .withFailMessage("docs/methods.md has no line with %smethods/%s.md)", link, name)
        .isNotNegative();
    int begin = start + link.length();
    Path page = DOCS.resolve(index.substring(begin, index.indexOf(')', begin)));
    assertThat(page).isRegularFile();
    String text = Files.readString(page);
    Matcher picture = PICTURE.matcher(text);
    assertThat(picture.find())
        .withFailMessage("%s shows no picture, such as one that docs/pictures/draw.py draws", page)
        .isTrue();
    assertThat(page.resolveSibling(picture.group(1))).isRegularFile();
    assertThat(text.contains("**Figures"))
        .withFailMessage("%s has no figures: bench/peers/write_figures writes them", page)
        .isTrue();
  }
}
