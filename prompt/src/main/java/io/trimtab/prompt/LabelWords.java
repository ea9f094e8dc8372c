package io.trimtab.prompt;

import io.trimtab.model.Batch;
import io.trimtab.model.Model;
import io.trimtab.model.Pass;
import io.trimtab.model.Positions;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.LinearAlgebra;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.util.List;

/**
 * The tokens of a task's label words, and how their logits become those of labels. Only these rows
 * of the vocabulary are computed.
 */
final class LabelWords {
  private final long[] ids;
  private final int classes;
  private final float[] shares;

  /**
   * @param tokenIds a list a label, with a number a word
   */
  LabelWords(List<List<Integer>> tokenIds) {
    classes = tokenIds.size();
    ids = tokenIds.stream().flatMap(List::stream).mapToLong(i -> i).sorted().toArray();
    shares = new float[ids.length * classes];
    for (int c = 0; c < classes; c++) {
      List<Integer> own = tokenIds.get(c);
      for (int id : own) {
        shares[java.util.Arrays.binarySearch(ids, id) * classes + c] = 1f / own.size();
      }
    }
  }

  /** The number of labels. */
  int classes() {
    return classes;
  }

  /**
   * The logits of all labels at the prompts' masks: a label's is the mean of its words'.
   *
   * @param prompts in the order of the batch's rows
   * @return F32 [rows, labels]
   */
  Tensor classLogits(Model model, List<Prompt> prompts, Batch batch, Pass pass) {
    return Scope.of(
        () -> {
          int[][] masks = prompts.stream().map(p -> new int[] {p.mask()}).toArray(int[][]::new);
          Tensor words = Creation.longs(ids, ids.length).to(model.device());
          Tensor logits =
              model.maskedLogits(batch, pass, Positions.of(masks, batch.layout()), words);
          Tensor means = Creation.floats(shares, ids.length, classes).to(model.device());
          return LinearAlgebra.matmul(logits, means);
        });
  }
}
