package io.trimtab.cli;

import io.trimtab.hub.ModelDirectory;
import io.trimtab.model.LanguageModel;
import io.trimtab.model.OpenOptions;
import io.trimtab.model.weights.WeightForm;
import io.trimtab.tensor.DType;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;
import picocli.CommandLine.Option;

/** How the matrices of a model that a command computes with are held. */
final class WeightOptions {
  @Option(
      names = "--weights",
      paramLabel = "FORM",
      description =
          "How matrices are held: auto, f32, bf16, int8, nf4, int4, or stored, which is as the file"
              + " has them (default: ${DEFAULT-VALUE}).",
      defaultValue = "auto")
  private String weights;

  /** The form asked for. */
  WeightForm form(CommonOptions common) {
    return WeightForm.named(weights.toLowerCase(Locale.ROOT))
        .orElseThrow(
            () ->
                common.misused(
                    "found --weights "
                        + weights
                        + ", expected one of "
                        + Arrays.stream(WeightForm.values())
                            .map(WeightForm::word)
                            .collect(Collectors.joining(", "))));
  }

  /** How a model is to be opened. */
  OpenOptions options(CommonOptions common) {
    WeightForm form = form(common);
    if (form == WeightForm.F32 && common.dtype() == DType.BF16) {
      throw common.misused("found --weights f32 with --dtype bf16, expected one of them");
    }
    return common.options().weights(form);
  }

  /** Opens a model for computing. */
  LanguageModel open(String model, CommonOptions common) {
    return open(model, common.find(model), common);
  }

  /** Opens a model whose files have been found. */
  LanguageModel open(String model, ModelDirectory files, CommonOptions common) {
    return common.open(model, files, options(common));
  }
}
