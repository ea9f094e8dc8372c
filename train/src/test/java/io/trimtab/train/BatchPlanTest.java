package io.trimtab.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class BatchPlanTest {
  /** An example that differs from all others, and its length. */
  private record Text(int number, int length) {}

  private static List<Text> texts(int count) {
    return IntStream.range(0, count).mapToObj(i -> new Text(i, i * 37 % 50 + 1)).toList();
  }

  private static BatchPlan<Text> plan(List<Text> texts, int batch, int epochs, long seed) {
    TrainSettings settings = TrainSettings.usual(1e-3).batch(batch).epochs(epochs).seed(seed);
    return new BatchPlan<>(texts, Text::length, settings);
  }

  @Property(tries = 100)
  void everyEpochSeesEveryExampleOnceInBatchesSortedByLength(
      @ForAll @IntRange(min = 1, max = 150) int count,
      @ForAll @IntRange(min = 1, max = 17) int batch,
      @ForAll @IntRange(min = 1, max = 3) int epochs,
      @ForAll long seed) {
    List<Text> texts = texts(count);
    BatchPlan<Text> plan = plan(texts, batch, epochs, seed);
    assertThat(plan.steps()).isEqualTo((long) epochs * ((count + batch - 1) / batch));
    long perEpoch = plan.steps() / epochs;
    for (int epoch = 0; epoch < epochs; epoch++) {
      List<Text> seen = new ArrayList<>();
      for (long step = epoch * perEpoch; step < (epoch + 1) * perEpoch; step++) {
        List<Text> examples = plan.batch(step);
        assertThat(plan.epoch(step)).isEqualTo(epoch + 1);
        assertThat(examples)
            .hasSizeBetween(1, batch)
            .isSortedAccordingTo(Comparator.comparingInt(Text::length));
        seen.addAll(examples);
      }
      assertThat(seen).containsExactlyInAnyOrderElementsOf(texts);
    }
  }

  @Property(tries = 100)
  void batchesKeepToTheirTokens(
      @ForAll @IntRange(min = 1, max = 150) int count,
      @ForAll @IntRange(min = 1, max = 17) int batch,
      @ForAll @IntRange(min = 1, max = 200) int tokens,
      @ForAll long seed) {
    List<Text> texts = texts(count);
    TrainSettings settings =
        TrainSettings.usual(1e-3).batch(batch).batchTokens(tokens).epochs(3).seed(seed);
    BatchPlan<Text> plan = new BatchPlan<>(texts, Text::length, settings);
    List<List<Text>> seen = List.of(new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
    int epoch = 1;
    for (long step = 0; step < plan.steps(); step++) {
      List<Text> examples = plan.batch(step);
      assertThat(plan.epoch(step)).isBetween(epoch, epoch + 1);
      epoch = plan.epoch(step);
      int sum = examples.stream().mapToInt(Text::length).sum();
      assertThat(examples).hasSizeBetween(1, batch);
      assertThat(sum <= tokens || examples.size() == 1).isTrue();
      seen.get(epoch - 1).addAll(examples);
    }
    seen.forEach(each -> assertThat(each).containsExactlyInAnyOrderElementsOf(texts));
  }

  @Test
  void theSeedAndTheStepAloneDecide() {
    List<Text> texts = texts(40);
    BatchPlan<Text> forward = plan(texts, 4, 2, 3);
    BatchPlan<Text> backward = plan(texts, 4, 2, 3);
    List<List<Text>> there = new ArrayList<>();
    List<List<Text>> back = new ArrayList<>();
    for (long step = 0; step < 20; step++) {
      there.add(forward.batch(step));
      back.add(backward.batch(19 - step));
    }
    Collections.reverse(back);
    assertThat(back).isEqualTo(there);
    assertThat(there.subList(0, 10)).isNotEqualTo(there.subList(10, 20));
    assertThat(plan(texts, 4, 2, 4).batch(0)).isNotEqualTo(there.getFirst());
  }

  @Test
  void rowsOfABatchAreOfSimilarLength() {
    BatchPlan<Text> plan = plan(texts(400), 10, 1, 1);
    double spread = 0;
    for (long step = 0; step < plan.steps(); step++) {
      List<Text> examples = plan.batch(step);
      spread += examples.getLast().length() - examples.getFirst().length();
    }
    // Lengths are 1 to 50: ten at random would be spread over 40, neighbours of 160 over 3.
    assertThat(spread / plan.steps()).isLessThan(8);
  }

  @Test
  void examplesMeetOthersInEveryEpoch() {
    for (int count : new int[] {12, 40, 400}) {
      BatchPlan<Text> plan = plan(texts(count), 4, 2, 1);
      Set<Set<Text>> first = new HashSet<>();
      Set<Set<Text>> second = new HashSet<>();
      for (long step = 0; step < plan.steps() / 2; step++) {
        first.add(new HashSet<>(plan.batch(step)));
      }
      for (long step = plan.steps() / 2; step < plan.steps(); step++) {
        second.add(new HashSet<>(plan.batch(step)));
      }
      second.removeAll(first);
      assertThat(second).as("new company of %d", count).hasSizeGreaterThan(first.size() / 2);
    }
  }

  @Test
  void nothingToTrainOnIsAnError() {
    assertThatThrownBy(() -> plan(List.of(), 4, 1, 1)).isInstanceOf(TrainingException.class);
  }
}
