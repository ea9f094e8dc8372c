package io.trimtab.train.parity;

import io.trimtab.model.Batch;
import io.trimtab.model.Model;
import io.trimtab.model.Pass;
import io.trimtab.model.Patches;
import io.trimtab.tensor.Gradients;
import io.trimtab.tensor.Reduction;
import io.trimtab.tensor.Tensor;
import java.nio.file.Path;
import java.util.List;

/** A model with the hidden states and logits that transformers computed. */
final class HfKind implements Kind {
  private static final double ALLOWED = 1e-4;

  @Override
  public String folder() {
    return "hf";
  }

  @Override
  public List<String> files() {
    return List.of("config.json", "io.safetensors");
  }

  @Override
  public Errors check(Path directory) {
    return Gradients.none(
        () -> {
          try (Model model = Recorded.model(directory);
              Recorded io = Recorded.open(directory.resolve("io.safetensors"))) {
            return compare(model, io);
          }
        });
  }

  private static Errors compare(Model model, Recorded io) {
    Errors errors = new Errors();
    Batch batch = io.batch("", true);
    List<Tensor> states = model.stack().hiddenStates(batch, Pass.plain(batch.layout()));
    long recorded = io.names().stream().filter(name -> name.startsWith("hidden.")).count();
    if (recorded != 0 && recorded != states.size()) {
      throw new ParityException(
          "found " + recorded + " recorded hidden states, expected " + states.size());
    }
    for (int i = 0; i < recorded; i++) {
      String name = "hidden." + i;
      errors.add(name, Reduction.largestDifference(states.get(i), io.packed(name, "")), ALLOWED);
    }
    if (io.has("logits")) {
      Tensor logits = Recorded.logits(model, batch, Patches.NONE);
      errors.add("logits", Reduction.largestDifference(logits, io.logits("logits")), ALLOWED);
    }
    return errors;
  }
}
