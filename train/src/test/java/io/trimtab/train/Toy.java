package io.trimtab.train;

import io.trimtab.delta.Delta;
import io.trimtab.delta.TinyModels;
import io.trimtab.delta.lora.Lora;
import io.trimtab.model.Batch;
import io.trimtab.model.Model;
import io.trimtab.model.Pass;
import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.Gradients;
import io.trimtab.tensor.Neural;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Reduction;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** A task small enough to train in a second: the class of a row is its first word modulo three. */
final class Toy {
  /** An example. */
  @SuppressWarnings("ArrayRecordComponent") // never changed nor compared
  record Words(int[] ids) {
    int label() {
      return ids[0] % 3;
    }
  }

  private Toy() {}

  /** So many rows of two to six words. */
  static List<Words> examples(int count) {
    return IntStream.range(0, count)
        .mapToObj(i -> new Words(IntStream.range(0, 2 + i % 5).map(j -> word(i, j)).toArray()))
        .toList();
  }

  private static int word(int row, int at) {
    return (row * 17 + at * 29 + 5) % 40;
  }

  static Model model(Path directory) {
    return TinyModels.classifier(directory);
  }

  /** LoRA with dropout, so that what is drawn at random matters. */
  static Delta delta(Model model, double dropout) {
    return Lora.rank(2).dropout(dropout).saving("classifier").attach(model, Rng.seeded(3));
  }

  /** Twelve steps of four, scored after every third. */
  static TrainSettings settings() {
    Schedule schedule = Schedule.linear(2e-2, Warmup.steps(2));
    return new TrainSettings(3, 4, 1, schedule, 0.01, 1, 5, 4, 0, 0);
  }

  static Objective<Words> objective() {
    return objective(1);
  }

  /** The mean loss, times a factor that may be no number. */
  static Objective<Words> objective(double factor) {
    return new Objective<>() {
      @Override
      public Batch.Row row(Words example) {
        return Batch.Row.of(example.ids());
      }

      @Override
      public Tensor loss(Model model, List<Words> examples, Batch batch, Pass pass) {
        Tensor loss = Neural.crossEntropy(model.classify(batch, pass), labels(examples));
        return Arithmetic.multiply(loss, factor);
      }
    };
  }

  private static Tensor labels(List<Words> examples) {
    long[] labels = examples.stream().mapToLong(Words::label).toArray();
    return Creation.longs(labels, labels.length);
  }

  /** The share of examples that a delta classifies rightly. */
  static double accuracy(Delta delta, List<Words> examples) {
    return Gradients.none(
        () -> {
          try (Scope _ = Scope.open()) {
            Batch batch = Batch.of(examples.stream().map(e -> Batch.Row.of(e.ids())).toList());
            Pass pass = Pass.with(batch.layout(), delta.patches());
            Tensor logits = delta.base().classify(batch, pass);
            long[] best = Reduction.argMax(logits, 1).toLongs();
            int right = 0;
            for (int i = 0; i < best.length; i++) {
              right += best[i] == examples.get(i).label() ? 1 : 0;
            }
            return (double) right / best.length;
          }
        });
  }

  /** Every number of a delta, for comparison bit for bit. */
  static Map<String, List<Float>> numbers(Delta delta) {
    Map<String, List<Float>> numbers = new LinkedHashMap<>();
    for (Parameter parameter : delta.parameters()) {
      List<Float> values = new ArrayList<>();
      for (float value : parameter.value().toFloats()) {
        values.add(value);
      }
      numbers.put(parameter.name(), values);
    }
    return numbers;
  }
}
