package io.trimtab.bench;

import io.trimtab.delta.Address;
import io.trimtab.delta.Delta;
import io.trimtab.delta.lora.Lora;
import io.trimtab.model.Batch;
import io.trimtab.model.Model;
import io.trimtab.model.Pass;
import io.trimtab.model.Patches;
import io.trimtab.model.Positions;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Engine;
import io.trimtab.tensor.Gradients;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import tools.jackson.databind.json.JsonMapper;

/**
 * What deltas cost at inference: many LoRAs mixed in one batch against the base alone, a merged
 * one, attaching, and switching between two. BERT-base's shape, SST-2's lengths, the two label
 * words' scores at the mask.
 *
 * <p>Arguments: {@code --data FILE [--adapters 1,10,100] [--rows 128] [--rank 8] [--targets
 * query,value|all-linear] [--rounds 5] [--threads 2] [--model DIR]}.
 */
public final class Adapters {
  private static final long[] LABEL_WORDS = {6659, 2307};

  private final Model model;
  private final List<Batch.Row> rows;
  private final int tokens;

  private Adapters(Model model, List<Batch.Row> rows) {
    this.model = model;
    this.rows = rows;
    tokens = Batch.of(rows).layout().tokens();
  }

  /** One thing that is timed, in turns with the others. */
  private record Timed(String name, Supplier<double[]> work, List<Double> seconds) {
    double median() {
      double[] sorted = seconds.stream().mapToDouble(Double::doubleValue).sorted().toArray();
      return sorted[sorted.length / 2];
    }
  }

  /** Runs the job; the last line of standard output is a JSON object. */
  public static void main(String[] args) {
    Map<String, String> options = new HashMap<>();
    for (int i = 0; i + 1 < args.length; i += 2) {
      options.put(args[i].replaceFirst("^--", ""), args[i + 1]);
    }
    Engine.setThreads(Integer.parseInt(options.getOrDefault("threads", "2")));
    int rounds = Integer.parseInt(options.getOrDefault("rounds", "5"));
    int rank = Integer.parseInt(options.getOrDefault("rank", "8"));
    int count = Integer.parseInt(options.getOrDefault("rows", "128"));
    String targets = options.getOrDefault("targets", "query,value");
    int[] numbers =
        Arrays.stream(options.getOrDefault("adapters", "1,10,100").split(","))
            .mapToInt(Integer::parseInt)
            .toArray();
    List<Batch.Row> rows =
        Sentences.rows(Path.of(options.getOrDefault("data", "sst2.txt")), count, 0);
    List<Delta> deltas = new ArrayList<>();
    String directory = options.get("model");
    try (Model model =
        directory == null ? RandomBert.open() : TuneBert.open(Path.of(directory), DType.F32)) {
      int most = Math.max(2, Arrays.stream(numbers).max().orElse(0));
      Lora lora = Lora.rank(rank).on(Address.parse(targets));
      for (int i = 0; i < most; i++) {
        deltas.add(moved(lora.attach(model, Rng.seeded(i)), i));
      }
      Map<String, Object> line = new LinkedHashMap<>();
      line.put("job", "adapters");
      line.put("targets", targets);
      line.put("rank", rank);
      line.put("rows", count);
      line.put("rounds", rounds);
      line.put("threads", Engine.threads());
      line.putAll(new Adapters(model, rows).figures(deltas, numbers, rounds, lora));
      System.out.println(JsonMapper.shared().writeValueAsString(line));
    } finally {
      deltas.forEach(Delta::close);
    }
  }

  /** B starts at zero: with numbers in it a wrong delta would show. */
  private static Delta moved(Delta delta, int seed) {
    Rng rng = Rng.seeded(seed);
    for (Parameter parameter : delta.parameters()) {
      try (Scope _ = Scope.open()) {
        Tensor value = parameter.value();
        parameter.assign(rng.normal(0.02, DType.F32, value.device(), value.shape()));
      }
    }
    return delta;
  }

  private Map<String, Object> figures(List<Delta> deltas, int[] numbers, int rounds, Lora lora) {
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("tokens", tokens);
    try (Model merged = deltas.getFirst().merge()) {
      List<Timed> all = new ArrayList<>();
      all.add(timed("base", () -> scores(model, List.of(Patches.NONE))));
      all.add(timed("merged", () -> scores(merged, List.of(Patches.NONE))));
      for (int n : numbers) {
        List<Patches> some = deltas.subList(0, n).stream().map(Delta::patches).toList();
        all.add(timed(n + (n == 1 ? " adapter" : " adapters"), () -> scores(model, some)));
      }
      Patches first = deltas.get(0).patches();
      Patches second = deltas.get(1).patches();
      boolean[] turn = {false};
      all.add(
          timed(
              "two in turns",
              () -> {
                turn[0] = !turn[0];
                return scores(model, List.of(turn[0] ? first : second));
              }));
      checkMerged(merged, first);
      for (int round = -1; round < rounds; round++) {
        for (Timed timed : all) {
          long began = System.nanoTime();
          var _ = timed.work().get();
          double seconds = (System.nanoTime() - began) / 1e9;
          if (round >= 0) { // the first round warms up
            timed.seconds().add(seconds);
          }
        }
      }
      double base = all.getFirst().median();
      for (Timed timed : all) {
        double speed = tokens / timed.median();
        double ratio = base / timed.median();
        System.err.printf(
            "%-14s %8.1f tokens/s  %5.1f %% of the base alone%n", timed.name(), speed, ratio * 100);
        line.put(timed.name(), Map.of("tokens_per_s", speed, "ratio", ratio));
      }
    }
    line.put("attach_detach_ms", attachAndDetach(lora));
    line.put("use_ns", use(deltas));
    return line;
  }

  private static Timed timed(String name, Supplier<double[]> work) {
    return new Timed(name, work, new ArrayList<>());
  }

  /** Rows spread evenly over the deltas, those of one delta side by side. */
  private double[] scores(Model of, List<Patches> patches) {
    return Gradients.none(
        () -> {
          try (Scope _ = Scope.open()) {
            Batch batch = Batch.of(rows);
            int[][] masks =
                rows.stream().map(row -> new int[] {Sentences.mask(row)}).toArray(int[][]::new);
            Pass pass = Pass.segmented(batch.layout(), segments(patches));
            return of.maskedLogits(
                    batch,
                    pass,
                    Positions.of(masks, batch.layout()),
                    Creation.longs(LABEL_WORDS, LABEL_WORDS.length))
                .toDoubles();
          }
        });
  }

  private List<Pass.Segment> segments(List<Patches> patches) {
    List<Pass.Segment> segments = new ArrayList<>();
    for (int i = 0; i < patches.size(); i++) {
      int first = rows.size() * i / patches.size();
      int end = rows.size() * (i + 1) / patches.size();
      segments.add(new Pass.Segment(end - first, patches.get(i)));
    }
    return segments;
  }

  /** A merged model that computes something else would prove nothing by its speed. */
  private void checkMerged(Model merged, Patches patches) {
    double[] ours = scores(merged, List.of(Patches.NONE));
    double[] theirs = scores(model, List.of(patches));
    for (int i = 0; i < ours.length; i++) {
      if (!(Math.abs(ours[i] - theirs[i]) < 1e-3 * (1 + Math.abs(theirs[i])))) {
        throw new IllegalStateException(
            "the merged model gives " + ours[i] + " where the delta gives " + theirs[i]);
      }
    }
  }

  /**
   * A new delta made and freed again, in milliseconds; the median of many, in a process that has
   * done it before, as a server has: the first hundred times are the compiler's.
   */
  private double attachAndDetach(Lora lora) {
    double[] times = new double[201];
    for (int i = -1000; i < times.length; i++) {
      long began = System.nanoTime();
      lora.attach(model, Rng.seeded(i)).close();
      if (i >= 0) {
        times[i] = (System.nanoTime() - began) / 1e6;
      }
    }
    Arrays.sort(times);
    return times[times.length / 2];
  }

  /** What it takes to use another delta from the next call on, in nanoseconds. */
  private double use(List<Delta> deltas) {
    Batch batch = Batch.of(rows);
    int calls = 100_000;
    long began = 0;
    int seen = 0;
    for (int i = -calls; i < calls; i++) {
      if (i == 0) {
        began = System.nanoTime();
      }
      Pass pass = Pass.with(batch.layout(), deltas.get(Math.floorMod(i, 2)).patches());
      seen += pass.segments().size();
    }
    if (seen != 2 * calls) {
      throw new IllegalStateException("found " + seen + " segments"); // keeps the loop alive
    }
    return (System.nanoTime() - began) / (double) calls;
  }
}
