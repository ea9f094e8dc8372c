package io.trimtab.delta;

import com.google.auto.service.AutoService;
import io.trimtab.hub.ModelConfig;
import io.trimtab.model.Model;
import java.nio.file.Files;
import java.nio.file.Path;

/** The layout of Hugging Face PEFT, {@link DeltaFiles}, as one of several. */
@AutoService(DeltaFormat.class)
public final class PeftFormat implements DeltaFormat {
  @Override
  public String name() {
    return "peft";
  }

  @Override
  public String files() {
    return "a directory with " + DeltaFiles.CONFIG + " that has a peft_type";
  }

  @Override
  public boolean recognises(Path path) {
    Path config = path.resolve(DeltaFiles.CONFIG);
    return Files.isRegularFile(config) && ModelConfig.read(config).has("peft_type");
  }

  @Override
  public String base(Path path) {
    return ModelConfig.read(path.resolve(DeltaFiles.CONFIG)).text("base_model_name_or_path");
  }

  @Override
  public Delta load(Path path, Model model) {
    return DeltaFiles.load(path, model);
  }

  @Override
  public void save(Delta delta, Path path) {
    DeltaFiles.save(delta, path);
  }
}
