package io.trimtab.delta.lora;

import static org.assertj.core.api.Assertions.assertThat;

import io.trimtab.delta.Address;
import io.trimtab.delta.Delta;
import io.trimtab.delta.DeltaMethods;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.TinyModels;
import io.trimtab.delta.ia3.Ia3;
import io.trimtab.model.Batch;
import io.trimtab.model.Model;
import io.trimtab.model.Pass;
import io.trimtab.model.Patches;
import io.trimtab.tensor.Gradients;
import io.trimtab.tensor.Rng;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Batches under many LoRAs: added together without gradients, one by one with them. */
class MixedLorasTest {
  @TempDir Path directory = Path.of("");
  private Model model;
  private final List<Delta> deltas = new ArrayList<>();
  private Batch batch;
  private final List<Pass.Segment> segments = new ArrayList<>();

  @BeforeEach
  void open() {
    model = TinyModels.maskedLm(directory);
    List<DeltaSpec> specs =
        List.of(
            Lora.rank(2).on(Address.parse("all-linear")),
            Lora.rank(5),
            Lora.rank(3).dora(true).on(Address.parse("all-linear")),
            Lora.rank(8).on("query", "output.dense"),
            Ia3.on("key", "value", "output.dense").feedForward("output.dense"),
            Lora.rank(4).start(Starts.PISSA),
            spec("adalora"),
            spec("loha"),
            spec("vera"),
            Lora.rank(3).outputBias(true));
    List<Batch.Row> rows = new ArrayList<>();
    for (int i = 0; i <= specs.size(); i++) {
      List<Batch.Row> own = TinyModels.batch().rows().subList(0, 1 + i % 3);
      rows.addAll(own);
      Patches patches = Patches.NONE; // of the last rows
      if (i < specs.size()) {
        Delta delta = specs.get(i).attach(model, Rng.seeded(i));
        TinyModels.move(delta, 10 + i);
        deltas.add(delta);
        patches = delta.patches();
      }
      segments.add(new Pass.Segment(own.size(), patches));
    }
    batch = Batch.of(rows);
  }

  @AfterEach
  void close() {
    deltas.forEach(Delta::close);
    model.close();
  }

  private DeltaSpec spec(String method) {
    return DeltaMethods.named(method).fromOptions(Map.of("rank", "2"), model);
  }

  private float[] numbers() {
    return TinyModels.numbers(model, batch, Pass.segmented(batch.layout(), segments));
  }

  @Test
  void togetherIsAsOneByOne() {
    float[] oneByOne = numbers(); // a graph is recorded, so nothing is written in place
    float[] together = Gradients.none(this::numbers);
    float largest = 0;
    for (float number : oneByOne) {
      largest = Math.max(largest, Math.abs(number));
    }
    assertThat(together).hasSize(oneByOne.length);
    for (int i = 0; i < together.length; i++) {
      assertThat(Math.abs(together[i] - oneByOne[i])).isLessThan(1e-6f * Math.max(1, largest));
    }
  }

  @Test
  void threadsGetWhatOneGets() throws Exception {
    float[] serial = Gradients.none(this::numbers);
    try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
      List<Future<float[]>> results = new ArrayList<>();
      Callable<float[]> work = () -> Gradients.none(this::numbers);
      for (int i = 0; i < 16; i++) {
        results.add(threads.submit(work));
      }
      for (Future<float[]> result : results) {
        assertThat(result.get()).isEqualTo(serial);
      }
    }
  }
}
