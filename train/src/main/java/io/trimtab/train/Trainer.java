package io.trimtab.train;

import io.trimtab.delta.Delta;
import io.trimtab.model.Batch;
import io.trimtab.model.Pass;
import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.FusedAdamW;
import io.trimtab.tensor.Gradients;
import io.trimtab.tensor.NativeHeap;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/**
 * Trains a delta: data to batches to loss to steps of AdamW. The same seed gives the same result on
 * the same machine, also when the process was killed and the run resumed.
 */
public final class Trainer<E> {
  /** Often enough to keep the peak near a step's own, and seldom enough to cost nothing. */
  private static final int STEPS_BETWEEN_TRIMS = 4;

  private static final double BETA1 = 0.9;
  private static final double BETA2 = 0.999;
  private static final double EPSILON = 1e-8;

  private final Delta delta;
  private final Objective<E> objective;
  private final TrainSettings settings;
  private @Nullable RunDirectory run;
  private @Nullable ToDoubleFunction<Delta> score;
  private boolean isLoss;
  private Progress progress = Progress.none();

  /** A trainer of {@code delta} over its base. */
  public Trainer(Delta delta, Objective<E> objective, TrainSettings settings) {
    this.delta = delta;
    this.objective = objective;
    this.settings = settings;
  }

  /**
   * Records the run and its checkpoints there, and goes on from the last one where there is one.
   */
  public Trainer<E> in(RunDirectory directory) {
    run = directory;
    return this;
  }

  /** Scores the delta now and then, larger is better, and keeps the best parameters. */
  public Trainer<E> scoredBy(ToDoubleFunction<Delta> devScore) {
    score = devScore;
    isLoss = false;
    return this;
  }

  /** Computes a loss on other data now and then, and keeps the parameters where it is least. */
  public Trainer<E> losing(ToDoubleFunction<Delta> devLoss) {
    score = devLoss;
    isLoss = true;
    return this;
  }

  /** Tells how it goes. */
  public Trainer<E> reporting(Progress to) {
    progress = to;
    return this;
  }

  /** Trains to the end and leaves the best parameters in the delta. */
  public TrainResult run(List<E> examples) {
    BatchPlan<E> plan = new BatchPlan<>(examples, objective::tokens, settings);
    try (FusedAdamW adam =
        new FusedAdamW(delta.parameters(), BETA1, BETA2, EPSILON, delta.spec()::rateFactor)) {
      Checkpoint checkpoint = new Checkpoint(delta, adam, run);
      Checkpoint.State state = checkpoint.restore();
      if (run != null) {
        run.rewindTo(state.step());
      }
      return loop(plan, adam, checkpoint, state);
    } finally {
      progress.close();
    }
  }

  private TrainResult loop(
      BatchPlan<E> plan, FusedAdamW adam, Checkpoint checkpoint, Checkpoint.State start) {
    long total = plan.steps();
    List<Double> losses = new ArrayList<>(start.losses());
    Best best = new Best(start);
    long step = start.step();
    long tokens = 0;
    long busy = 0;
    long saved = System.nanoTime();
    Update update = new Update(delta.parameters(), adam, settings.decay(), settings.clip());
    boolean stopped = start.finished();
    while (step < total && !stopped) {
      long began = System.nanoTime();
      List<E> examples = plan.batch(step);
      double rate = settings.schedule().rate(step, total);
      double loss = update.step(rate, losses(examples, step)).loss();
      delta.rule().afterStep(step + 1, total);
      if (step % STEPS_BETWEEN_TRIMS == 0) {
        NativeHeap.trim();
      }
      int seen = examples.stream().mapToInt(objective::tokens).sum();
      busy += System.nanoTime() - began;
      tokens += seen;
      step++;
      losses.add(loss);
      record(new RunEvent(step, "train", Map.of("loss", loss, "rate", rate, "tokens", seen)));
      progress.step(
          new Progress.Step(plan.epoch(step - 1), settings.epochs(), step, total, loss, tokens));
      if (isEvaluation(step, total)) {
        stopped = evaluate(step, best, checkpoint);
      }
      boolean due = System.nanoTime() - saved > settings.checkpointSeconds() * 1e9;
      if (run != null && (due || stopped || step == total)) {
        checkpoint.save(
            new Checkpoint.State(step, losses, best.score, best.step, best.worse, stopped));
        saved = System.nanoTime();
      }
    }
    if (best.step > 0) {
      checkpoint.restoreBest();
    }
    long kept = best.step > 0 ? best.step : step;
    return new TrainResult(step, losses, tokens, busy / 1e9, kept, stopped);
  }

  /** The losses of a step's micro-batches, each weighted by its share of what the mean is over. */
  private List<Supplier<Tensor>> losses(List<E> examples, long step) {
    double total = examples.stream().mapToInt(objective::weight).sum();
    List<Supplier<Tensor>> losses = new ArrayList<>();
    int parts = settings.accumulation();
    for (int part = 0; part < parts; part++) {
      int from = examples.size() * part / parts;
      int to = examples.size() * (part + 1) / parts;
      if (from == to) {
        continue;
      }
      List<E> micro = examples.subList(from, to);
      double share = micro.stream().mapToInt(objective::weight).sum() / total;
      Rng rng = Rng.seeded(settings.seed()).derive(step).derive(part);
      losses.add(() -> Arithmetic.multiply(loss(micro, rng), share));
    }
    return losses;
  }

  private Tensor loss(List<E> examples, Rng rng) {
    Batch batch = Batch.of(examples.stream().map(objective::row).toList());
    Pass pass = Pass.with(batch.layout(), delta.patches()).training(rng);
    Tensor loss = objective.loss(delta.base(), examples, batch, pass);
    Tensor penalty = delta.rule().penalty();
    return penalty == null ? loss : Arithmetic.add(loss, penalty);
  }

  private boolean isEvaluation(long step, long total) {
    if (score == null || settings.evaluations() == 0) {
      return false;
    }
    long n = Math.min(settings.evaluations(), total);
    return step * n / total > (step - 1) * n / total;
  }

  /** Returns whether patience ran out. */
  private boolean evaluate(long step, Best best, Checkpoint checkpoint) {
    ToDoubleFunction<Delta> scorer = java.util.Objects.requireNonNull(score);
    double found = Gradients.none(() -> scorer.applyAsDouble(delta));
    record(new RunEvent(step, "dev", Map.of(isLoss ? "loss" : "accuracy", found)));
    progress.note("step %d: dev %s %.4f".formatted(step, isLoss ? "loss" : "score", found));
    double now = isLoss ? -found : found;
    if (best.score.isEmpty() || now > best.score.getAsDouble()) {
      best.score = OptionalDouble.of(now);
      best.step = step;
      best.worse = 0;
      checkpoint.saveBest();
      return false;
    }
    best.worse++;
    return settings.patience() > 0 && best.worse >= settings.patience();
  }

  private void record(RunEvent event) {
    if (run != null) {
      run.append(event);
    }
  }

  /** The best score so far. */
  private static final class Best {
    private OptionalDouble score;
    private long step;
    private int worse;

    Best(Checkpoint.State start) {
      score = start.bestScore();
      step = start.bestStep();
      worse = start.worse();
    }
  }
}
