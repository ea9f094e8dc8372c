package io.trimtab.delta;

import io.trimtab.hub.ModelConfig;
import io.trimtab.model.Layer;
import io.trimtab.model.Linear;
import io.trimtab.model.Model;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * Where a method goes: its layers by address, and the modules that are trained whole beside it, as
 * options, PEFT's files and code name them alike.
 *
 * @param address the layers
 * @param modulesToSave ends of the paths of modules that are trained as a whole
 * @param lenient whether names that hit nothing are let pass, as in files of PEFT
 */
public record Targets(Address address, List<String> modulesToSave, boolean lenient) {
  /** Copies the list. */
  public Targets {
    modulesToSave = List.copyOf(modulesToSave);
  }

  /** Layers by address, nothing trained whole, every name has to hit. */
  public static Targets of(Address address) {
    return new Targets(address, List.of(), false);
  }

  /** What the options {@code targets} and {@code save} say; {@code usual} where they do not. */
  public static Targets fromOptions(Options options, String usual) {
    List<String> save = options.texts("save");
    return new Targets(Address.parse(options.text("targets", usual)), save, false);
  }

  /** What {@code adapter_config.json} says. */
  public static Targets fromConfig(ModelConfig config) {
    return new Targets(PeftTargets.read(config), config.texts("modules_to_save"), true);
  }

  /** The same with whole modules trained along. */
  public Targets saving(String... modules) {
    return new Targets(address, List.of(modules), lenient);
  }

  /** Adds the fields of {@code adapter_config.json} that say the same. */
  public void write(Model model, Map<String, Object> config) {
    PeftTargets.write(address, model, config);
    if (!modulesToSave.isEmpty()) {
      config.put("modules_to_save", modulesToSave);
    }
  }

  /** The modules trained whole. */
  public SavedModules saved(Model model) {
    return SavedModules.find(model, modulesToSave, lenient);
  }

  /** All layers hit that are not trained whole. */
  public List<Layer> layers(Model model) {
    List<Layer> hits = lenient ? address.resolveLeniently(model) : address.resolve(model);
    if (modulesToSave.isEmpty()) {
      return hits;
    }
    SavedModules saved = saved(model);
    return hits.stream()
        .filter(layer -> layer.tensors().keySet().stream().noneMatch(saved::contains))
        .toList();
  }

  /**
   * The same where a method goes on linear layers only.
   *
   * @param method its name, for the error
   * @throws DeltaException.Unsupported for any other layer hit
   */
  public List<Linear> linears(Model model, String method) {
    return layers(model).stream()
        .map(
            layer -> {
              if (layer instanceof Linear linear) {
                return linear;
              }
              throw new DeltaException.Unsupported(
                  "found "
                      + layer.path()
                      + " as a target of "
                      + method
                      + ", expected linear layers; leave it out");
            })
        .toList();
  }

  /**
   * A part on every linear layer hit, and those of the modules that are trained whole.
   *
   * @param method its name, for the error
   * @throws DeltaException.Unsupported for any other layer hit
   */
  public List<Part> parts(Model model, String method, Function<Linear, Part> part) {
    return Stream.concat(linears(model, method).stream().map(part), saved(model).parts().stream())
        .toList();
  }

  /** Queries and values by the names of this architecture: what most methods go on. */
  public static String queriesAndValues(Model model) {
    return String.join(",", names(model, "attn.q", "attn.v"));
  }

  /** What an architecture calls parts that all of them have: the last words of their paths. */
  public static List<String> names(Model model, String... parts) {
    return model.stacks().stream()
        .map(stack -> stack.blocks().getFirst().places())
        .flatMap(
            places ->
                Stream.of(parts).map(part -> Objects.requireNonNull(places.get(part), part).path()))
        .map(path -> path.substring(path.lastIndexOf('.') + 1))
        .distinct()
        .toList();
  }
}
