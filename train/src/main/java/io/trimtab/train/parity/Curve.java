package io.trimtab.train.parity;

import java.nio.file.Path;
import java.util.List;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A recorded training run.
 *
 * @param base the model's directory, relative to the case's
 * @param task what the loss is of: {@code mlm}, {@code cls} …
 * @param microBatches batches a step
 * @param rates the learning rate of every step
 * @param losses the loss of every step
 * @param gradientNorms the norm of all gradients together at every step, before clipping
 * @param trainable how many numbers were trained
 * @param trainableNames the tensors trained; empty where adapters are
 */
record Curve(
    String base,
    String task,
    int microBatches,
    List<Double> rates,
    List<Double> losses,
    List<Double> gradientNorms,
    long trainable,
    List<String> trainableNames) {

  static Curve read(Path file) {
    try {
      JsonNode json = JsonMapper.shared().readTree(file);
      Curve curve =
          new Curve(
              json.required("base").asString(),
              json.required("task").asString(),
              json.required("micro_batches").asInt(),
              numbers(json.required("rates")),
              numbers(json.required("losses")),
              numbers(json.required("gradient_norms")),
              json.required("trainable").asLong(),
              json.path("trainable_names").valueStream().map(JsonNode::asString).toList());
      int steps = curve.losses.size();
      if (steps == 0 || curve.rates.size() != steps || curve.gradientNorms.size() != steps) {
        throw new ParityException(
            "found "
                + steps
                + " losses, "
                + curve.rates.size()
                + " rates and "
                + curve.gradientNorms.size()
                + " gradient norms in "
                + file
                + ", expected as many of each");
      }
      return curve;
    } catch (JacksonException e) {
      throw new ParityException("cannot read " + file + ": " + e.getOriginalMessage(), e);
    }
  }

  private static List<Double> numbers(JsonNode list) {
    return list.valueStream().map(JsonNode::asDouble).toList();
  }
}
