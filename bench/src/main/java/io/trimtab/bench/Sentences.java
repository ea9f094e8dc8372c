package io.trimtab.bench;

import io.trimtab.model.Batch;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Random;

/**
 * SST-2's sentences as rows of tokens: their real lengths, made-up numbers, as in {@code
 * make_workload.py}. A word of more than seven letters counts as two pieces.
 */
final class Sentences {
  private static final int WHOLE = 7;
  private static final int FIRST_WORD = 2000;
  private static final int WORDS = 28_000;
  private static final int CLS = 101;
  private static final int SEP = 102;
  private static final int MASK = 103;

  private Sentences() {}

  /** Rows drawn at random, shortest first; each ends in "it was [MASK] .". */
  static List<Batch.Row> rows(Path data, int count, long seed) {
    List<String> lines;
    try {
      lines = new ArrayList<>(Files.readAllLines(data));
    } catch (IOException e) {
      throw new UncheckedIOException("no SST-2 at " + data + "; give --data FILE", e);
    }
    Collections.shuffle(lines, new Random(seed));
    return lines.subList(0, count).stream()
        .map(line -> row(line.substring(line.indexOf(' ') + 1)))
        .sorted(Comparator.comparingInt(row -> row.ids().length))
        .toList();
  }

  private static Batch.Row row(String text) {
    List<Integer> ids = new ArrayList<>(List.of(CLS));
    for (String word : text.split(" ", -1)) {
      ids.add(id(word));
      if (word.length() > WHOLE) {
        ids.add(id(word.substring(WHOLE)));
      }
    }
    ids.addAll(List.of(id("it"), id("was"), MASK, id("."), SEP));
    return Batch.Row.of(ids.stream().mapToInt(Integer::intValue).toArray());
  }

  /** Where a row's mask is. */
  static int mask(Batch.Row row) {
    return row.ids().length - 3;
  }

  private static int id(String word) {
    return FIRST_WORD + Math.floorMod(word.hashCode(), WORDS);
  }
}
