package io.trimtab.delta.catalogue;

import static org.assertj.core.api.Assertions.assertThat;

import io.trimtab.delta.DeltaMethod;
import io.trimtab.delta.DeltaMethods;
import io.trimtab.delta.Options;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class MethodSheetTest {
  private static final Map<String, MethodSheet> SHEETS =
      MethodSheet.all().stream()
          .collect(Collectors.toMap(sheet -> sheet.method().name(), Function.identity()));

  private static MethodSheet sheet(String method) {
    return java.util.Objects.requireNonNull(SHEETS.get(method), method);
  }

  @Test
  void everyMethodHasASheet() {
    assertThat(SHEETS.keySet())
        .containsExactlyInAnyOrderElementsOf(
            DeltaMethods.all().stream()
                .filter(DeltaMethod::standsAlone)
                .map(DeltaMethod::name)
                .toList());
  }

  @Test
  void optionsAreThoseAskedFor() {
    List<MethodSheet.Option> lora = sheet("lora").options();
    assertThat(lora)
        .contains(
            new MethodSheet.Option("rank", Options.Kind.INTEGER, "8", false),
            new MethodSheet.Option("alpha", Options.Kind.DECIMAL, "16.0", false),
            new MethodSheet.Option("dora", Options.Kind.FLAG, "false", false),
            new MethodSheet.Option("save", Options.Kind.TEXTS, "", false),
            new MethodSheet.Option("targets", Options.Kind.TEXT, "query,value", false));
    assertThat(sheet("prefix").options())
        .contains(new MethodSheet.Option("blocks", Options.Kind.INTEGERS, "", false));
    assertThat(sheet("full").options()).isEmpty();
  }

  @Test
  void whatDependsOnTheModelIsMarked() {
    assertThat(sheet("ptuning").options())
        .contains(new MethodSheet.Option("hidden", Options.Kind.INTEGER, "768", true));
  }

  @Test
  void mergingIsTried() {
    assertThat(sheet("lora").merges()).isTrue();
    assertThat(sheet("ia3").merges()).isTrue();
    assertThat(sheet("full").merges()).isTrue();
    assertThat(sheet("prefix").merges()).isFalse();
    assertThat(sheet("prompt").merges()).isFalse();
  }
}
