package io.trimtab.bench;

import io.trimtab.delta.Delta;
import io.trimtab.delta.DeltaFiles;
import io.trimtab.hub.ModelConfig;
import io.trimtab.hub.Safetensors;
import io.trimtab.hub.TensorFile;
import io.trimtab.model.Batch;
import io.trimtab.model.Model;
import io.trimtab.model.Pass;
import io.trimtab.model.Positions;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Device;
import io.trimtab.tensor.Engine;
import io.trimtab.tensor.FusedAdamW;
import io.trimtab.tensor.Gradients;
import io.trimtab.tensor.Neural;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.json.JsonMapper;

/**
 * Trimtab's side of the job {@code tune-bert}: LoRA steps over batches that were made for both
 * sides (bench/peers/README.md), and of {@code methods}: the same with another delta. A step's time
 * includes taking the padding out of its batch.
 */
public final class TuneBert {
  private static final long IGNORED = -100;

  private TuneBert() {}

  /** One padded batch as the file has it. */
  @SuppressWarnings("ArrayRecordComponent") // read once and never compared
  private record Padded(long[][] ids, long[][] mask, long[][] labels) {}

  /** One row without its padding: where its mask is, and the word that belongs there. */
  private record Example(Batch.Row row, int mask, long word) {}

  /** Runs the job; the last line of standard output is a JSON object. */
  public static void main(String[] args) {
    Map<String, String> options = new HashMap<>();
    for (int i = 0; i + 1 < args.length; i += 2) {
      options.put(args[i].replaceFirst("^--", ""), args[i + 1]);
    }
    Path workload = Path.of(need(options, "workload"));
    Path directory = Path.of(need(options, "model"));
    DType dtype = DType.valueOf(need(options, "dtype").toUpperCase(java.util.Locale.ROOT));
    boolean full = need(options, "loss").equals("full");
    int steps = Integer.parseInt(need(options, "steps"));
    int warmup = Integer.parseInt(need(options, "warmup"));
    Engine.setThreads(Integer.parseInt(need(options, "threads")));
    ModelConfig job = ModelConfig.read(workload.resolve("workload.json"));
    ModelConfig optimizer = job.section("optimizer");
    long[] words = job.integers("label_word_ids").stream().mapToLong(Integer::longValue).toArray();

    try (Model model = open(directory, dtype);
        Delta delta = start(options, workload, model);
        FusedAdamW adam = new FusedAdamW(delta.parameters(), 0.9, 0.999, 1e-8)) {
      List<Padded> batches = read(workload.resolve("batches.safetensors"), steps);
      List<Double> losses = new ArrayList<>();
      List<Double> seconds = new ArrayList<>();
      long tokens = 0;
      double busy = 0;
      for (int step = 0; step < steps; step++) {
        long began = System.nanoTime();
        List<Example> examples = unpad(batches.get(step));
        losses.add(step(model, delta, examples, full ? null : words, step));
        adam.step(optimizer.decimal("learning_rate"), optimizer.decimal("weight_decay"));
        double took = (System.nanoTime() - began) / 1e9;
        seconds.add(took);
        if (step >= warmup) {
          busy += took;
          tokens += examples.stream().mapToInt(example -> example.row().ids().length).sum();
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

  /** The delta of {@code --start DIR}, else a new one of {@code --method NAME}, else the job's. */
  private static Delta start(Map<String, String> options, Path workload, Model model) {
    String method = options.get("method");
    String start = options.get("start");
    if (start == null && method != null) {
      return MethodStarts.attach(method, model);
    }
    return DeltaFiles.load(start == null ? workload.resolve("start") : Path.of(start), model);
  }

  private static double step(
      Model model,
      Delta delta,
      List<Example> examples,
      long @org.jspecify.annotations.Nullable [] words,
      int step) {
    delta.parameters().forEach(Parameter::clearGradient);
    try (Scope _ = Scope.open()) {
      Batch batch = Batch.of(examples.stream().map(Example::row).toList());
      int[][] masks = examples.stream().map(e -> new int[] {e.mask()}).toArray(int[][]::new);
      Pass pass = Pass.with(batch.layout(), delta.patches()).training(Rng.seeded(step));
      Tensor chosen = words == null ? null : Creation.longs(words, words.length);
      Tensor logits = model.maskedLogits(batch, pass, Positions.of(masks, batch.layout()), chosen);
      long[] classes =
          examples.stream()
              .mapToLong(e -> words == null ? e.word() : indexOf(words, e.word()))
              .toArray();
      Tensor loss = Neural.crossEntropy(logits, Creation.longs(classes, classes.length));
      Gradients.backward(loss);
      return loss.item();
    }
  }

  private static int indexOf(long[] words, long word) {
    for (int i = 0; i < words.length; i++) {
      if (words[i] == word) {
        return i;
      }
    }
    throw new IllegalArgumentException("word " + word + " is none of " + Arrays.toString(words));
  }

  private static List<Example> unpad(Padded batch) {
    List<Example> examples = new ArrayList<>();
    for (int row = 0; row < batch.ids().length; row++) {
      int length = (int) Arrays.stream(batch.mask()[row]).sum();
      int[] ids = Arrays.stream(batch.ids()[row]).limit(length).mapToInt(id -> (int) id).toArray();
      for (int at = 0; at < length; at++) {
        if (batch.labels()[row][at] != IGNORED) {
          examples.add(new Example(Batch.Row.of(ids), at, batch.labels()[row][at]));
        }
      }
    }
    examples.sort(Comparator.comparingInt(example -> example.row().ids().length));
    return examples;
  }

  static Model open(Path directory, DType dtype) {
    ModelConfig config = ModelConfig.read(directory.resolve("config.json"));
    TensorFile file = Safetensors.open(directory.resolve("model.safetensors"));
    return Model.build("bert-base-uncased", config, file, dtype, Device.CPU);
  }

  private static List<Padded> read(Path path, int steps) {
    List<Padded> batches = new ArrayList<>();
    try (TensorFile file = Safetensors.open(path)) {
      int digits = file.names().contains("00.input_ids") ? 2 : 3;
      for (int step = 0; step < steps; step++) {
        String prefix = ("%0" + digits + "d.").formatted(step);
        batches.add(
            new Padded(
                rows(file, prefix + "input_ids"),
                rows(file, prefix + "attention_mask"),
                rows(file, prefix + "labels")));
      }
    }
    return batches;
  }

  private static long[][] rows(TensorFile file, String name) {
    int columns = (int) file.info(name).shape()[1];
    try (Scope _ = Scope.open()) {
      long[] all = Creation.copyOf(file.bytes(name), DType.I64, file.info(name).shape()).toLongs();
      long[][] rows = new long[all.length / columns][];
      for (int row = 0; row < rows.length; row++) {
        rows[row] = Arrays.copyOfRange(all, row * columns, (row + 1) * columns);
      }
      return rows;
    }
  }

  private static String need(Map<String, String> options, String name) {
    String value = options.get(name);
    if (value == null) {
      throw new IllegalArgumentException("--" + name + " is missing; see bench/peers/README.md");
    }
    return value;
  }
}
