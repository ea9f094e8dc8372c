package io.trimtab.train;

import io.trimtab.delta.Delta;
import io.trimtab.hub.Safetensors;
import io.trimtab.hub.TensorData;
import io.trimtab.hub.TensorFile;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.FusedAdamW;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;

/**
 * Everything a run needs to go on to the identical result: parameters, AdamW's moments, and where
 * it stands, in one safetensors file that is moved into place whole.
 */
final class Checkpoint {
  private static final String FILE = "state.safetensors";

  /**
   * Where a run stands.
   *
   * @param step steps done
   * @param losses of every step
   * @param bestScore the best dev score so far
   * @param bestStep the step it was reached at, or 0
   * @param worse evaluations since without a better one
   * @param finished whether patience has run out
   */
  record State(
      long step,
      List<Double> losses,
      OptionalDouble bestScore,
      long bestStep,
      int worse,
      boolean finished) {
    static final State START = new State(0, List.of(), OptionalDouble.empty(), 0, 0, false);
  }

  private final Delta delta;
  private final FusedAdamW adam;
  private final @Nullable RunDirectory run;
  private final Map<String, Tensor> best = new HashMap<>();

  Checkpoint(Delta delta, FusedAdamW adam, @Nullable RunDirectory run) {
    this.delta = delta;
    this.adam = adam;
    this.run = run;
  }

  /** Keeps the present parameters as the best. */
  void saveBest() {
    for (Parameter parameter : delta.parameters()) {
      try (Scope scope = Scope.open()) {
        Tensor old = best.put(parameter.name(), scope.keep(parameter.value().copy()).held());
        if (old != null) {
          old.close();
        }
      }
    }
  }

  /** Puts the best parameters back. */
  void restoreBest() {
    for (Parameter parameter : delta.parameters()) {
      Tensor kept = best.get(parameter.name());
      if (kept != null) {
        parameter.assign(kept);
        kept.close();
      }
    }
    best.clear();
  }

  void save(State state) {
    if (run == null) {
      return;
    }
    LinkedHashMap<String, TensorData> tensors = new LinkedHashMap<>();
    for (Parameter parameter : all()) {
      put(tensors, parameter.name(), parameter.value());
    }
    best.forEach((name, value) -> put(tensors, "best." + name, value));
    double[] losses = state.losses().stream().mapToDouble(Double::doubleValue).toArray();
    try (Scope _ = Scope.open()) {
      put(tensors, "losses", Creation.doubles(losses, losses.length));
    }
    Map<String, String> metadata = new LinkedHashMap<>();
    metadata.put("step", String.valueOf(state.step()));
    metadata.put("updates", String.valueOf(adam.steps()));
    metadata.put("best_step", String.valueOf(state.bestStep()));
    state.bestScore().ifPresent(s -> metadata.put("best_score", String.valueOf(s)));
    metadata.put("worse", String.valueOf(state.worse()));
    metadata.put("finished", String.valueOf(state.finished()));
    try {
      Files.createDirectories(run.checkpoint());
    } catch (IOException e) {
      throw new TrainingException("cannot make " + run.checkpoint() + ": " + e, e);
    }
    Safetensors.write(run.checkpoint().resolve(FILE), tensors, metadata);
  }

  private static void put(Map<String, TensorData> tensors, String name, Tensor value) {
    tensors.put(name, new TensorData(value.dtype(), value.shape(), value.detach().toBytes()));
  }

  private List<Parameter> all() {
    List<Parameter> all = new ArrayList<>(delta.parameters());
    all.addAll(delta.constants());
    all.addAll(delta.rule().state());
    all.addAll(adam.moments());
    return all;
  }

  /** Puts back the last checkpoint of the run; the start where there is none. */
  State restore() {
    if (run == null || !Files.isRegularFile(run.checkpoint().resolve(FILE))) {
      return State.START;
    }
    Path path = run.checkpoint().resolve(FILE);
    try (Scope scope = Scope.open();
        TensorFile file = Safetensors.open(path)) {
      for (Parameter parameter : all()) {
        parameter.assign(read(file, parameter.name()));
      }
      for (String name : file.names()) {
        if (name.startsWith("best.")) {
          best.put(name.substring("best.".length()), scope.keep(read(file, name)).held());
        }
      }
      Map<String, String> metadata = file.metadata();
      adam.resumeAt(Long.parseLong(field(metadata, "updates", path)));
      List<Double> losses = new ArrayList<>();
      for (double loss : read(file, "losses").toDoubles()) {
        losses.add(loss);
      }
      String score = metadata.get("best_score");
      return new State(
          Long.parseLong(field(metadata, "step", path)),
          losses,
          score == null ? OptionalDouble.empty() : OptionalDouble.of(Double.parseDouble(score)),
          Long.parseLong(field(metadata, "best_step", path)),
          Integer.parseInt(field(metadata, "worse", path)),
          Boolean.parseBoolean(field(metadata, "finished", path)));
    }
  }

  private static String field(Map<String, String> metadata, String name, Path path) {
    String value = metadata.get(name);
    if (value == null) {
      throw new TrainingException(
          "found no " + name + " in " + path + ", expected a checkpoint; start the run anew");
    }
    return value;
  }

  private static Tensor read(TensorFile file, String name) {
    return Creation.copyOf(file.bytes(name), file.info(name).dtype(), file.info(name).shape());
  }
}
