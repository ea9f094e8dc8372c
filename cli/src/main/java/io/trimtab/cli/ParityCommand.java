package io.trimtab.cli;

import io.trimtab.train.parity.Case;
import io.trimtab.train.parity.Parity;
import io.trimtab.train.parity.ParityReport;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code trimtab parity}: compares with what other libraries recorded. */
@Command(
    name = "parity",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    description = {
      "Compare with outputs that other libraries recorded.",
      "For every case under DIR (hf/, peft/, adapterhub/, opendelta/, train/): its largest error,"
          + " and ok, refused or wrong."
    })
final class ParityCommand implements Callable<Integer> {
  @Mixin private CommonOptions common;

  @Parameters(paramLabel = "DIR", description = "A directory in the layout of the fixtures.")
  private Path directory;

  @Override
  public Integer call() {
    common.startEngine();
    PrintWriter words = common.words();
    ParityReport report =
        Parity.run(
            directory,
            each -> {
              words.println(each);
              words.flush();
            });
    int ok = report.count(Case.Status.OK);
    int refused = report.count(Case.Status.REFUSED);
    int wrong = report.count(Case.Status.WRONG);
    words.printf("%d ok, %d refused, %d wrong%n", ok, refused, wrong);
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("ok", ok);
    result.put("refused", refused);
    result.put("wrong", wrong);
    result.put("cases", report.cases().stream().map(ParityCommand::json).toList());
    common.result(result);
    return wrong == 0 ? 0 : 1;
  }

  private static Map<String, Object> json(Case each) {
    Map<String, Object> out = new LinkedHashMap<>();
    out.put("case", each.name());
    out.put("status", each.status().name().toLowerCase(Locale.ROOT));
    if (!Double.isNaN(each.error())) {
      out.put("error", each.error());
    }
    if (!each.why().isEmpty()) {
      out.put("why", each.why());
    }
    return out;
  }
}
