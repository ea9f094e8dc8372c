package io.trimtab.cli;

import io.trimtab.delta.DeltaMethod;
import io.trimtab.delta.catalogue.MethodSheet;
import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code trimtab delta methods}: every delta method with its paper and options. */
@Command(
    name = "methods",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    description = {
      "List the delta methods: paper, usual learning rate, options, whether it merges, PEFT type,"
          + " presets.",
      "Usual values are those on a BERT of hidden size 768; those in brackets depend on the size."
    })
final class DeltaMethodsCommand implements Callable<Integer> {
  /** Of a preset's value that is shown, in characters. */
  private static final int LONGEST = 30;

  @Mixin private CommonOptions common;

  @Override
  public Integer call() {
    common.startEngine();
    List<MethodSheet> sheets = MethodSheet.all();
    PrintWriter words = common.words();
    for (MethodSheet sheet : sheets) {
      DeltaMethod method = sheet.method();
      words.printf(
          Locale.ROOT,
          "%-14s %s, rate %s, %s%n  %s%n",
          method.name(),
          method.peftType(),
          method.defaultRate(),
          sheet.merges() ? "merges" : "cannot be merged",
          method.paper());
      if (!sheet.options().isEmpty()) {
        words.println(
            sheet.options().stream()
                .map(DeltaMethodsCommand::words)
                .collect(Collectors.joining(", ", "  ", "")));
      }
      method
          .presets()
          .byName()
          .forEach((name, options) -> words.println("  preset=" + name + ": " + words(options)));
    }
    words.flush();
    common.result(Map.of("methods", sheets.stream().map(DeltaMethodsCommand::json).toList()));
    return 0;
  }

  private static String words(Map<String, String> preset) {
    return preset.isEmpty()
        ? "as above"
        : preset.entrySet().stream()
            .map(option -> option.getKey() + "=" + shortened(option.getValue()))
            .collect(Collectors.joining(", "));
  }

  private static String shortened(String value) {
    return value.length() <= LONGEST ? value : value.substring(0, LONGEST) + "…";
  }

  private static String words(MethodSheet.Option option) {
    return option.key()
        + (option.byModel()
            ? "=[" + option.usual() + "]"
            : option.usual().isEmpty() ? "=…" : "=" + option.usual());
  }

  private static Map<String, Object> json(MethodSheet sheet) {
    DeltaMethod method = sheet.method();
    Map<String, Object> out = new LinkedHashMap<>();
    out.put("name", method.name());
    out.put("peft_type", method.peftType());
    out.put("paper", method.paper());
    out.put("rate", method.defaultRate());
    out.put("merges", sheet.merges());
    out.put("presets", method.presets().byName());
    out.put(
        "options",
        sheet.options().stream()
            .map(
                option -> {
                  Map<String, Object> fields = new LinkedHashMap<>();
                  fields.put("name", option.key());
                  fields.put("kind", option.kind().name().toLowerCase(Locale.ROOT));
                  fields.put("usual", option.usual());
                  fields.put("by_model", option.byModel());
                  return fields;
                })
            .toList());
    return out;
  }
}
