package io.trimtab.train;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.ToIntFunction;

/**
 * Which examples each step sees, a function of the seed alone. Every epoch shuffles the examples,
 * sorts stretches of them by length, so that a batch holds rows of similar length, and shuffles the
 * batches.
 */
final class BatchPlan<E> {
  /**
   * The most batches whose examples are sorted together. It is never more than half an epoch's:
   * sorting all would put the same examples together in every epoch.
   */
  private static final int STRETCH = 16;

  private final List<E> examples;
  private final ToIntFunction<E> length;
  private final TrainSettings settings;
  private final int perEpoch;
  private int plannedEpoch = -1;
  private List<List<E>> planned = List.of();

  BatchPlan(List<E> examples, ToIntFunction<E> length, TrainSettings settings) {
    if (examples.isEmpty()) {
      throw new TrainingException("found no training examples, expected at least one");
    }
    this.examples = List.copyOf(examples);
    this.length = length;
    this.settings = settings;
    this.perEpoch = (examples.size() + settings.batch() - 1) / settings.batch();
  }

  long steps() {
    return (long) perEpoch * settings.epochs();
  }

  /** The epoch of a step, from 1. */
  int epoch(long step) {
    return (int) (step / perEpoch) + 1;
  }

  /** The examples of a step, sorted by length. */
  List<E> batch(long step) {
    int epoch = (int) (step / perEpoch);
    if (epoch != plannedEpoch) {
      planned = plan(epoch);
      plannedEpoch = epoch;
    }
    return planned.get((int) (step % perEpoch));
  }

  private List<List<E>> plan(int epoch) {
    SplitMix64 random = new SplitMix64(settings.seed() * 1_000_003 + epoch);
    List<E> order = new ArrayList<>(examples);
    random.shuffle(order);
    int size = settings.batch();
    int stretched = Math.clamp(perEpoch / 2, 1, STRETCH) * size;
    List<List<E>> batches = new ArrayList<>();
    for (int from = 0; from < order.size(); from += stretched) {
      List<E> stretch =
          new ArrayList<>(order.subList(from, Math.min(order.size(), from + stretched)));
      stretch.sort(Comparator.comparingInt(length));
      for (int at = 0; at < stretch.size(); at += size) {
        batches.add(List.copyOf(stretch.subList(at, Math.min(stretch.size(), at + size))));
      }
    }
    random.shuffle(batches);
    return batches;
  }
}
