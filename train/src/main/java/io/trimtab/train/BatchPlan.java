package io.trimtab.train;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.ToIntFunction;
import java.util.stream.IntStream;

/**
 * Which examples each step sees, a function of the seed alone. Every epoch shuffles the examples,
 * sorts stretches of them by length, so that a batch holds rows of similar length, and shuffles the
 * batches. Where a batch may have so many tokens alone, it has fewer examples, and epochs differ in
 * their number of steps.
 */
final class BatchPlan<E> {
  /**
   * The most batches whose examples are sorted together. It is never more than half an epoch's:
   * sorting all would put the same examples together in every epoch.
   */
  private static final int STRETCH = 16;

  private final List<E> examples;
  private final int[] lengths;
  private final TrainSettings settings;

  /** The first step of each epoch, and behind them the number of all. */
  private final long[] starts;

  private int plannedEpoch = -1;
  private List<List<E>> planned = List.of();

  BatchPlan(List<E> examples, ToIntFunction<E> length, TrainSettings settings) {
    if (examples.isEmpty()) {
      throw new TrainingException("found no training examples, expected at least one");
    }
    this.examples = List.copyOf(examples);
    this.lengths = this.examples.stream().mapToInt(length).toArray();
    this.settings = settings;
    this.starts = new long[settings.epochs() + 1];
    int perEpoch = perEpoch();
    for (int epoch = 0; epoch < settings.epochs(); epoch++) {
      int steps = settings.batchTokens() == 0 ? perEpoch : plan(epoch).size();
      starts[epoch + 1] = starts[epoch] + steps;
    }
  }

  /** Steps of an epoch, by the number of examples alone. */
  private int perEpoch() {
    return (examples.size() + settings.batch() - 1) / settings.batch();
  }

  long steps() {
    return starts[settings.epochs()];
  }

  /** The epoch of a step, from 1. */
  int epoch(long step) {
    int found = Arrays.binarySearch(starts, step);
    return found >= 0 ? found + 1 : -found - 1;
  }

  /** The examples of a step, sorted by length. */
  List<E> batch(long step) {
    int epoch = epoch(step) - 1;
    if (epoch != plannedEpoch) {
      planned = plan(epoch).stream().map(this::examples).toList();
      plannedEpoch = epoch;
    }
    return planned.get((int) (step - starts[epoch]));
  }

  private List<E> examples(List<Integer> numbers) {
    return numbers.stream().map(examples::get).toList();
  }

  private List<List<Integer>> plan(int epoch) {
    SplitMix64 random = new SplitMix64(settings.seed() * 1_000_003 + epoch);
    List<Integer> order = new ArrayList<>(IntStream.range(0, lengths.length).boxed().toList());
    random.shuffle(order);
    int size = settings.batch();
    int stretched = Math.clamp(perEpoch() / 2, 1, STRETCH) * size;
    List<List<Integer>> batches = new ArrayList<>();
    for (int from = 0; from < order.size(); from += stretched) {
      List<Integer> stretch =
          new ArrayList<>(order.subList(from, Math.min(order.size(), from + stretched)));
      stretch.sort(Comparator.comparingInt(number -> lengths[number]));
      int at = 0;
      while (at < stretch.size()) {
        int end = end(stretch, at);
        batches.add(List.copyOf(stretch.subList(at, end)));
        at = end;
      }
    }
    random.shuffle(batches);
    return batches;
  }

  /** Where the batch ends that begins there. */
  private int end(List<Integer> stretch, int from) {
    int most = Math.min(stretch.size(), from + settings.batch());
    if (settings.batchTokens() == 0) {
      return most;
    }
    int end = from;
    long tokens = 0;
    while (end < most) {
      tokens += lengths[stretch.get(end)];
      if (tokens > settings.batchTokens() && end > from) {
        break;
      }
      end++;
    }
    return end;
  }
}
