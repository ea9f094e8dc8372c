package io.trimtab.bench;

import io.trimtab.delta.Delta;
import io.trimtab.delta.DeltaFiles;
import io.trimtab.hub.ModelConfig;
import io.trimtab.hub.Safetensors;
import io.trimtab.hub.TensorFile;
import io.trimtab.model.Batch;
import io.trimtab.model.Model;
import io.trimtab.model.Pass;
import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Engine;
import io.trimtab.tensor.FusedAdamW;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import io.trimtab.train.LanguageObjective;
import io.trimtab.train.TokenExample;
import io.trimtab.train.Update;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Supplier;
import tools.jackson.databind.json.JsonMapper;

/**
 * Trimtab's side of the job {@code tune-smol}: LoRA steps on a decoder over batches that were made
 * for both sides (bench/peers/README.md), every token of which is learnt.
 */
public final class TuneSmol {
  private TuneSmol() {}

  /** Runs the job; the last line of standard output is a JSON object. */
  public static void main(String[] args) {
    Map<String, String> options = new HashMap<>();
    for (int i = 0; i + 1 < args.length; i += 2) {
      options.put(args[i].replaceFirst("^--", ""), args[i + 1]);
    }
    Path workload = Path.of(need(options, "workload"));
    Path directory = Path.of(need(options, "model"));
    DType dtype = DType.valueOf(need(options, "dtype").toUpperCase(Locale.ROOT));
    int steps = Integer.parseInt(need(options, "steps"));
    int warmup = Integer.parseInt(need(options, "warmup"));
    int parts = Integer.parseInt(options.getOrDefault("parts", "1"));
    Engine.setThreads(Integer.parseInt(need(options, "threads")));
    ModelConfig optimizer =
        ModelConfig.read(workload.resolve("workload.json")).section("optimizer");

    try (Model model = open(directory, dtype);
        Delta delta = DeltaFiles.load(workload.resolve("start"), model);
        FusedAdamW adam = new FusedAdamW(delta.parameters(), 0.9, 0.999, 1e-8)) {
      List<long[][]> batches = read(workload.resolve("batches.safetensors"), steps);
      Update update = new Update(delta.parameters(), adam, optimizer.decimal("weight_decay"), 0);
      List<Double> losses = new ArrayList<>();
      List<Double> seconds = new ArrayList<>();
      long tokens = 0;
      double busy = 0;
      for (int step = 0; step < steps; step++) {
        long began = System.nanoTime();
        List<TokenExample> examples =
            Arrays.stream(batches.get(step)).map(TuneSmol::example).toList();
        Update.Outcome outcome =
            update.step(optimizer.decimal("learning_rate"), losses(model, delta, examples, parts));
        losses.add(outcome.loss());
        double took = (System.nanoTime() - began) / 1e9;
        seconds.add(took);
        if (step >= warmup) {
          busy += took;
          tokens += examples.stream().mapToInt(example -> example.ids().length).sum();
        }
      }
      Map<String, Object> line = new LinkedHashMap<>();
      line.put("dtype", options.get("dtype"));
      line.put("loss", options.get("loss"));
      line.put("threads", Engine.threads());
      line.put("trainable", delta.count());
      line.put("losses", losses);
      line.put("step_seconds", seconds);
      line.put("tokens_per_s", tokens / busy);
      line.put("peak_memory_mb", Engine.peakMemory() / 1e6);
      line.put("versions", Engine.description());
      System.out.println(JsonMapper.shared().writeValueAsString(line));
    }
  }

  /** The losses of a step's parts, each weighted by its share of what is learnt. */
  private static List<Supplier<Tensor>> losses(
      Model model, Delta delta, List<TokenExample> examples, int parts) {
    LanguageObjective objective = new LanguageObjective();
    double total = examples.stream().mapToInt(objective::weight).sum();
    List<Supplier<Tensor>> losses = new ArrayList<>();
    for (int part = 0; part < parts; part++) {
      List<TokenExample> some =
          examples.subList(examples.size() * part / parts, examples.size() * (part + 1) / parts);
      double share = some.stream().mapToInt(objective::weight).sum() / total;
      losses.add(
          () -> {
            Batch batch = Batch.of(some.stream().map(objective::row).toList());
            Pass pass = Pass.with(batch.layout(), delta.patches()).training(Rng.seeded(0));
            return Arithmetic.multiply(objective.loss(model, some, batch, pass), share);
          });
    }
    return losses;
  }

  private static TokenExample example(long[] ids) {
    return TokenExample.all(Arrays.stream(ids).mapToInt(id -> (int) id).toArray());
  }

  private static Model open(Path directory, DType dtype) {
    ModelConfig config = ModelConfig.read(directory.resolve("config.json"));
    TensorFile file = Safetensors.open(directory.resolve("model.safetensors"));
    return Model.build("smollm2-135m", config, file, dtype, Device.CPU);
  }

  private static List<long[][]> read(Path path, int steps) {
    List<long[][]> batches = new ArrayList<>();
    try (TensorFile file = Safetensors.open(path)) {
      int digits = file.names().contains("00.input_ids") ? 2 : 3;
      for (int step = 0; step < steps; step++) {
        String name = ("%0" + digits + "d.input_ids").formatted(step);
        long[] shape = file.info(name).shape();
        try (Scope _ = Scope.open()) {
          long[] all = Creation.copyOf(file.bytes(name), DType.I64, shape).toLongs();
          int columns = (int) shape[1];
          long[][] rows = new long[(int) shape[0]][];
          Arrays.setAll(rows, row -> Arrays.copyOfRange(all, row * columns, (row + 1) * columns));
          batches.add(rows);
        }
      }
    }
    return batches;
  }

  private static String need(Map<String, String> options, String name) {
    String value = options.get(name);
    if (value == null) {
      throw new IllegalArgumentException("--" + name + " is missing; see bench/peers/README.md");
    }
    return value;
  }
}
