package io.trimtab.delta.opendelta;

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
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;

/**
 * The layout of OpenDelta (Hu et al., "OpenDelta: A Plug-and-play Library for Parameter-efficient
 * Adaptation of Pre-trained Models", 2023), read only: {@code config.json} with a {@code
 * delta_type}, and the trained tensors under the backbone's names in {@code pytorch_model.bin}, a
 * pickle that is {@linkplain TorchCheckpoint read without running it}; {@code delta.safetensors}
 * with the same tensors will do instead. Layers of the backbone that were unfrozen beside the delta
 * are among them, and become modules trained as a whole.
 *
 * <p>The {@code backbone_hash} is over what Python prints of a model and says nothing here; shapes
 * and names tell whether a checkpoint is for a model.
 */
@AutoService(DeltaFormat.class)
public final class OpenDeltaFormat implements DeltaFormat {
  /** The settings. */
  public static final String CONFIG = "config.json";

  /** The tensors, pickled. */
  public static final String PICKLED = "pytorch_model.bin";

  /** The tensors, where somebody took them out of the pickle. */
  public static final String TENSORS = "delta.safetensors";

  private static final String TYPE = "delta_type";

  @Override
  public String name() {
    return "opendelta";
  }

  @Override
  public String files() {
    return "a directory with " + CONFIG + " that has a " + TYPE;
  }

  @Override
  public boolean recognises(Path path) {
    Path config = path.resolve(CONFIG);
    return Files.isRegularFile(config) && ModelConfig.read(config).has(TYPE);
  }

  @Override
  public boolean isWritten() {
    return false;
  }

  @Override
  public String base(Path path) {
    return ModelConfig.read(path.resolve(CONFIG)).text("backbone_checkpoint_name");
  }

  @Override
  public Delta load(Path directory, Model model) {
    ModelConfig config = ModelConfig.read(directory.resolve(CONFIG));
    Checkpoint kind = Checkpoint.of(config);
    Path path = tensors(directory);
    try (Scope _ = Scope.open();
        TensorFile file =
            path.endsWith(PICKLED) ? TorchCheckpoint.open(path) : Safetensors.open(path)) {
      if (file.names().isEmpty()) {
        throw new DeltaException.NoMatch(
            "found no tensor in "
                + path
                + ", expected those of "
                + config.text(TYPE)
                + "; OpenDelta says nothing where modified_modules hit no module, so train it"
                + " again with names that hit some");
      }
      checkSizes(config, model, FileSizes.of(file));
      Names names = Names.of(model, file);
      Fields fields = fields(config);
      DeltaSpec spec = kind.read(fields, model, names.unfrozen());
      fields.close();
      Delta delta = spec.attach(model, Rng.seeded(0)); // every number is overwritten below
      try {
        DeltaTensors.fill(delta, entries(kind, delta, names), file, path, key -> false);
      } catch (RuntimeException e) {
        delta.close();
        throw e;
      }
      return delta;
    }
  }

  private static void checkSizes(ModelConfig config, Model model, FileSizes file) {
    file.check(
        config,
        List.of(
            "lora_r",
            "bottleneck_dim",
            "low_rank_rank",
            "phm_rank",
            "prefix_token_num",
            "soft_token_num"));
    if (config.flag("reparameterize", true)) { // else they are named, and nothing has that size
      file.check(config, List.of("mid_dim", "embed_dim"));
    }
    if (!config.has("bottleneck_dim")) {
      file.checkReduced(config, model.blocks().getFirst().hiddenSize());
    }
  }

  /** The fields, without those that say where a checkpoint comes from or where its delta goes. */
  private static Fields fields(ModelConfig config) {
    Fields fields = new Fields(config, config.text(TYPE));
    fields.ignore(
        TYPE,
        "modified_modules",
        "exclude_modules",
        "unfrozen_modules",
        "common_structure",
        "backbone_checkpoint_name",
        "backbone_class",
        "backbone_hash",
        "opendelta_version",
        "transformers_version");
    return fields;
  }

  /** The delta's own tensors as its kind has them, and those of the backbone that are trained. */
  private static List<DeltaTensors.Entry> entries(Checkpoint kind, Delta delta, Names names) {
    SequencedMap<String, Parameter> left = new LinkedHashMap<>();
    DeltaTensors.of(delta).forEach(each -> left.put(each.name(), each));
    List<DeltaTensors.Entry> entries = new ArrayList<>(kind.entries(delta, names, left));
    left.forEach((name, tensor) -> entries.add(DeltaTensors.Entry.of(names.inFile(name), tensor)));
    return entries;
  }

  private static Path tensors(Path directory) {
    for (String name : List.of(PICKLED, TENSORS)) {
      Path path = directory.resolve(name);
      if (Files.isRegularFile(path)) {
        return path;
      }
    }
    throw new DeltaException(
        "found no "
            + PICKLED
            + " in "
            + directory
            + ", expected a directory with "
            + CONFIG
            + " and "
            + PICKLED);
  }

  @Override
  public void save(Delta delta, Path path) {
    throw new DeltaException.Unsupported(
        "found a delta to be written for OpenDelta, whose files are pickles, expected peft or"
            + " adapterhub: pickles run code where others open them and are never written");
  }
}
