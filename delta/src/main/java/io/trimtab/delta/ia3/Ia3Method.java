package io.trimtab.delta.ia3;

import com.google.auto.service.AutoService;
import io.trimtab.delta.Address;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaMethod;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.Options;
import io.trimtab.delta.PeftTargets;
import io.trimtab.hub.ModelConfig;
import io.trimtab.model.Layer;
import io.trimtab.model.Model;
import java.util.List;
import java.util.Map;

/** Registers IA3, and reads its settings as users type them and as PEFT stores them. */
@AutoService(DeltaMethod.class)
public final class Ia3Method implements DeltaMethod {
  /** Keys, values and the second layer of a feed-forward block by one architecture's names. */
  private record Usual(List<String> keysAndValues, String feedForward, List<String> excluded) {
    Address address() {
      String names = String.join(",", keysAndValues) + "," + feedForward;
      return Address.parse(names).excluding(excluded);
    }
  }

  private static final List<Usual> USUAL =
      List.of(
          new Usual(List.of("key", "value"), "output.dense", List.of("attention.output.dense")),
          new Usual(List.of("key", "value"), "ffn_output", List.of()),
          new Usual(List.of("k_lin", "v_lin"), "ffn.lin2", List.of()),
          new Usual(
              List.of("key_proj", "value_proj"),
              "output.dense",
              List.of("attention.output.dense")));

  @Override
  public String name() {
    return "ia3";
  }

  @Override
  public String peftType() {
    return "IA3";
  }

  @Override
  public String paper() {
    return "Liu et al., Few-Shot Parameter-Efficient Fine-Tuning is Better and Cheaper than"
        + " In-Context Learning, 2022";
  }

  @Override
  public double defaultRate() {
    return 3e-3;
  }

  @Override
  public DeltaSpec fromOptions(Map<String, String> typed, Model model) {
    Options options = new Options(name(), typed);
    String targets = options.text("targets", "");
    String feedForward = options.text("feedforward", "");
    options.checkAllUsed();
    if (targets.isEmpty()) {
      if (!feedForward.isEmpty()) {
        throw new DeltaException(
            "found feedforward="
                + feedForward
                + " for ia3 without targets, expected both; name the"
                + " layers, feed-forward ones too, in targets");
      }
      return usual(model);
    }
    List<String> ends =
        feedForward.isEmpty() ? List.of() : List.of(feedForward.strip().split("\\s*,\\s*"));
    return new Ia3(Address.parse(targets), ends, List.of(), false);
  }

  /** As the paper has it where the architecture's names are known, else every linear layer. */
  private static Ia3 usual(Model model) {
    return USUAL.stream()
        .filter(usual -> usual.address().dryRun(model).misses().isEmpty())
        .findFirst()
        .map(usual -> new Ia3(usual.address(), List.of(usual.feedForward()), List.of(), false))
        .orElse(Ia3.on(Address.ALL_LINEAR));
  }

  @Override
  public DeltaSpec fromConfig(ModelConfig config, Model model) {
    if (config.flag("fan_in_fan_out", false)) {
      throw new DeltaException.Unsupported(
          "found fan_in_fan_out in "
              + config.path()
              + ", expected layers with rows of outputs; transposed ones are not read yet");
    }
    return new Ia3(
        PeftTargets.read(config),
        feedForward(config, model),
        config.texts("modules_to_save"),
        true);
  }

  private static List<String> feedForward(ModelConfig config, Model model) {
    if (!config.isText("feedforward_modules")) {
      return config.texts("feedforward_modules");
    }
    return Address.regex(config.text("feedforward_modules")).dryRun(model).hits().stream()
        .map(Layer::path)
        .toList();
  }
}
