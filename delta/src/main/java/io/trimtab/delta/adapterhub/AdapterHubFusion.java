package io.trimtab.delta.adapterhub;

import io.trimtab.delta.Delta;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaTensors;
import io.trimtab.delta.bottleneck.Bottleneck;
import io.trimtab.delta.bottleneck.Placement;
import io.trimtab.delta.compose.Composition;
import io.trimtab.hub.ModelConfig;
import io.trimtab.hub.Safetensors;
import io.trimtab.hub.TensorFile;
import io.trimtab.model.Model;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Rng;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/**
 * AdapterHub's layout of a fusion: {@code adapter_fusion_config.json} with the adapters' names, and
 * {@code model_adapter_fusion.safetensors} with what attends to them. The adapters themselves are
 * in directories of their own.
 */
public final class AdapterHubFusion {
  /** The settings. */
  public static final String CONFIG = "adapter_fusion_config.json";

  /** The tensors. */
  public static final String TENSORS = "model_adapter_fusion.safetensors";

  /** What the library's own default says, which is all that is computed. */
  private static final Map<String, Boolean> SETTINGS =
      Map.of(
          "key", true,
          "query", true,
          "value", true,
          "query_before_ln", false,
          "residual_before", false,
          "temperature", false,
          "value_before_softmax", true);

  private static final String OURS = ".fusion.";

  private AdapterHubFusion() {}

  /**
   * Reads a fusion of adapters that are loaded already.
   *
   * @param adapters by the names that the fusion knows them by; the fusion closes them
   * @throws DeltaException.Unsupported for settings that are not computed
   */
  public static Delta load(Path directory, SequencedMap<String, Delta> adapters, Model model) {
    ModelConfig config = ModelConfig.read(directory.resolve(CONFIG));
    check(config, adapters);
    SequencedMap<String, Delta> inOrder = new LinkedHashMap<>();
    for (String name : config.texts("adapter_names")) {
      Delta adapter = adapters.get(name);
      if (adapter == null) {
        throw new DeltaException(
            "found adapters "
                + adapters.keySet()
                + " for the fusion in "
                + directory
                + ", expected one called "
                + name
                + " too");
      }
      inOrder.put(name, adapter);
    }
    Delta fusion = Composition.compose(Composition.How.FUSION, inOrder, List.of(), Rng.seeded(0));
    Path path = directory.resolve(TENSORS);
    try (TensorFile file = Safetensors.open(path)) {
      DeltaTensors.fill(fusion, entries(fusion), file, path, key -> false);
    }
    return fusion;
  }

  private static void check(ModelConfig config, SequencedMap<String, Delta> adapters) {
    ModelConfig settings = config.section("config");
    SETTINGS.forEach(
        (field, value) -> {
          if (settings.flag(field, value) != value) {
            throw new DeltaException.Unsupported(
                "found "
                    + field
                    + " "
                    + !value
                    + " in "
                    + config.path()
                    + ", expected "
                    + value
                    + "; a fusion of another kind is not computed");
          }
        });
    adapters.forEach(
        (name, adapter) -> {
          if (!looksAtTheNorm(adapter)) {
            throw new DeltaException.Unsupported(
                "found "
                    + name
                    + " in the fusion of "
                    + config.path()
                    + ", expected adapters that are given the sublayer's normed result, such as"
                    + " Pfeiffer's; a fusion of others is not computed");
          }
        });
  }

  private static boolean looksAtTheNorm(Delta adapter) {
    return adapter.spec() instanceof Bottleneck bottleneck
        && bottleneck.placement()
            instanceof Placement.Sublayers(_, _, Placement.Flow.Sequential flow, _)
        && flow.normBefore();
  }

  /** Writes what attends to the adapters; these are written by {@link AdapterHubFormat}. */
  public static void save(Delta fusion, Path directory) {
    if (!(fusion.spec() instanceof Composition composition)
        || composition.how() != Composition.How.FUSION) {
      throw new DeltaException.Unsupported(
          "found " + fusion.spec().method().name() + ", expected a fusion of adapters");
    }
    Map<String, Object> settings = new LinkedHashMap<>(SETTINGS);
    settings.put("dropout_prob", null);
    settings.put("regularization", true);
    settings.put("value_initialized", true);
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("adapter_names", names(composition));
    config.put("config", settings);
    config.put("model_type", fusion.base().config().modelType());
    config.put("name", String.join(",", names(composition)));
    config.put("version", AdapterHubFormat.VERSION);
    try {
      Files.createDirectories(directory);
      DeltaTensors.write(fusion, entries(fusion), directory.resolve(TENSORS));
      DeltaTensors.writeConfig(config, directory.resolve(CONFIG));
    } catch (IOException e) {
      throw new DeltaException("cannot write the fusion to " + directory + ": " + e, e);
    }
  }

  private static List<String> names(Composition composition) {
    return composition.children().stream().map(Composition.Child::name).toList();
  }

  /** What the fusion itself trains; its children's parameters have a slash in their names. */
  private static List<DeltaTensors.Entry> entries(Delta fusion) {
    String adapters = String.join(",", names((Composition) fusion.spec()));
    List<DeltaTensors.Entry> entries = new ArrayList<>();
    for (Parameter parameter : fusion.parameters()) {
      if (!parameter.name().contains("/")) {
        String key = parameter.name().replace(OURS, ".adapter_fusion_layer." + adapters + ".");
        entries.add(DeltaTensors.Entry.of(key, parameter));
      }
    }
    return entries;
  }
}
