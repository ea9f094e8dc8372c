package io.trimtab.cli;

import io.trimtab.model.LanguageModel;
import io.trimtab.model.Patches;
import io.trimtab.prompt.ClozeClassifier;
import io.trimtab.prompt.Tuned;
import io.trimtab.train.ClassificationReport;
import io.trimtab.train.Table;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code trimtab evaluate}: scores a tuned delta, or a model as it is, on labelled data. */
@Command(
    name = "evaluate",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    description = {
      "Score a tuned delta (--adapter) on labelled data,",
      "or a model as it is (--model, --template and --verbalizer)."
    })
final class EvaluateCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @Mixin private CommonOptions common;
  @Mixin private ColumnOptions columns;
  @Mixin private TaskOptions task;
  @Mixin private AdapterOptions adapter;

  @Option(names = "--test", required = true, paramLabel = "FILE", description = "Labelled data.")
  private Path test;

  @Override
  public Integer call() {
    if (adapter.given() && task.given()) {
      throw new CommandLine.ParameterException(
          spec.commandLine(),
          "found --adapter together with --template or --verbalizer, expected one of them: an"
              + " adapter brings its own task");
    }
    Table table = Table.read(test);
    table.examples(columns.text(), columns.label());
    ClassificationReport report = adapter.given() ? tuned(table) : untuned(table);
    common.words().println(report.table());
    common.words().flush();
    common.result(report.toMap());
    return 0;
  }

  private ClassificationReport tuned(Table table) {
    try (LanguageModel model = adapter.base(common);
        Tuned tuned = Tuned.load(adapter.directory(), model)) {
      return tuned.evaluate(table, columns.text(), columns.label());
    }
  }

  private ClassificationReport untuned(Table table) {
    @Nullable String name = adapter.model();
    if (name == null) {
      throw new CommandLine.ParameterException(
          spec.commandLine(), "found neither --adapter nor --model, expected one of them");
    }
    try (LanguageModel model = adapter.open(name, common)) {
      return new ClozeClassifier(model, task.cloze())
          .evaluate(table.name(), table.examples(columns.text(), columns.label()), Patches.NONE);
    }
  }
}
