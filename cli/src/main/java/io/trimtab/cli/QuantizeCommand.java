package io.trimtab.cli;

import io.trimtab.hub.ModelDirectory;
import io.trimtab.hub.Quantizer;
import io.trimtab.model.quantized.QuantizedDirectory;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code trimtab quantize}: a model with packed weights. */
@Command(
    name = "quantize",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    description = {
      "Pack the linear layers of a model's blocks and write it as a directory.",
      "--weights says how: nf4 or int8, as bitsandbytes has them, or int4, as compressed-tensors."
    })
final class QuantizeCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @Mixin private CommonOptions common;
  @Mixin private WeightOptions weights;

  @Option(names = "--model", required = true, paramLabel = "MODEL", description = "The model.")
  private String model;

  @Option(names = "--out", required = true, paramLabel = "DIR", description = "A new directory.")
  private Path out;

  @Option(
      names = "--double-quant",
      description = "Quantize the scales of nf4 in their turn: 4.13 bits a number instead of 4.5.")
  private boolean nested;

  @Override
  public Integer call() {
    Quantizer quantizer = quantizer();
    if (nested && quantizer != Quantizer.NF4) {
      throw misused("found --double-quant with --weights " + quantizer.word() + ", expected nf4");
    }
    DeltaOutput.checkFree(out);
    common.startEngine();
    ModelDirectory files = common.find(model);
    QuantizedDirectory.Written written =
        QuantizedDirectory.write(model, files, quantizer, nested, out);
    common
        .words()
        .printf(
            Locale.ROOT,
            "packed %d layers; %.1f MB of weights are %.1f MB in %s%n",
            written.layers(),
            written.before() / 1e6,
            written.after() / 1e6,
            out);
    common.words().flush();
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("model", model);
    result.put("out", out.toString());
    result.put("weights", quantizer.word());
    result.put("layers", written.layers());
    result.put("bytes_before", written.before());
    result.put("bytes", written.after());
    common.result(result);
    return 0;
  }

  private Quantizer quantizer() {
    String form = weights.form(common).word();
    return Arrays.stream(Quantizer.values())
        .filter(each -> each.word().equals(form))
        .findFirst()
        .orElseThrow(
            () ->
                misused(
                    "found --weights "
                        + form
                        + ", expected one of "
                        + Arrays.stream(Quantizer.values())
                            .map(Quantizer::word)
                            .collect(Collectors.joining(", "))));
  }

  private CommandLine.ParameterException misused(String message) {
    return new CommandLine.ParameterException(spec.commandLine(), message);
  }
}
