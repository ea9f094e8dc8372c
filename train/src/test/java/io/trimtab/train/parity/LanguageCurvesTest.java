package io.trimtab.train.parity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.trimtab.delta.Delta;
import io.trimtab.delta.DeltaFiles;
import io.trimtab.model.Batch;
import io.trimtab.model.Model;
import io.trimtab.model.Pass;
import io.trimtab.tensor.FusedAdamW;
import io.trimtab.tensor.Rng;
import io.trimtab.train.LanguageObjective;
import io.trimtab.train.LanguageScore;
import io.trimtab.train.TokenExample;
import io.trimtab.train.Update;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The objective that users train by makes the steps that transformers and PEFT recorded. */
class LanguageCurvesTest {
  private static final long IGNORED = -100;

  /** Recorded curves of decoders and encoder-decoders, but those whose prompt foretells too. */
  static Stream<Path> curves() throws IOException {
    Path all = Path.of(System.getProperty("trimtab.fixtures", "missing"), "train");
    if (!Files.isDirectory(all)) {
      return Stream.empty();
    }
    List<Path> found = new ArrayList<>();
    try (Stream<Path> folders = Files.list(all)) {
      for (Path folder : folders.sorted().toList()) {
        Curve curve = Curve.read(folder.resolve("curve.json"));
        boolean language = List.of("lm", "answer", "s2s").contains(curve.task());
        boolean prompt =
            Files.isDirectory(folder.resolve("start"))
                && Files.readString(folder.resolve("start/adapter_config.json"))
                    .matches("(?s).*\"peft_type\": \"(PROMPT_TUNING|P_TUNING)\".*");
        if (language && !prompt && Files.isDirectory(folder.resolve("start"))) {
          found.add(folder);
        }
      }
    }
    return found.stream();
  }

  @ParameterizedTest(allowZeroInvocations = true)
  @MethodSource("curves")
  void theStepsAreThose(Path folder) {
    Curve curve = Curve.read(folder.resolve("curve.json"));
    LanguageObjective objective = new LanguageObjective();
    try (Model model = Recorded.model(folder.resolve(curve.base()).normalize());
        Delta delta = DeltaFiles.load(folder.resolve("start"), model);
        Recorded batches = Recorded.open(folder.resolve("batches.safetensors"));
        FusedAdamW adam = new FusedAdamW(delta.parameters(), 0.9, 0.999, 1e-8)) {
      Update update = new Update(delta.parameters(), adam, 0.01, 1);
      int distinct =
          (int) batches.names().stream().filter(name -> name.endsWith(".input_ids")).count();
      for (int step = 0; step < curve.losses().size(); step++) {
        List<TokenExample> examples =
            examples(batches, "%02d.".formatted(step % distinct), curve.task(), model);
        LanguageScore score = objective.score(model, examples, delta.patches());
        assertThat(score.loss()).isCloseTo(curve.losses().get(step), within(1e-4));
        Update.Outcome outcome =
            update.step(
                curve.rates().get(step),
                List.of(
                    () -> {
                      Batch batch = Batch.of(examples.stream().map(objective::row).toList());
                      Pass pass =
                          Pass.with(batch.layout(), delta.patches()).training(Rng.seeded(0));
                      return objective.loss(model, examples, batch, pass);
                    }));
        assertThat(outcome.loss()).isCloseTo(curve.losses().get(step), within(1e-4));
        double norm = curve.gradientNorms().get(step);
        assertThat(outcome.gradientNorm()).isCloseTo(norm, within(1e-3 * norm));
      }
    }
  }

  private static List<TokenExample> examples(
      Recorded batches, String prefix, String task, Model model) {
    long[][] ids = batches.matrix(prefix + "input_ids");
    long[][] mask = batches.matrix(prefix + "attention_mask");
    long[][] labels = batches.matrix(prefix + "labels");
    List<TokenExample> examples = new ArrayList<>();
    for (int row = 0; row < ids.length; row++) {
      int[] real = real(ids[row], mask[row]);
      if (!task.equals("s2s")) {
        examples.add(TokenExample.of(real, answered(real(labels[row], mask[row]))));
        continue;
      }
      int[] words = Arrays.stream(labels[row]).mapToInt(id -> (int) id).toArray();
      int[] shifted = new int[words.length + 1];
      boolean[] answered = new boolean[shifted.length];
      shifted[0] = model.config().integer("decoder_start_token_id");
      for (int i = 0; i < words.length; i++) {
        answered[i + 1] = words[i] != IGNORED;
        shifted[i + 1] = words[i] == IGNORED ? model.config().integer("pad_token_id") : words[i];
      }
      examples.add(new TokenExample(real, shifted, answered));
    }
    return examples;
  }

  private static boolean[] answered(int[] labels) {
    boolean[] answered = new boolean[labels.length];
    for (int i = 0; i < labels.length; i++) {
      answered[i] = labels[i] != IGNORED;
    }
    return answered;
  }

  private static int[] real(long[] values, long[] mask) {
    int[] kept = new int[(int) Arrays.stream(mask).sum()];
    int next = 0;
    for (int i = 0; i < values.length; i++) {
      if (mask[i] != 0) {
        kept[next++] = (int) values[i];
      }
    }
    return kept;
  }
}
