package io.trimtab.delta.merged;

import io.trimtab.hub.Tokenizer;
import io.trimtab.model.Batch;
import io.trimtab.model.Head;
import io.trimtab.model.Model;
import io.trimtab.model.Pass;
import io.trimtab.model.Patches;
import io.trimtab.model.Positions;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Gradients;
import io.trimtab.tensor.Reduction;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.util.List;

/**
 * How far the results of two models are apart on given texts.
 *
 * @param largest the largest difference of two numbers
 * @param scale the largest of the numbers that were compared with
 */
public record LogitsDifference(double largest, double scale) {
  /**
   * Compares a model under patches with another one alone, such as a delta with what it was merged
   * into.
   *
   * @param texts at least one
   */
  public static LogitsDifference of(
      Model model, Patches patches, Model other, Tokenizer tokenizer, List<String> texts) {
    Batch batch =
        Batch.of(
            texts.stream()
                .map(text -> new Batch.Row(tokenizer.encode(text).ids(), new int[0]))
                .toList());
    return Gradients.none(
        () -> {
          try (Scope _ = Scope.open()) {
            Tensor before = results(model, batch, Pass.with(batch.layout(), patches));
            Tensor after = results(other, batch, Pass.plain(batch.layout()));
            Tensor zeros = Creation.zeros(DType.F32, Device.CPU, before.shape());
            return new LogitsDifference(
                Reduction.largestDifference(after, before),
                Reduction.largestDifference(before, zeros));
          }
        });
  }

  /** The model's own kind of result: words, classes of rows, classes of tokens, else vectors. */
  private static Tensor results(Model model, Batch batch, Pass pass) {
    Tensor out;
    if (model.head(Head.SequenceClassifier.class).isPresent()) {
      out = model.classify(batch, pass);
    } else if (model.head(Head.TokenClassifier.class).isPresent()) {
      out = model.classifyTokens(batch, pass);
    } else if (model.head(Head.MaskedLm.class).isPresent()) {
      out = model.maskedLogits(batch, pass, Positions.all(batch.layout()), null);
    } else if (model.head(Head.CausalLm.class).isPresent()) {
      out = model.causalLogits(batch, pass, null, null);
    } else {
      out = model.embed(batch, pass, Model.Pooling.MEAN, false);
    }
    return out.to(DType.F32).to(Device.CPU);
  }
}
