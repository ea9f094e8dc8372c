package io.trimtab.delta.boft;

import com.google.auto.service.AutoService;
import io.trimtab.delta.DeltaFiles;
import io.trimtab.delta.DeltaMethod;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.Options;
import io.trimtab.delta.PeftFields;
import io.trimtab.delta.Presets;
import io.trimtab.delta.Targets;
import io.trimtab.hub.ModelConfig;
import io.trimtab.hub.Safetensors;
import io.trimtab.hub.TensorFile;
import io.trimtab.model.Model;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** Registers BOFT, and reads its settings as users type them and as PEFT stores them. */
@AutoService(DeltaMethod.class)
public final class BoftMethod implements DeltaMethod {
  private static final int USUAL_SIZE = 4;

  @Override
  public String name() {
    return "boft";
  }

  @Override
  public String peftType() {
    return "BOFT";
  }

  @Override
  public String paper() {
    return "Liu et al., Parameter-Efficient Orthogonal Finetuning via Butterfly Factorization,"
        + " 2023";
  }

  @Override
  public double defaultRate() {
    return 1e-3;
  }

  @Override
  public Presets presets() {
    // Blocks of 4 are PEFT's own without being said, and give way to a typed number of blocks.
    return Presets.NONE.with("peft", "factors=1 dropout=0");
  }

  @Override
  public DeltaSpec fromOptions(Map<String, String> typed, Model model) {
    Options options = new Options(this, typed);
    int blocks = options.integer("blocks", 0);
    Boft boft =
        new Boft(
            options.integer("block_size", blocks == 0 ? USUAL_SIZE : 0),
            blocks,
            options.integer("factors", 1),
            options.decimal("dropout", 0),
            Targets.fromOptions(options, Targets.queriesAndValues(model)));
    options.checkAllUsed();
    return boft;
  }

  @Override
  public DeltaSpec fromConfig(ModelConfig config, Model model) {
    PeftFields.refuse(config, "BOFT", "fan_in_fan_out");
    return new Boft(
        config.integer("boft_block_size", USUAL_SIZE),
        config.integer("boft_block_num", 0),
        factorsStored(config),
        config.decimal("boft_dropout", 0),
        Targets.fromConfig(config));
  }

  /**
   * How many factors the tensors hold. Where PEFT has no CUDA it trains a single one, whatever its
   * settings say, and saves the settings as they were; the tensors tell.
   */
  private static int factorsStored(ModelConfig config) {
    int said = config.integer("boft_n_butterfly_factor", 1);
    Path tensors = config.path().resolveSibling(DeltaFiles.TENSORS);
    if (said == 1 || !Files.isRegularFile(tensors)) {
      return said;
    }
    try (TensorFile file = Safetensors.open(tensors)) {
      boolean single =
          file.names().stream()
              .filter(name -> name.endsWith(".boft_R"))
              .allMatch(name -> file.info(name).shape()[0] == 1);
      return single ? 1 : said;
    }
  }
}
