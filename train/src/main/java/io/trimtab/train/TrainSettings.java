package io.trimtab.train;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * How a delta is trained.
 *
 * @param epochs times over the training data
 * @param batch examples a step
 * @param accumulation micro-batches that a step is computed in, to save memory
 * @param schedule the learning rate
 * @param decay AdamW's decoupled weight decay
 * @param clip the largest joint norm of the gradients; 0 for no limit
 * @param seed of the order of examples, of dropout and of new parameters
 * @param evaluations times a run's dev data is scored, evenly spread; at least once an epoch is
 *     usual
 * @param patience evaluations without a better score after which training stops; 0 for never
 * @param checkpointSeconds the least time between two checkpoints
 * @param batchTokens the most tokens of a step, which then has fewer examples than {@code batch}; 0
 *     for no limit. An example that is longer by itself is a step by itself.
 */
public record TrainSettings(
    int epochs,
    int batch,
    int accumulation,
    Schedule schedule,
    double decay,
    double clip,
    long seed,
    int evaluations,
    int patience,
    double checkpointSeconds,
    int batchTokens) {

  /** Without a limit to a step's tokens. */
  public TrainSettings(
      int epochs,
      int batch,
      int accumulation,
      Schedule schedule,
      double decay,
      double clip,
      long seed,
      int evaluations,
      int patience,
      double checkpointSeconds) {
    this(
        epochs,
        batch,
        accumulation,
        schedule,
        decay,
        clip,
        seed,
        evaluations,
        patience,
        checkpointSeconds,
        0);
  }

  /** Checks ranges. */
  public TrainSettings {
    require(epochs >= 1, "epochs", epochs, "at least 1");
    require(batch >= 1, "batch size", batch, "at least 1");
    require(
        accumulation >= 1 && accumulation <= batch,
        "accumulation",
        accumulation,
        "1 to the batch size");
    require(decay >= 0, "weight decay", decay, "0 or more");
    require(clip >= 0, "gradient clipping", clip, "0 for none, or more");
    require(evaluations >= 0, "evaluations", evaluations, "0 or more");
    require(patience >= 0, "patience", patience, "0 for never, or more");
    require(batchTokens >= 0, "tokens of a step", batchTokens, "0 for any number, or more");
  }

  private static void require(boolean holds, String what, Object found, String expected) {
    if (!holds) {
      throw new SettingException("found " + what + " " + found + ", expected " + expected);
    }
  }

  /** 10 epochs of batches of 32 at a linear schedule with 6 % warm-up, clipped at norm 1. */
  public static TrainSettings usual(double rate) {
    Schedule schedule = Schedule.linear(rate, Warmup.ratio(0.06));
    return new TrainSettings(10, 32, 1, schedule, 0.01, 1, 1, 0, 0, 30);
  }

  /** The same for another number of epochs. */
  public TrainSettings epochs(int value) {
    return new TrainSettings(
        value,
        batch,
        accumulation,
        schedule,
        decay,
        clip,
        seed,
        evaluations,
        patience,
        checkpointSeconds,
        batchTokens);
  }

  /** The same for another batch size. */
  public TrainSettings batch(int value) {
    return new TrainSettings(
        epochs,
        value,
        accumulation,
        schedule,
        decay,
        clip,
        seed,
        evaluations,
        patience,
        checkpointSeconds,
        batchTokens);
  }

  /** The same with at most so many tokens a step; 0 for no limit. */
  public TrainSettings batchTokens(int value) {
    return new TrainSettings(
        epochs,
        batch,
        accumulation,
        schedule,
        decay,
        clip,
        seed,
        evaluations,
        patience,
        checkpointSeconds,
        value);
  }

  /** The same in so many micro-batches a step. */
  public TrainSettings accumulation(int value) {
    return new TrainSettings(
        epochs,
        batch,
        value,
        schedule,
        decay,
        clip,
        seed,
        evaluations,
        patience,
        checkpointSeconds,
        batchTokens);
  }

  /** The same under another schedule. */
  public TrainSettings schedule(Schedule value) {
    return new TrainSettings(
        epochs,
        batch,
        accumulation,
        value,
        decay,
        clip,
        seed,
        evaluations,
        patience,
        checkpointSeconds,
        batchTokens);
  }

  /** The same from another seed. */
  public TrainSettings seed(long value) {
    return new TrainSettings(
        epochs,
        batch,
        accumulation,
        schedule,
        decay,
        clip,
        value,
        evaluations,
        patience,
        checkpointSeconds,
        batchTokens);
  }

  /** The same with the dev data scored so often, stopping after so many without a better score. */
  public TrainSettings evaluations(int times, int without) {
    return new TrainSettings(
        epochs,
        batch,
        accumulation,
        schedule,
        decay,
        clip,
        seed,
        times,
        without,
        checkpointSeconds,
        batchTokens);
  }

  /** What run.json records. */
  public Map<String, String> describe() {
    Map<String, String> out = new LinkedHashMap<>();
    out.put("epochs", String.valueOf(epochs));
    out.put("batch", String.valueOf(batch));
    if (batchTokens > 0) {
      out.put("tokens of a batch", String.valueOf(batchTokens));
    }
    out.put("accumulation", String.valueOf(accumulation));
    out.put("schedule", schedule.toString());
    out.put("weight decay", String.valueOf(decay));
    out.put("clip", String.valueOf(clip));
    out.put("evaluations", String.valueOf(evaluations));
    out.put("patience", String.valueOf(patience));
    return out;
  }
}
