package io.trimtab.model.generate;

import static org.assertj.core.api.Assumptions.assumeThat;

import io.trimtab.hub.ModelConfig;
import io.trimtab.hub.Safetensors;
import io.trimtab.model.Head;
import io.trimtab.model.Model;
import io.trimtab.model.ModelException;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Scope;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;

/** Tiny random decoders, recorded with what transformers makes of them. */
final class Recorded {
  private Recorded() {}

  /** A test for each recorded decoder; one that is skipped where there is none. */
  static Stream<DynamicTest> each(BiConsumer<Model, ModelConfig> check) throws IOException {
    Path all = Path.of(System.getProperty("trimtab.fixtures", "none"), "hf");
    List<Path> folders = new ArrayList<>();
    if (Files.isDirectory(all)) {
      try (Stream<Path> listed = Files.list(all)) {
        listed.filter(Recorded::isDecoder).sorted().forEach(folders::add);
      }
    }
    if (folders.isEmpty()) {
      return Stream.of(
          DynamicTest.dynamicTest(
              "recorded decoders", () -> assumeThat(folders).as("recordings").isNotEmpty()));
    }
    return folders.stream()
        .map(
            folder ->
                DynamicTest.dynamicTest(
                    String.valueOf(folder.getFileName()),
                    () -> {
                      try (Scope _ = Scope.open();
                          Model model = open(folder)) {
                        check.accept(model, ModelConfig.read(folder.resolve("io.json")));
                      }
                    }));
  }

  private static boolean isDecoder(Path folder) {
    if (!ModelConfig.read(folder.resolve("io.json")).text("kind").equals("causal")) {
      return false;
    }
    try (Model model = open(folder)) {
      return model.head(Head.CausalLm.class).isPresent();
    } catch (ModelException.Unsupported e) {
      return false;
    }
  }

  private static Model open(Path folder) {
    return Model.build(
        String.valueOf(folder.getFileName()),
        ModelConfig.read(folder.resolve("config.json")),
        Safetensors.open(folder.resolve("model.safetensors")),
        DType.F32,
        Device.CPU);
  }

  static int[] ints(List<Integer> list) {
    return list.stream().mapToInt(Integer::intValue).toArray();
  }

  /** The prompts of the recorded batch: whole rows without what was made. */
  static List<int[]> prompts(ModelConfig io) {
    List<Integer> lengths = io.integers("lengths");
    List<int[]> prompts = new ArrayList<>();
    for (int row = 0; row < lengths.size(); row++) {
      prompts.add(ints(io.integerLists("greedy").get(row).subList(0, lengths.get(row))));
    }
    return prompts;
  }
}
