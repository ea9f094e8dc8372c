package io.trimtab.model.generate;

import static org.assertj.core.api.Assumptions.assumeThat;

import io.trimtab.hub.ModelConfig;
import io.trimtab.hub.Safetensors;
import io.trimtab.hub.TensorFile;
import io.trimtab.hub.TensorInfo;
import io.trimtab.model.Head;
import io.trimtab.model.Model;
import io.trimtab.model.ModelException;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Scope;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;

/** Tiny random models that write, recorded with what transformers makes of them. */
final class Recorded {
  private Recorded() {}

  /** A test for each recorded decoder; one that is skipped where there is none. */
  static Stream<DynamicTest> each(BiConsumer<Model, ModelConfig> check) throws IOException {
    return each("causal", check);
  }

  /** The same for each recorded encoder-decoder. */
  static Stream<DynamicTest> eachEncoderDecoder(BiConsumer<Model, ModelConfig> check)
      throws IOException {
    return each("seq2seq", check);
  }

  private static Stream<DynamicTest> each(String kind, BiConsumer<Model, ModelConfig> check)
      throws IOException {
    Path all = Path.of(System.getProperty("trimtab.fixtures", "none"), "hf");
    List<Path> folders = new ArrayList<>();
    if (Files.isDirectory(all)) {
      try (Stream<Path> listed = Files.list(all)) {
        listed.filter(folder -> isOf(kind, folder)).sorted().forEach(folders::add);
      }
    }
    if (folders.isEmpty()) {
      return Stream.of(
          DynamicTest.dynamicTest(
              "recorded models of the kind " + kind,
              () -> assumeThat(folders).as("recordings").isNotEmpty()));
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

  private static boolean isOf(String kind, Path folder) {
    if (!ModelConfig.read(folder.resolve("io.json")).text("kind").equals(kind)) {
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

  /** What the encoder read: the rows of the recorded batch without their padding. */
  static List<int[]> sources(ModelConfig io) {
    List<Integer> lengths = io.integers("lengths");
    List<int[]> sources = new ArrayList<>();
    try (TensorFile file = Safetensors.open(io.path().resolveSibling("io.safetensors"))) {
      String name = "input_ids";
      TensorInfo info = file.info(name);
      long[] all = Creation.copyOf(file.bytes(name), info.dtype(), info.shape()).toLongs();
      int columns = all.length / lengths.size();
      for (int row = 0; row < lengths.size(); row++) {
        int from = row * columns;
        sources.add(
            Arrays.stream(all, from, from + lengths.get(row)).mapToInt(Math::toIntExact).toArray());
      }
    }
    return sources;
  }
}
