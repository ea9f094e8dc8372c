package io.trimtab.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class ToyTrainingTest {
  private static List<Double> losses(
      long seed, int steps, Tensor rows, Tensor classes, Tensor frozen) {
    List<Double> losses = new ArrayList<>();
    try (ToyTraining toy = new ToyTraining(seed)) {
      for (int i = 0; i < steps; i++) {
        losses.add(toy.step(rows, classes, frozen, i));
      }
    }
    return losses;
  }

  private static Tensor frozen() {
    return Rng.seeded(8).normal(0.2, DType.F32, Device.CPU, 32, 32);
  }

  private static Tensor rows() {
    return Rng.seeded(7).normal(1, DType.F32, Device.CPU, 8, 16);
  }

  private static Tensor classes() {
    return Creation.longs(new long[] {0, 1, 2, 3, 0, 1, 2, 3}, 8);
  }

  @Test
  void threadsOverSharedFrozenTensorsGiveTheResultsOfOneAfterTheOther()
      throws InterruptedException, ExecutionException {
    try (Scope _ = Scope.open();
        ExecutorService pool = Executors.newFixedThreadPool(2)) {
      Tensor rows = rows();
      Tensor classes = classes();
      Tensor frozen = frozen();
      List<List<Double>> serial = new ArrayList<>();
      List<Callable<List<Double>>> work = new ArrayList<>();
      for (long seed = 1; seed <= 4; seed++) {
        long own = seed;
        serial.add(losses(own, 60, rows, classes, frozen));
        work.add(() -> losses(own, 60, rows, classes, frozen));
      }
      List<List<Double>> parallel = new ArrayList<>();
      for (Future<List<Double>> result : pool.invokeAll(work)) {
        parallel.add(result.get());
      }
      assertThat(parallel).isEqualTo(serial);
      assertThat(serial.get(0).getLast()).isLessThan(serial.get(0).getFirst());
    }
  }

  @Test
  @Tag("proof")
  void tenThousandStepsLeaveNativeMemoryFlat() {
    try (Scope _ = Scope.open(); // a run's scope: hooks must not gather in it
        ToyTraining toy = new ToyTraining(1)) {
      Tensor rows = rows();
      Tensor classes = classes();
      Tensor frozen = frozen();
      long start = 0;
      for (int i = 0; i < 11_000; i++) {
        toy.step(rows, classes, frozen, i);
        if (i == 999) {
          System.gc();
          start = Engine.residentMemory();
        }
      }
      System.gc();
      long growth = Engine.residentMemory() - start;
      System.out.println("resident memory grew by " + growth / 1024 + " KiB in 10,000 steps");
      assertThat(growth).isLessThan(8L << 20);
    }
  }
}
