package io.trimtab.train.parity;

import io.trimtab.hub.ModelConfig;
import io.trimtab.model.Batch;
import io.trimtab.model.Encoded;
import io.trimtab.model.Head;
import io.trimtab.model.KeyValueCache;
import io.trimtab.model.Model;
import io.trimtab.model.Pass;
import io.trimtab.model.Stack;
import io.trimtab.tensor.Creation;
import io.trimtab.tensor.Reduction;
import io.trimtab.tensor.Tensor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** What transformers computed of a model that reads one text and writes another. */
record EncoderDecoderCheck(Model model, Recorded io) {
  Errors check(Path directory) {
    Errors errors = new Errors();
    Batch batch = io.batch("", false);
    Batch words = io.batch("decoder_", false);
    Encoded encoded = model.encode(batch, Pass.plain(batch.layout()));
    Stack encoder = model.stacks().getFirst();
    Stack decoder = model.stacks().getLast();
    HfKind.compareStates(
        encoder.hiddenStates(batch, Pass.plain(batch.layout())), io, "", "encoder_hidden.", errors);
    HfKind.compareStates(
        decoder.hiddenStates(words, Pass.plain(words.layout()).reading(encoded)),
        io,
        "decoder_",
        "decoder_hidden.",
        errors);
    if (model.head(Head.CausalLm.class).isPresent()) {
      HfKind.compareLogits(model, io, errors);
      compareGreedy(directory, encoded, errors);
    }
    return errors;
  }

  /**
   * The likeliest words one after the other, with a cache; one that differs is an error of 1. No
   * recorded text may end early, and where the configuration forces the last word it says nothing.
   */
  private void compareGreedy(Path directory, Encoded encoded, Errors errors) {
    Path notes = directory.resolve("io.json");
    if (!Files.exists(notes) || !ModelConfig.read(notes).has("greedy")) {
      return;
    }
    ModelConfig config = model.config();
    List<List<Integer>> recorded = ModelConfig.read(notes).integerLists("greedy");
    int end = config.integer("eos_token_id", -1);
    int vocabulary = model.stacks().getLast().embeddings().words().rows();
    long[] others = IntStream.range(0, vocabulary).filter(id -> id != end).asLongStream().toArray();
    Tensor allowed = Creation.longs(others, others.length);
    int last = recorded.getFirst().size() - (config.has("forced_eos_token_id") ? 1 : 0);
    int[] now = recorded.stream().mapToInt(List::getFirst).toArray();
    int different = 0;
    try (KeyValueCache cache = new KeyValueCache()) {
      for (int step = 1; step < last; step++) {
        Batch words = Batch.of(Arrays.stream(now).mapToObj(Batch.Row::of).toList());
        Pass pass = Pass.plain(words.layout()).reading(encoded).caching(cache);
        long[] best = Reduction.argMax(model.nextLogits(words, pass, allowed), 1).toLongs();
        for (int row = 0; row < now.length; row++) {
          now[row] = (int) others[(int) best[row]];
          different += now[row] == recorded.get(row).get(step) ? 0 : 1;
        }
      }
    }
    errors.add("greedy text", different, 0.5);
  }
}
