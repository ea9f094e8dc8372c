package io.trimtab.delta.compose;

import com.google.auto.service.AutoService;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaMethod;
import io.trimtab.delta.DeltaMethods;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.hub.ModelConfig;
import io.trimtab.model.Model;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Registers compositions, so that their files are read. */
@AutoService(DeltaMethod.class)
public final class CompositionMethod implements DeltaMethod {
  @Override
  public String name() {
    return "composition";
  }

  @Override
  public String peftType() {
    return "TRIMTAB_COMPOSITION"; // PEFT cannot save several methods together
  }

  @Override
  public boolean standsAlone() {
    return false;
  }

  @Override
  public String paper() {
    return "He et al., Towards a Unified View of Parameter-Efficient Transfer Learning, 2021";
  }

  @Override
  public double defaultRate() {
    return 1e-3;
  }

  @Override
  public DeltaSpec fromOptions(Map<String, String> options, Model model) {
    throw new DeltaException(
        "found \"composition\" as a delta method, expected the methods it is made of, such as"
            + " lora:rank=8 + prefix:length=10");
  }

  @Override
  public DeltaSpec fromConfig(ModelConfig config, Model model) {
    List<Composition.Child> children = new ArrayList<>();
    for (ModelConfig child : config.sections("children")) {
      children.add(
          new Composition.Child(
              child.text("name"),
              DeltaMethods.of(child.section("delta")).fromConfig(child.section("delta"), model),
              child.decimal("share", 1)));
    }
    return new Composition(how(config), children);
  }

  private static Composition.How how(ModelConfig config) {
    String text = config.text("composition").toUpperCase(Locale.ROOT);
    return Arrays.stream(Composition.How.values())
        .filter(how -> how.name().equals(text))
        .findFirst()
        .orElseThrow(
            () ->
                new DeltaException.Unsupported(
                    "found composition \""
                        + config.text("composition")
                        + "\" in "
                        + config.path()
                        + ", expected one of "
                        + Arrays.toString(Composition.How.values()).toLowerCase(Locale.ROOT)));
  }
}
