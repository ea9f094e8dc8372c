package io.trimtab.cli;

import io.trimtab.cli.TuneOptions.Usual;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.hub.ModelDirectory;
import io.trimtab.model.LanguageModel;
import io.trimtab.prompt.TextData;
import io.trimtab.prompt.TextTask;
import io.trimtab.prompt.TextTuner;
import io.trimtab.prompt.Tuned;
import io.trimtab.prompt.TunedText;
import io.trimtab.prompt.Tuner;
import io.trimtab.train.ProgressBar;
import io.trimtab.train.Table;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code trimtab tune}: a file of examples in, tuned delta and honest score out. */
@Command(
    name = "tune",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    sortOptions = false,
    description = {
      "Tune a small delta on a frozen model: to label texts, or to write them.",
      "Tables are .csv (with a header row), .tsv or .jsonl; conversations are .jsonl with messages."
    })
final class TuneCommand implements Callable<Integer> {
  @Option(names = "--model", required = true, paramLabel = "MODEL", description = "The model.")
  private String model;

  @Option(names = "--train", required = true, paramLabel = "FILE", description = "Training data.")
  private Path train;

  @Option(
      names = "--test",
      paramLabel = "FILE",
      description = "Test data, scored before and after tuning.")
  private @Nullable Path test;

  @Option(
      names = "--dev",
      paramLabel = "FILE",
      description = "Development data: the best parameters on it are kept.")
  private @Nullable Path dev;

  @Option(
      names = "--out",
      required = true,
      paramLabel = "DIR",
      description = "The run's directory: run.json, metrics.jsonl, delta/, report.html.")
  private Path out;

  @Mixin private ColumnOptions columns;
  @Mixin private TaskOptions task;
  @Mixin private TextOptions text;
  @Mixin private DeltaOptions delta;
  @Mixin private TuneOptions tuning;
  @Mixin private CommonOptions common;

  @Override
  public Integer call() {
    Optional<TextTask> writing = text.task(train, task, columns);
    if (writing.isPresent()) {
      tuneToWrite(writing.get());
    } else {
      tuneToClassify();
    }
    return 0;
  }

  private void tuneToClassify() {
    // Tables first: an error in them should not wait for a download.
    Table trainTable = checked(train);
    Table testTable = test == null ? null : checked(test);
    Table devTable = dev == null ? null : checked(dev);
    var cloze = task.cloze();
    try (LanguageModel opened = common.open(model)) {
      DeltaSpec spec = delta.spec(opened.model());
      tuning.advice(spec).ifPresent(this::warn);
      Tuner tuner =
          Tuner.of(opened, cloze)
              .delta(spec)
              .settings(tuning.settings(spec, common.seed(), devTable != null, Usual.TO_CLASSIFY))
              .train(trainTable, columns.text(), columns.label())
              .fewShot(tuning.shots())
              .into(out)
              .resume(tuning.resume())
              .progress(new ProgressBar(common.remarks(), common.terminal()));
      if (testTable != null) {
        tuner.test(testTable, columns.text(), columns.label());
      }
      if (devTable != null) {
        tuner.dev(devTable, columns.text(), columns.label());
      }
      try (Tuned tuned = tuner.run()) {
        TuneResult.show(tuned, common, out);
      }
    }
  }

  private void tuneToWrite(TextTask writing) {
    tuning.refuseShots();
    TextData trainData = TextData.read(train, writing);
    TextData testData = test == null ? null : TextData.read(test, writing);
    TextData devData = dev == null ? null : TextData.read(dev, writing);
    int answers = text.answers();
    ModelDirectory files = common.find(model);
    try (LanguageModel opened = common.open(model, files)) {
      DeltaSpec spec = delta.spec(opened.model());
      tuning.advice(spec).ifPresent(this::warn);
      TextTuner tuner =
          Tuner.of(opened, writing)
              .delta(spec)
              .settings(tuning.settings(spec, common.seed(), devData != null, Usual.TO_WRITE))
              .templates(text.templates(files))
              .train(trainData)
              .answers(answers)
              .into(out)
              .resume(tuning.resume())
              .progress(new ProgressBar(common.remarks(), common.terminal()));
      if (testData != null) {
        tuner.test(testData);
      }
      if (devData != null) {
        tuner.dev(devData);
      }
      try (TunedText tuned = tuner.run()) {
        TuneResult.show(tuned, common, out);
      }
    }
  }

  private void warn(String words) {
    common.remarks().println("trimtab: warning: " + words);
    common.remarks().flush();
  }

  private Table checked(Path file) {
    Table table = Table.read(file);
    table.examples(columns.text(), columns.label());
    return table;
  }
}
