package io.trimtab.delta.opendelta;

import static org.assertj.core.api.Assertions.assertThat;

import io.trimtab.delta.Delta;
import io.trimtab.delta.DeltaFiles;
import io.trimtab.delta.TinyModels;
import io.trimtab.delta.lora.Lora;
import io.trimtab.delta.prefix.Prefix;
import io.trimtab.delta.softprompt.SoftPrompt;
import io.trimtab.hub.ModelConfig;
import io.trimtab.model.Batch;
import io.trimtab.model.Model;
import io.trimtab.model.Pass;
import io.trimtab.model.Patches;
import io.trimtab.tensor.Rng;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What is broken in OpenDelta 0.3.2 works here. Those of its defects that have no test in this
 * class have one elsewhere:
 *
 * <ul>
 *   <li>{@code exclude_modules} ignored by LoRA, names that silently hit nothing, pickles that are
 *       run: {@link OpenDeltaFormatTest};
 *   <li>defaults on which a method and its settings or their description disagree (Compacter's
 *       non-linearity, the reduction of low-rank adapters, prefixes): {@code PresetsTest}, {@code
 *       BottleneckTest.countsParametersOfBertBase};
 *   <li>the scale of parallel adapters lost in files: {@code
 *       BottleneckTest.keepsTheScaleOfParallelAdapters};
 *   <li>low-rank adapters of more than rank one: {@code
 *       MapsTest.lowRankMapsAreProductsOfTheirFactors};
 *   <li>BitFit on norms without a bias: {@code
 *       SelectiveTest.addedBiasesStartAtZeroOnLinearLayersAndNormsWithoutOne};
 *   <li>LoRA on layers that hold several parts, or are stored the other way round: {@code
 *       LoraVariantsTest} and, over all architectures, {@code EveryMethodOnEveryArchitectureTest};
 *       parts by common names: {@code AddressFamiliesTest};
 *   <li>parallel adapters that keep activations in a field: {@code
 *       BottleneckTest.parallelAdaptersServeManyThreads};
 *   <li>prefixes on a handful of architectures only: {@code EveryMethodOnEveryArchitectureTest};
 *   <li>expressions that try their leftmost match only: {@code
 *       AddressLanguageTest.aSearchTriesEveryMatchNotTheLeftmostOnly}.
 * </ul>
 */
class OpenDeltaDefectsTest {
  @TempDir Path directory = Path.of("");

  /** Attaching again after detaching raises there; a delta is never attached for good here. */
  @Test
  void deltasComeAndGo() {
    Batch batch = TinyModels.batch();
    try (Model model = TinyModels.maskedLm(directory.resolve("tiny"));
        Delta first = moved(Lora.rank(2), model, 2);
        Delta second = moved(Lora.rank(3).on("key"), model, 3)) {
      float[] plain = numbers(model, batch, Patches.NONE);
      float[] one = numbers(model, batch, first.patches());
      float[] other = numbers(model, batch, second.patches());
      assertThat(one).isNotEqualTo(plain);
      assertThat(other).isNotEqualTo(plain).isNotEqualTo(one);
      for (int round = 0; round < 3; round++) {
        assertThat(numbers(model, batch, first.patches())).isEqualTo(one);
        assertThat(numbers(model, batch, Patches.NONE)).isEqualTo(plain);
        assertThat(numbers(model, batch, second.patches())).isEqualTo(other);
      }
    }
  }

  /** The network that made a prefix in training is what gets saved there. */
  @Test
  void networksOfPrefixesStayOutOfFiles() {
    Batch batch = TinyModels.batch();
    Path saved = directory.resolve("saved");
    try (Model model = TinyModels.maskedLm(directory.resolve("tiny"));
        Delta delta = moved(Prefix.of(2).projected(3).embedded(5), model, 2)) {
      assertThat(delta.parameters().getFirst().value().shape()).containsExactly(2, 5);
      DeltaFiles.save(delta, saved);
      assertThat(ModelConfig.read(saved.resolve(DeltaFiles.CONFIG)).flag("prefix_projection"))
          .isFalse();
      try (Delta read = DeltaFiles.load(saved, model)) {
        assertThat(read.parameters()).hasSize(1);
        float[] flat = numbers(model, batch, read.patches());
        float[] made = numbers(model, batch, delta.patches());
        for (int i = 0; i < flat.length; i++) {
          assertThat(flat[i]).isCloseTo(made[i], org.assertj.core.api.Assertions.within(1e-5f));
        }
      }
    }
  }

  /** A soft prompt overwrites its caller's mask there. */
  @Test
  void promptsLeaveTheBatchAlone() {
    Batch batch = TinyModels.batch();
    try (Model model = TinyModels.maskedLm(directory.resolve("tiny"));
        Delta delta = moved(SoftPrompt.of(2), model, 2)) {
      float[] plain = numbers(model, batch, Patches.NONE);
      assertThat(numbers(model, batch, delta.patches())).isNotEqualTo(plain);
      assertThat(numbers(model, batch, Patches.NONE)).isEqualTo(plain);
    }
  }

  private static Delta moved(io.trimtab.delta.DeltaSpec spec, Model model, long seed) {
    Delta delta = spec.attach(model, Rng.seeded(seed));
    TinyModels.move(delta, seed);
    return delta;
  }

  private static float[] numbers(Model model, Batch batch, Patches patches) {
    return TinyModels.numbers(model, batch, Pass.with(batch.layout(), patches));
  }
}
