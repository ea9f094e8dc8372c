package io.trimtab.cli;

import io.trimtab.model.LanguageModel;
import io.trimtab.prompt.Classification;
import io.trimtab.prompt.Tuned;
import io.trimtab.train.Table;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code trimtab predict}: classifies a text or a table with a tuned delta. */
@Command(
    name = "predict",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    description = "Classify a text (--text), or all texts of a table (--in, --out).")
final class PredictCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @Mixin private CommonOptions common;
  @Mixin private AdapterOptions adapter;

  @Option(names = "--text", paramLabel = "TEXT", description = "A text to classify.")
  private @Nullable String text;

  @Option(names = "--in", paramLabel = "FILE", description = "A table of texts.")
  private @Nullable Path in;

  @Option(
      names = "--column",
      paramLabel = "COLUMN",
      defaultValue = "text",
      description = "The table's column of texts (default: ${DEFAULT-VALUE}).")
  private String column;

  @Option(
      names = "--out",
      paramLabel = "FILE",
      description = "The table with the columns predicted, probability and p(LABEL) added.")
  private @Nullable Path out;

  @Override
  public Integer call() {
    String one = text;
    Path from = in;
    Path to = out;
    if ((one == null) == (from == null) || (from == null) != (to == null)) {
      throw new CommandLine.ParameterException(
          spec.commandLine(), "expected either --text, or --in together with --out");
    }
    Path directory = adapter.directory();
    Table table = from == null ? null : Table.read(from);
    List<String> texts = table == null ? List.of(String.valueOf(one)) : table.column(column);
    try (LanguageModel model = adapter.base(common);
        Tuned tuned = Tuned.load(directory, model)) {
      List<Classification> results = tuned.predict(texts);
      if (table == null || to == null) {
        show(results.getFirst());
      } else {
        write(table, results, to);
        common.words().printf("%d predictions in %s%n", results.size(), to);
        common.words().flush();
        Map<String, Object> result = new LinkedHashMap<>();
        result.put("out", to.toString());
        result.put("count", results.size());
        common.result(result);
      }
    }
    return 0;
  }

  private void show(Classification said) {
    PrintWriter words = common.words();
    said.probabilities().forEach((label, p) -> words.printf(Locale.ROOT, "%6.3f  %s%n", p, label));
    words.flush();
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("label", said.label());
    result.put("probability", said.probability());
    result.put("probabilities", said.probabilities());
    common.result(result);
  }

  private static void write(Table table, List<Classification> results, Path to) {
    List<String> columns = new ArrayList<>(table.columns());
    List<String> labels =
        results.isEmpty() ? List.of() : List.copyOf(results.getFirst().probabilities().keySet());
    columns.add(fresh("predicted", columns));
    columns.add(fresh("probability", columns));
    labels.forEach(label -> columns.add(fresh("p(" + label + ")", columns)));
    List<List<String>> rows = new ArrayList<>();
    for (int i = 0; i < results.size(); i++) {
      Classification said = results.get(i);
      List<String> row = new ArrayList<>(table.row(i));
      row.add(said.label());
      row.add(String.format(Locale.ROOT, "%.6f", said.probability()));
      said.probabilities().values().forEach(p -> row.add(String.format(Locale.ROOT, "%.6f", p)));
      rows.add(row);
    }
    Table.of(columns, rows).write(to);
  }

  /** A column name that is not taken. */
  private static String fresh(String name, List<String> taken) {
    String fresh = name;
    for (int i = 2; taken.contains(fresh); i++) {
      fresh = name + "_" + i;
    }
    return fresh;
  }
}
