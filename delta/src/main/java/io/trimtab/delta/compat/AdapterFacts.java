package io.trimtab.delta.compat;

import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaFiles;
import io.trimtab.hub.ModelConfig;
import io.trimtab.hub.Safetensors;
import io.trimtab.hub.TensorFile;
import io.trimtab.hub.TensorInfo;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * What other programs look at in an adapter: its settings, and the names and shapes of its tensors.
 *
 * @param config {@code adapter_config.json}
 * @param tensors the directory of {@code adapter_model.safetensors}
 */
public record AdapterFacts(ModelConfig config, List<TensorInfo> tensors) {
  private static final String DOWN = ".lora_A.weight";
  private static final String UP = ".lora_B.weight";

  /** Copies the list. */
  public AdapterFacts {
    tensors = List.copyOf(tensors);
  }

  /**
   * Reads an adapter's settings and the directory of its tensors.
   *
   * @throws DeltaException where the files are not there
   */
  public static AdapterFacts of(Path directory) {
    for (String name : List.of(DeltaFiles.CONFIG, DeltaFiles.TENSORS)) {
      if (!Files.isRegularFile(directory.resolve(name))) {
        throw new DeltaException(
            "found no " + name + " in " + directory + ", expected an adapter's directory");
      }
    }
    ModelConfig config = ModelConfig.read(directory.resolve(DeltaFiles.CONFIG));
    try (TensorFile file = Safetensors.open(directory.resolve(DeltaFiles.TENSORS))) {
      return new AdapterFacts(config, file.names().stream().map(file::info).toList());
    }
  }

  /** Its method, by PEFT's name; empty where it is missing. */
  String peftType() {
    return config.text("peft_type", "");
  }

  /** Whether a flag is on. */
  boolean isOn(String field) {
    return config.has(field) && !isOther(field) && config.flag(field);
  }

  private boolean isOther(String field) {
    return config.isText(field) || config.isNumber(field) || config.isList(field);
  }

  /** Whether a list, or a text in the place of one, names anything. */
  boolean names(String field) {
    return config.isText(field)
        ? !config.text(field).isEmpty()
        : config.isList(field) && !config.texts(field).isEmpty();
  }

  /** Whether a list of numbers, or one number in the place of it, is there. */
  boolean numbers(String field) {
    return config.isNumber(field) || (config.isList(field) && !config.integers(field).isEmpty());
  }

  /** Whether a table such as {@code rank_pattern} has entries. */
  boolean pattern(String field) {
    return config.has(field) && !config.section(field).fields().isEmpty();
  }

  /** The fields that Trimtab adds to what PEFT knows. */
  List<String> ownFields() {
    return config.fields().stream()
        .filter(field -> field.startsWith("trimtab_") && config.has(field))
        .toList();
  }

  /** The tensors that are none of those endings, by their names. */
  List<String> tensorsBut(Collection<String> endings) {
    return tensors.stream()
        .map(TensorInfo::name)
        .filter(name -> endings.stream().noneMatch(name::endsWith))
        .toList();
  }

  /** The ranks of LoRA's matrices, in ascending order. */
  List<Long> ranks() {
    Set<Long> ranks = new TreeSet<>();
    for (TensorInfo tensor : tensors) {
      if (tensor.name().endsWith(DOWN)) {
        ranks.add(tensor.shape()[0]);
      }
    }
    return new ArrayList<>(ranks);
  }

  /** Whether LoRA goes on an embedding. */
  boolean hasEmbeddings() {
    return tensors.stream().anyMatch(tensor -> tensor.name().endsWith(".lora_embedding_A"));
  }

  /** The endings of LoRA's two matrices at a linear layer. */
  static List<String> matrices() {
    return List.of(DOWN, UP);
  }

  /** The same, and those at an embedding. */
  static List<String> matricesAndEmbeddings() {
    return List.of(DOWN, UP, ".lora_embedding_A", ".lora_embedding_B");
  }
}
