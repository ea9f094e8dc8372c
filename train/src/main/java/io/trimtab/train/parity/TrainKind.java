package io.trimtab.train.parity;

import io.trimtab.delta.Delta;
import io.trimtab.delta.DeltaFiles;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.selective.Selective;
import io.trimtab.hub.ModelConfig;
import io.trimtab.model.Batch;
import io.trimtab.model.Model;
import io.trimtab.model.Pass;
import io.trimtab.model.Positions;
import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.FusedAdamW;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.Neural;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Reduction;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import io.trimtab.train.Update;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/**
 * Training steps of PyTorch: its batches, rates, losses and gradient norms, and what it ended with.
 */
final class TrainKind implements Kind {
  private static final double ALLOWED_LOSS = 1e-4;

  /** Relative to the norm. */
  private static final double ALLOWED_NORM = 1e-3;

  /** Relative to the largest number of the tensor. */
  private static final double ALLOWED_END = 1e-3;

  /**
   * A gradient that is never larger than this share of all gradients' norm is zero but for
   * rounding. A key's bias is such a parameter, since it adds the same to all scores of a softmax.
   * AdamW makes steps of full size of any gradient, so that where it ends depends on the order of
   * additions.
   */
  private static final double ROUNDING = 1e-6;

  private static final double CLIP = 1;

  private static final long IGNORED = -100;

  @Override
  public String folder() {
    return "train";
  }

  @Override
  public List<String> files() {
    return List.of("curve.json", "batches.safetensors");
  }

  @Override
  public Errors check(Path directory, DType type) {
    Curve curve = Curve.read(directory.resolve("curve.json"));
    try (Model model = Recorded.model(directory.resolve(curve.base()).normalize(), type);
        Delta delta = start(directory, curve, model);
        Recorded batches = Recorded.open(directory.resolve("batches.safetensors"))) {
      Errors errors = new Errors();
      Set<String> rounding = train(curve, delta, batches, errors);
      compareEnd(directory, delta, rounding, errors);
      return errors;
    }
  }

  private static Delta start(Path directory, Curve curve, Model model) {
    if (Files.isDirectory(directory.resolve("start"))) {
      Delta start = DeltaFiles.load(directory.resolve("start"), model);
      if (start.count() != curve.trainable()) {
        long count = start.count();
        start.close();
        throw new ParityException.Unsupported(
            "found "
                + curve.trainable()
                + " numbers trained and "
                + count
                + " in what it started with, expected as many: what trains a network over a prompt"
                + " stores what that computes, and not the network");
      }
      return start;
    }
    Set<String> trained = new HashSet<>(curve.trainableNames());
    for (DeltaSpec spec : List.of(Selective.all(), Selective.biases())) {
      Delta delta = spec.attach(model, Rng.seeded(0));
      Set<String> names = new HashSet<>(delta.parameters().stream().map(Parameter::name).toList());
      if (names.equals(trained)) {
        return delta;
      }
      delta.close();
    }
    throw new ParityException.Unsupported(
        "found "
            + trained.size()
            + " trainable tensors, expected all of the model's or all its biases; other choices are"
            + " not trained yet");
  }

  /** Returns the names of the parameters that only rounding has moved. */
  private static Set<String> train(Curve curve, Delta delta, Recorded batches, Errors errors) {
    Map<String, Double> largest = new HashMap<>();
    int distinct =
        (int) batches.names().stream().filter(name -> name.endsWith(".input_ids")).count();
    try (FusedAdamW adam = new FusedAdamW(delta.parameters(), 0.9, 0.999, 1e-8)) {
      Update update = new Update(delta.parameters(), adam, 0.01, CLIP);
      for (int step = 0; step < curve.losses().size(); step++) {
        List<Supplier<Tensor>> micro = new ArrayList<>();
        for (int part = 0; part < curve.microBatches(); part++) {
          String prefix = "%02d.".formatted((step * curve.microBatches() + part) % distinct);
          micro.add(
              () ->
                  Arithmetic.multiply(
                      loss(curve.task(), delta, batches, prefix), 1.0 / curve.microBatches()));
        }
        Update.Outcome outcome = update.step(curve.rates().get(step), micro);
        String at = " of step " + (step + 1);
        errors.add("loss" + at, Math.abs(outcome.loss() - curve.losses().get(step)), ALLOWED_LOSS);
        double norm = curve.gradientNorms().get(step);
        errors.add(
            "gradient norm" + at, Math.abs(outcome.gradientNorm() - norm) / norm, ALLOWED_NORM);
        noteGradients(delta, outcome.gradientNorm(), largest);
      }
    }
    Set<String> rounding = new HashSet<>();
    largest.forEach(
        (name, share) -> {
          if (share > 0 && share < ROUNDING) {
            rounding.add(name);
          }
        });
    return rounding;
  }

  /** Notes how large a parameter's gradient ever was, as a share of the norm of all together. */
  private static void noteGradients(Delta delta, double norm, Map<String, Double> largest) {
    double clipped = Math.min(norm, CLIP);
    for (Parameter parameter : delta.parameters()) {
      try (Scope _ = Scope.open()) {
        Tensor gradient = parameter.gradient();
        double size =
            gradient == null ? 0 : Reduction.max(Arithmetic.absolute(gradient)).item() / clipped;
        largest.merge(parameter.name(), size, Math::max);
      }
    }
  }

  private static Tensor loss(String task, Delta delta, Recorded batches, String prefix) {
    Batch batch = batches.batch(prefix, true);
    Pass pass = Pass.with(batch.layout(), delta.patches()).training(Rng.seeded(0));
    Model model = delta.base();
    return switch (task) {
      case "cls" ->
          Neural.crossEntropy(model.classify(batch, pass), batches.tensor(prefix + "labels"));
      case "mlm" -> maskedLoss(model, batches, prefix, batch, pass);
      case "lm", "answer" -> nextWordLoss(model, batches, prefix, batch, pass);
      case "s2s" -> answerLoss(model, batches, prefix, batch, pass);
      default ->
          throw new ParityException.Unsupported(
              "found task "
                  + task
                  + ", expected mlm, cls, lm, answer or s2s; other losses are not computed yet");
    };
  }

  /** The mean over the tokens whose label is not to be ignored. */
  private static Tensor maskedLoss(
      Model model, Recorded batches, String prefix, Batch batch, Pass pass) {
    long[][] labels = batches.matrix(prefix + "labels");
    long[][] mask = batches.matrix(prefix + "attention_mask");
    int[][] positions = new int[labels.length][];
    List<Long> words = new ArrayList<>();
    for (int row = 0; row < labels.length; row++) {
      long[] real = realTokens(labels[row], mask[row]);
      positions[row] = IntStream.range(0, real.length).filter(i -> real[i] != IGNORED).toArray();
      Arrays.stream(positions[row]).forEach(i -> words.add(real[i]));
    }
    long[] expected = words.stream().mapToLong(Long::longValue).toArray();
    Tensor logits = model.maskedLogits(batch, pass, Positions.of(positions, batch.layout()), null);
    return Neural.crossEntropy(logits, Creation.longs(expected, expected.length));
  }

  /** The mean over the tokens after which a word comes whose label is not to be ignored. */
  private static Tensor nextWordLoss(
      Model model, Recorded batches, String prefix, Batch batch, Pass pass) {
    long[][] labels = batches.matrix(prefix + "labels");
    long[][] mask = batches.matrix(prefix + "attention_mask");
    Model.AllLogits all = model.causalLogitsOfAll(batch, pass);
    int[][] positions = new int[labels.length][];
    List<Long> words = new ArrayList<>();
    for (int row = 0; row < labels.length; row++) {
      long[] real = realTokens(labels[row], mask[row]);
      int before = all.layout().length(row) - real.length; // the vectors of a prompt
      positions[row] =
          IntStream.range(before == 0 ? 1 : 0, real.length)
              .filter(i -> real[i] != IGNORED)
              .peek(i -> words.add(real[i]))
              .map(i -> before + i - 1)
              .toArray();
    }
    long[] expected = words.stream().mapToLong(Long::longValue).toArray();
    Positions at = Positions.of(positions, all.layout());
    Tensor logits = Indexing.select(all.logits(), 0, at.indices(model.device()));
    return Neural.crossEntropy(logits, Creation.longs(expected, expected.length));
  }

  /**
   * The mean over the words of a decoder's answer whose label is not to be ignored. It is given the
   * labels one later, after the word that answers start with.
   */
  private static Tensor answerLoss(
      Model model, Recorded batches, String prefix, Batch batch, Pass pass) {
    long[][] labels = batches.matrix(prefix + "labels");
    ModelConfig config = model.config();
    int start = config.integer("decoder_start_token_id", 0);
    int padding = config.integer("pad_token_id", 0);
    List<Batch.Row> rows = new ArrayList<>();
    int[][] positions = new int[labels.length][];
    List<Long> words = new ArrayList<>();
    for (int row = 0; row < labels.length; row++) {
      long[] own = labels[row];
      positions[row] = IntStream.range(0, own.length).filter(i -> own[i] != IGNORED).toArray();
      Arrays.stream(positions[row]).forEach(i -> words.add(own[i]));
      int length = Arrays.stream(positions[row]).max().orElse(0) + 1;
      int[] ids = new int[length];
      for (int i = 0; i < length; i++) {
        ids[i] = i == 0 ? start : own[i - 1] == IGNORED ? padding : (int) own[i - 1];
      }
      rows.add(new Batch.Row(ids, new int[0]));
    }
    Batch answers = Batch.of(rows);
    Pass decoding =
        Pass.with(answers.layout(), pass.segments().getFirst().patches())
            .training(Rng.seeded(0))
            .reading(model.encode(batch, pass));
    Positions at = Positions.of(positions, answers.layout());
    long[] expected = words.stream().mapToLong(Long::longValue).toArray();
    Tensor logits = model.causalLogits(answers, decoding, at, null);
    return Neural.crossEntropy(logits, Creation.longs(expected, expected.length));
  }

  private static long[] realTokens(long[] values, long[] mask) {
    return IntStream.range(0, values.length)
        .filter(i -> mask[i] != 0)
        .mapToLong(i -> values[i])
        .toArray();
  }

  private static void compareEnd(Path directory, Delta delta, Set<String> rounding, Errors errors) {
    Map<String, Tensor> found = new LinkedHashMap<>();
    delta.parameters().forEach(each -> found.put(each.name(), each.value().detach()));
    Path adapter = directory.resolve("end");
    if (Files.isDirectory(adapter)) {
      try (Delta end = DeltaFiles.load(adapter, delta.base())) {
        for (Parameter parameter : end.parameters()) {
          compareEnd(parameter.name(), found, parameter.value().detach(), rounding, errors);
        }
      }
    } else {
      try (Recorded end = Recorded.open(directory.resolve("end.safetensors"))) {
        end.names().forEach(name -> compareEnd(name, found, end.tensor(name), rounding, errors));
      }
    }
    if (!found.isEmpty()) {
      throw new ParityException(
          "found no " + String.join(", ", found.keySet()) + " among the tensors it ended with");
    }
  }

  private static void compareEnd(
      String name,
      Map<String, Tensor> found,
      Tensor expected,
      Set<String> rounding,
      Errors errors) {
    Tensor own = found.remove(name);
    if (own == null) {
      throw new ParityException(
          "found " + name + " among the tensors it ended with, expected only those it trained");
    }
    if (!rounding.contains(name)) {
      errors.add("end of " + name, PeftKind.relative(own, expected), ALLOWED_END);
    }
  }
}
