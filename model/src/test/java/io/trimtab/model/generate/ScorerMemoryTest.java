package io.trimtab.model.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.trimtab.model.Model;
import io.trimtab.tensor.Engine;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Scores of a large vocabulary are freed as soon as they have been read. */
class ScorerMemoryTest {
  private static final int WORDS = 100_000;
  private static final int CONTINUATIONS = 400;

  @Test
  void continuationsOfOnePromptTakeNoMemoryEach(@TempDir Path folder) throws Exception {
    assumeThat(Engine.residentMemory()).as("what the system tells").isPositive();
    try (Model model = PlainLlama.write(folder, WORDS)) {
      int[] prompt = {1, 2, 3};
      List<Scorer.Pair> pairs =
          IntStream.range(0, CONTINUATIONS)
              .mapToObj(i -> new Scorer.Pair(prompt, new int[] {i}))
              .toList();
      Scorer.of(model).score(pairs.subList(0, 3));
      long before = Engine.residentMemory();
      AtomicLong most = new AtomicLong();
      AtomicBoolean done = new AtomicBoolean();
      Thread watch =
          Thread.ofPlatform()
              .start(
                  () -> {
                    while (!done.get()) {
                      most.accumulateAndGet(Engine.residentMemory(), Math::max);
                    }
                  });
      assertThat(Scorer.of(model).score(pairs)).hasSize(CONTINUATIONS);
      done.set(true);
      watch.join();
      long each = (most.get() - before) / CONTINUATIONS;
      assertThat(each).as("bytes a continuation").isLessThan(WORDS * Float.BYTES / 2);
    }
  }
}
