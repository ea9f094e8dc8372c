package io.trimtab.delta;

import static org.assertj.core.api.Assertions.assertThat;

import io.trimtab.delta.ia3.Ia3;
import io.trimtab.delta.lora.Lora;
import io.trimtab.delta.selective.Selective;
import io.trimtab.model.Batch;
import io.trimtab.model.Model;
import io.trimtab.model.Pass;
import io.trimtab.model.Patches;
import io.trimtab.tensor.Gradients;
import io.trimtab.tensor.Rng;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Several deltas over one model: in one batch, and on several threads. */
class ManyDeltasTest {
  @TempDir Path directory = Path.of("");
  private Model model;
  private final List<Delta> deltas = new ArrayList<>();

  @BeforeEach
  void open() {
    model = TinyModels.maskedLm(directory);
    List<DeltaSpec> specs =
        List.of(
            Lora.rank(2).on(Address.parse("all-linear,word_embeddings")),
            Lora.rank(5).bias(Lora.Bias.ALL),
            Ia3.on("key", "value", "output.dense").feedForward("output.dense"),
            Selective.all());
    for (int i = 0; i < specs.size(); i++) {
      Delta delta = specs.get(i).attach(model, Rng.seeded(i));
      TinyModels.move(delta, 10 + i);
      deltas.add(delta);
    }
  }

  @AfterEach
  void close() {
    deltas.forEach(Delta::close);
    model.close();
  }

  @Test
  void rowsUnderTheirOwnDeltasComeOutAsAlone() {
    List<Batch.Row> rows = new ArrayList<>();
    List<Pass.Segment> segments = new ArrayList<>();
    List<Float> alone = new ArrayList<>();
    for (int i = 0; i <= deltas.size(); i++) {
      Patches patches = i == 2 ? Patches.NONE : deltas.get(i > 2 ? i - 1 : i).patches();
      List<Batch.Row> own = TinyModels.batch().rows().subList(0, 1 + i % 3);
      rows.addAll(own);
      segments.add(new Pass.Segment(own.size(), patches));
      Batch batch = Batch.of(own);
      for (float number : TinyModels.numbers(model, batch, Pass.with(batch.layout(), patches))) {
        alone.add(number);
      }
    }
    Batch together = Batch.of(rows);
    float[] numbers =
        TinyModels.numbers(model, together, Pass.segmented(together.layout(), segments));
    assertThat(numbers).hasSize(alone.size());
    for (int i = 0; i < numbers.length; i++) {
      assertThat(numbers[i]).isCloseTo(alone.get(i), Offset.offset(2e-5f));
    }
  }

  @Test
  void threadsDoNotDisturbEachOther() throws Exception {
    Batch batch = TinyModels.batch();
    List<float[]> serial = deltas.stream().map(delta -> numbers(delta, batch)).toList();
    try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
      List<Future<float[]>> results = new ArrayList<>();
      for (int i = 0; i < 40; i++) {
        Delta delta = deltas.get(i % deltas.size());
        Callable<float[]> work = () -> numbers(delta, batch);
        results.add(threads.submit(work));
      }
      for (int i = 0; i < results.size(); i++) {
        assertThat(results.get(i).get()).isEqualTo(serial.get(i % deltas.size()));
      }
    }
  }

  private float[] numbers(Delta delta, Batch batch) {
    return Gradients.none(
        () -> TinyModels.numbers(model, batch, Pass.with(batch.layout(), delta.patches())));
  }
}
