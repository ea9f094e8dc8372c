package io.trimtab.cli;

import io.trimtab.hub.ChatTemplates;
import io.trimtab.hub.ModelDirectory;
import io.trimtab.model.LanguageModel;
import io.trimtab.model.Patches;
import io.trimtab.prompt.ClozeClassifier;
import io.trimtab.prompt.TextData;
import io.trimtab.prompt.TextTask;
import io.trimtab.prompt.Tuned;
import io.trimtab.prompt.TunedText;
import io.trimtab.train.ClassificationReport;
import io.trimtab.train.Table;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code trimtab evaluate}: scores a tuned delta, or a model as it is. */
@Command(
    name = "evaluate",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    description = {
      "Score a tuned delta (--adapter) on data of its task,",
      "or a model as it is (--model) at a task: --template and --verbalizer, or --task."
    })
final class EvaluateCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @Mixin private CommonOptions common;
  @Mixin private ColumnOptions columns;
  @Mixin private TaskOptions task;
  @Mixin private TextOptions text;
  @Mixin private AdapterOptions adapter;

  @Option(names = "--test", required = true, paramLabel = "FILE", description = "The data.")
  private Path test;

  @Override
  public Integer call() {
    if (adapter.given() && task.given()) {
      throw new CommandLine.ParameterException(
          spec.commandLine(),
          "found --adapter together with --template or --verbalizer, expected one of them: an"
              + " adapter brings its own task");
    }
    Optional<TextTask> writing =
        adapter.given() ? adapter.writing() : text.task(test, task, columns);
    if (writing.isPresent()) {
      TextScores scores = written(writing.get());
      common.words().println(scores.line(adapter.given() ? "tuned" : "untuned"));
      common.words().flush();
      common.result(scores.toMap());
      return 0;
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

  private TextScores written(TextTask writing) {
    TextData data = TextData.read(test, writing);
    int count = text.answers();
    String name = adapter.given() ? adapter.baseName() : named();
    ModelDirectory files = common.find(name);
    ChatTemplates templates = text.templates(files);
    try (LanguageModel model = common.open(name, files)) {
      if (!adapter.given()) {
        return new TextScores(
            TunedText.untuned(model, writing, templates, data),
            count == 0 ? null : TunedText.untunedAnswers(model, writing, templates, data, count));
      }
      try (TunedText tuned = TunedText.load(adapter.directory(), model, templates)) {
        return new TextScores(tuned.score(data), count == 0 ? null : tuned.answers(data, count));
      }
    }
  }

  private String named() {
    @Nullable String name = adapter.model();
    if (name == null) {
      throw new CommandLine.ParameterException(
          spec.commandLine(), "found neither --adapter nor --model, expected one of them");
    }
    return name;
  }

  private ClassificationReport untuned(Table table) {
    try (LanguageModel model = common.open(named())) {
      return new ClozeClassifier(model, task.cloze())
          .evaluate(table.name(), table.examples(columns.text(), columns.label()), Patches.NONE);
    }
  }
}
