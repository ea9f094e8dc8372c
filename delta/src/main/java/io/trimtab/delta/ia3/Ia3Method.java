package io.trimtab.delta.ia3;

import com.google.auto.service.AutoService;
import io.trimtab.delta.Address;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaMethod;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.Options;
import io.trimtab.delta.PeftFields;
import io.trimtab.delta.Presets;
import io.trimtab.delta.Targets;
import io.trimtab.hub.ModelConfig;
import io.trimtab.model.Layer;
import io.trimtab.model.Model;
import io.trimtab.model.Place;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;

/** Registers IA3, and reads its settings as users type them and as PEFT stores them. */
@AutoService(DeltaMethod.class)
public final class Ia3Method implements DeltaMethod {
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
  public Presets presets() {
    return Presets.NONE
        .with("adapterhub", "targets=@attn.k,@attn.v,@ff.w1")
        .with("paper", "")
        .with("peft", "");
  }

  @Override
  public DeltaSpec fromOptions(Map<String, String> typed, Model model) {
    Options options = new Options(this, typed);
    List<String> feedForward = options.texts("feedforward");
    boolean named = !options.text("targets", "").isEmpty();
    Targets targets = Targets.fromOptions(options, Address.ALL_LINEAR);
    options.checkAllUsed();
    if (named) {
      return new Ia3(targets, feedForward);
    }
    if (!feedForward.isEmpty()) {
      throw new DeltaException(
          "found feedforward="
              + String.join(",", feedForward)
              + " for ia3 without targets, expected both; name the layers, feed-forward ones too,"
              + " in targets");
    }
    return usual(model, targets);
  }

  /** As the paper has it: keys, values, and the last layer of each feed-forward network. */
  private static Ia3 usual(Model model, Targets targets) {
    List<String> paths = paths(model, "attn.k", "attn.v", "crossattn.k", "crossattn.v", "ff.w2");
    Targets usual = new Targets(Address.suffixes(paths), targets.modulesToSave(), false);
    return new Ia3(usual, paths(model, "ff.w2"));
  }

  private static List<String> paths(Model model, String... parts) {
    return model.stacks().stream()
        .flatMap(stack -> stack.blocks().stream())
        .flatMap(block -> Stream.of(parts).map(part -> block.places().get(part)))
        .filter(Objects::nonNull) // experts have no one layer that ends the network
        .map(Place::path)
        .distinct()
        .toList();
  }

  @Override
  public DeltaSpec fromConfig(ModelConfig config, Model model) {
    PeftFields.checkFanInFanOut(config, model);
    return new Ia3(Targets.fromConfig(config), feedForward(config, model));
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
