package io.trimtab.prompt;

import io.trimtab.model.Batch;
import io.trimtab.model.Model;
import io.trimtab.model.Pass;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.Neural;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import io.trimtab.train.Objective;
import java.util.List;

/**
 * Makes the gold label's words likelier in the blank than those of the other labels: cross-entropy
 * over labels, whose logits are the means of their words'.
 */
public final class ClozeObjective implements Objective<ClozeExample> {
  private final LabelWords words;

  ClozeObjective(LabelWords words) {
    this.words = words;
  }

  @Override
  public Batch.Row row(ClozeExample example) {
    return example.prompt().row();
  }

  @Override
  public Tensor loss(Model model, List<ClozeExample> examples, Batch batch, Pass pass) {
    return Scope.of(
        () -> {
          List<Prompt> prompts = examples.stream().map(ClozeExample::prompt).toList();
          Tensor logits = words.classLogits(model, prompts, batch, pass);
          long[] gold = examples.stream().mapToLong(ClozeExample::gold).toArray();
          return Neural.crossEntropy(logits, Creation.longs(gold, gold.length).to(model.device()));
        });
  }
}
