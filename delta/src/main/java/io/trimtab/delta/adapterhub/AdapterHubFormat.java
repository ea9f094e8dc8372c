package io.trimtab.delta.adapterhub;

import com.google.auto.service.AutoService;
import io.trimtab.delta.Delta;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaFormat;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.DeltaTensors;
import io.trimtab.delta.Fields;
import io.trimtab.delta.FileSizes;
import io.trimtab.hub.ModelConfig;
import io.trimtab.hub.Safetensors;
import io.trimtab.hub.TensorFile;
import io.trimtab.hub.TorchCheckpoint;
import io.trimtab.model.Model;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The layout of AdapterHub's {@code adapters}: {@code adapter_config.json} and {@code
 * adapter.safetensors}, or {@code pytorch_adapter.bin}, which is read without running anything in
 * it. Written is what version 1.3.0 reads.
 */
@AutoService(DeltaFormat.class)
public final class AdapterHubFormat implements DeltaFormat {
  /** The settings. */
  public static final String CONFIG = "adapter_config.json";

  /** The tensors. */
  public static final String TENSORS = "adapter.safetensors";

  /** The tensors as they were usually stored before. */
  public static final String PICKLED = "pytorch_adapter.bin";

  private static final String HEAD = "head_config.json";
  static final String VERSION = "adapters.1.3.0";

  @Override
  public String name() {
    return "adapterhub";
  }

  @Override
  public String files() {
    return "a directory with " + CONFIG + " that has a config";
  }

  @Override
  public boolean recognises(Path path) {
    Path file = path.resolve(CONFIG);
    if (!Files.isRegularFile(file)) {
      return false;
    }
    ModelConfig config = ModelConfig.read(file);
    return config.has("config") && !config.has("peft_type");
  }

  @Override
  public String base(Path path) {
    return ModelConfig.read(path.resolve(CONFIG)).text("model_name");
  }

  @Override
  public Delta load(Path directory, Model model) {
    ModelConfig config = ModelConfig.read(directory.resolve(CONFIG));
    check(config, directory, model);
    Path path = tensors(directory);
    try (Scope _ = Scope.open();
        TensorFile file =
            path.endsWith(PICKLED) ? TorchCheckpoint.open(path) : Safetensors.open(path)) {
      Fields fields = Translations.fields(config.section("config"));
      checkSizes(config.section("config"), model, FileSizes.of(file));
      Translation translation = Translations.reading(fields);
      DeltaSpec spec = asWritten(config, translation.read(fields, model, file));
      fields.close();
      Delta delta = spec.attach(model, Rng.seeded(0)); // every number is overwritten below
      try {
        Keys keys = Keys.of(model, config.text("name"));
        List<DeltaTensors.Entry> entries = Translations.entries(translation, delta, keys);
        DeltaTensors.fill(delta, keys.in(file.names(), entries), file, path, key -> false);
      } catch (RuntimeException e) {
        delta.close();
        throw e;
      }
      return delta;
    }
  }

  /**
   * Versions before 1.1.0 left LoRA's scale out; the library has read what they wrote with a scale
   * of one ever since.
   */
  private static DeltaSpec asWritten(ModelConfig config, DeltaSpec spec) {
    return spec instanceof io.trimtab.delta.lora.Lora lora && Versions.isBefore(config, 1, 1)
        ? lora.alpha(config.section("config").integer("r"))
        : spec;
  }

  private static void checkSizes(ModelConfig config, Model model, FileSizes file) {
    file.check(config, List.of("r", "prefix_length", "prompt_length", "phm_rank"));
    if (!config.flag("flat", false)) { // else it is named, and nothing has that size
      file.check(config, List.of("bottleneck_size"));
    }
    file.checkReduced(config, hidden(model));
    if (config.has("configs")) {
      config.sections("configs").forEach(each -> checkSizes(each, model, file));
    }
  }

  private static void check(ModelConfig config, Path directory, Model model) {
    if (Files.exists(directory.resolve(HEAD))) {
      throw new DeltaException.Unsupported(
          "found "
              + HEAD
              + " in "
              + directory
              + ", expected an adapter without a head, which is not read; take the head's files out"
              + " to use the adapter without it");
    }
    int hidden = config.integer("hidden_size", hidden(model));
    if (hidden != hidden(model)) {
      throw new DeltaException.BaseMismatch(
          "found hidden_size "
              + hidden
              + " in "
              + config.path()
              + ", expected "
              + hidden(model)
              + " as "
              + model.name()
              + " has; open the model it was tuned on");
    }
  }

  private static int hidden(Model model) {
    return model.blocks().getFirst().hiddenSize();
  }

  private static Path tensors(Path directory) {
    for (String name : List.of(TENSORS, PICKLED)) {
      Path path = directory.resolve(name);
      if (Files.isRegularFile(path)) {
        return path;
      }
    }
    throw new DeltaException(
        "found no "
            + TENSORS
            + " in "
            + directory
            + ", expected a directory with "
            + CONFIG
            + " and "
            + TENSORS
            + " or "
            + PICKLED);
  }

  /** Writes a delta under the directory's name. */
  @Override
  public void save(Delta delta, Path directory) {
    String name = directory.toAbsolutePath().normalize().getFileName().toString();
    save(delta, directory, name.replace('.', '-')); // names of modules have no dots
  }

  /**
   * Writes a delta.
   *
   * @param adapter the name by which AdapterHub's users activate it
   */
  public void save(Delta delta, Path directory, String adapter) {
    if (adapter.isBlank() || adapter.contains(".")) {
      throw new DeltaException(
          "found \"" + adapter + "\" as an adapter's name, expected one without dots");
    }
    Translation translation = Translations.writing(delta.spec());
    Delta stored = translation.toStore(delta);
    try {
      write(stored, translation, directory, adapter);
    } catch (IOException e) {
      throw new DeltaException("cannot write the delta to " + directory + ": " + e, e);
    } finally {
      if (stored != delta) {
        stored.close();
      }
    }
  }

  private static void write(Delta delta, Translation translation, Path directory, String adapter)
      throws IOException {
    Model model = delta.base();
    Map<String, Object> config = new TreeMap<>();
    config.put("config", new TreeMap<>(translation.config(delta)));
    config.put("hidden_size", hidden(model));
    config.put(
        "model_class", model.config().architectures().stream().findFirst().orElse("unknown"));
    config.put("model_name", model.name());
    config.put("model_type", model.config().modelType());
    config.put("name", adapter);
    config.put("version", VERSION);
    List<DeltaTensors.Entry> entries =
        Translations.entries(translation, delta, Keys.of(model, adapter));
    Files.createDirectories(directory);
    DeltaTensors.write(delta, entries, directory.resolve(TENSORS));
    DeltaTensors.writeConfig(config, directory.resolve(CONFIG));
  }
}
