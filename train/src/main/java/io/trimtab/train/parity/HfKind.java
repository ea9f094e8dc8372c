package io.trimtab.train.parity;

import io.trimtab.hub.ModelConfig;
import io.trimtab.model.Batch;
import io.trimtab.model.Head;
import io.trimtab.model.KeyValueCache;
import io.trimtab.model.Model;
import io.trimtab.model.Pass;
import io.trimtab.model.Patches;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Gradients;
import io.trimtab.tensor.Reduction;
import io.trimtab.tensor.Tensor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** A model with the hidden states and logits that transformers computed. */
final class HfKind implements Kind {
  static final double ALLOWED = 1e-4;

  @Override
  public String folder() {
    return "hf";
  }

  @Override
  public List<String> files() {
    return List.of("config.json", "io.safetensors");
  }

  @Override
  public Errors check(Path directory, DType type) {
    return Gradients.none(
        () -> {
          try (Model model = Recorded.model(directory, type);
              Recorded io = Recorded.open(directory.resolve("io.safetensors"))) {
            if (model.isEncoderDecoder()) {
              return new EncoderDecoderCheck(model, io).check(directory);
            }
            Errors errors = compare(model, io);
            if (model.head(Head.CausalLm.class).isPresent()) {
              compareNextWords(model, io, errors);
              compareGreedy(model, io, directory, errors);
            }
            return errors;
          }
        });
  }

  /** Padding on the left is left out like any other. */
  private static void compareNextWords(Model model, Recorded io, Errors errors) {
    if (io.has("left_last_logits")) {
      Batch batch = io.batch("left_", false);
      Tensor logits = model.nextLogits(batch, Pass.plain(batch.layout()), null);
      errors.add(
          "logits after padding on the left",
          Reduction.largestDifference(logits, io.tensor("left_last_logits")),
          ALLOWED);
    }
  }

  /** The likeliest words one after the other, with a cache; one that differs is an error of 1. */
  private static void compareGreedy(Model model, Recorded io, Path directory, Errors errors) {
    Path notes = directory.resolve("io.json");
    if (!Files.exists(notes) || !ModelConfig.read(notes).has("greedy")) {
      return;
    }
    List<List<Integer>> recorded = ModelConfig.read(notes).integerLists("greedy");
    Batch now = io.batch("", false);
    int[] lengths = now.rows().stream().mapToInt(row -> row.ids().length).toArray();
    int different = 0;
    try (KeyValueCache cache = new KeyValueCache()) {
      for (int step = 0; step < recorded.getFirst().size() - lengths[0]; step++) {
        Pass pass = Pass.plain(now.layout()).caching(cache);
        long[] best = Reduction.argMax(model.nextLogits(now, pass, null), 1).toLongs();
        for (int row = 0; row < best.length; row++) {
          different += best[row] == recorded.get(row).get(lengths[row] + step) ? 0 : 1;
        }
        now = Batch.of(Arrays.stream(best).mapToObj(id -> Batch.Row.of((int) id)).toList());
      }
    }
    errors.add("greedy text", different, 0.5);
  }

  private static Errors compare(Model model, Recorded io) {
    Errors errors = new Errors();
    Batch batch = io.batch("", true);
    List<Tensor> states = model.stack().hiddenStates(batch, Pass.plain(batch.layout()));
    compareStates(states, io, "", "hidden.", errors);
    compareLogits(model, io, errors);
    return errors;
  }

  /** Hidden states under a prefix, of tokens whose mask is under another. */
  static void compareStates(
      List<Tensor> states, Recorded io, String tokens, String prefix, Errors errors) {
    long recorded = io.names().stream().filter(name -> name.startsWith(prefix)).count();
    if (recorded != 0 && recorded != states.size()) {
      throw new ParityException(
          "found " + recorded + " recorded hidden states, expected " + states.size());
    }
    for (int i = 0; i < recorded; i++) {
      String name = prefix + i;
      Tensor expected = io.packed(name, tokens);
      errors.add(name, Reduction.largestDifference(states.get(i), expected), ALLOWED);
    }
  }

  static void compareLogits(Model model, Recorded io, Errors errors) {
    if (io.has("logits")) {
      Tensor logits = io.logits(model, true, Patches.NONE);
      errors.add("logits", Reduction.largestDifference(logits, io.logits("logits")), ALLOWED);
    }
  }
}
