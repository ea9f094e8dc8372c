package io.trimtab.train.parity;

import io.trimtab.delta.Delta;
import io.trimtab.delta.opendelta.OpenDeltaFormat;
import io.trimtab.hub.ModelConfig;
import io.trimtab.model.Model;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Gradients;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.Tensor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** A checkpoint that OpenDelta wrote, with the logits it gives; merged it must give the same. */
final class OpenDeltaKind implements Kind {
  /** Relative to the largest logit. */
  private static final double ALLOWED = 1e-5;

  @Override
  public String folder() {
    return "opendelta";
  }

  @Override
  public List<String> files() {
    return List.of(OpenDeltaFormat.CONFIG, OpenDeltaFormat.PICKLED, "io.safetensors");
  }

  /** A model may have files of these names too. */
  @Override
  public boolean holds(Path directory) {
    return Kind.super.holds(directory) && new OpenDeltaFormat().recognises(directory);
  }

  @Override
  public Errors check(Path directory, DType type) {
    ModelConfig config = ModelConfig.read(directory.resolve(OpenDeltaFormat.CONFIG));
    Path base = base(directory, config);
    return Gradients.none(
        () -> {
          try (Model model = Recorded.model(base, type);
              Delta delta = new OpenDeltaFormat().load(directory, model);
              Recorded inputs = Recorded.open(base.resolve("io.safetensors"));
              Recorded io = Recorded.open(directory.resolve("io.safetensors"))) {
            // What OpenDelta puts in front of a row has no token types.
            boolean types = !config.has("soft_token_num");
            Tensor expected = expected(io, inputs);
            Errors errors = new Errors();
            Tensor found = inputs.logits(model, types, delta.patches());
            errors.add("logits", PeftKind.relative(found, expected), ALLOWED);
            Optional<Tensor> merged = PeftKind.merged(delta, inputs, types);
            if (merged.isPresent()) {
              errors.add(
                  "logits after merging", PeftKind.relative(merged.get(), expected), ALLOWED);
            }
            return errors;
          }
        });
  }

  /** The base beside the checkpoints as the fixtures lie. */
  private static Path base(Path directory, ModelConfig config) {
    String name = config.text("backbone_checkpoint_name");
    Path said = directory.resolve("../../hf").resolve(name).normalize();
    if (!Files.isDirectory(said)) {
      throw new ParityException(
          "found no base at " + said + ", expected the model that the delta was made for there");
    }
    return said;
  }

  /** Without the vectors of a soft prompt before those that are scored, which have logits too. */
  private static Tensor expected(Recorded io, Recorded inputs) {
    Tensor logits = io.tensor("logits");
    if (logits.rank() != 3) {
      return logits;
    }
    long tokens = inputs.matrix(inputs.scored() + "attention_mask")[0].length;
    Tensor real = Indexing.slice(logits, 1, logits.size(1) - tokens, tokens);
    return inputs.packed(real, "logits", inputs.scored());
  }
}
