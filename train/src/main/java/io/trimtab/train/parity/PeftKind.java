package io.trimtab.train.parity;

import io.trimtab.delta.Delta;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaFiles;
import io.trimtab.hub.ModelConfig;
import io.trimtab.model.Batch;
import io.trimtab.model.Head;
import io.trimtab.model.Model;
import io.trimtab.model.Pass;
import io.trimtab.model.Patches;
import io.trimtab.tensor.Arithmetic;
import io.trimtab.tensor.DType;
import io.trimtab.tensor.Gradients;
import io.trimtab.tensor.Indexing;
import io.trimtab.tensor.Reduction;
import io.trimtab.tensor.Tensor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * An adapter that PEFT wrote, with the logits it gives. Merged into the base it must give the same,
 * so that what PEFT's own merge gave (wrong for an embedding that a head is tied to) is not read.
 */
final class PeftKind implements Kind {
  /** Relative to the largest logit. */
  private static final double ALLOWED = 1e-5;

  @Override
  public String folder() {
    return "peft";
  }

  @Override
  public List<String> files() {
    return List.of(DeltaFiles.CONFIG, DeltaFiles.TENSORS, "io.safetensors");
  }

  @Override
  public Errors check(Path directory, DType type) {
    ModelConfig meta = ModelConfig.read(directory.resolve("io.json"));
    Path base = base(directory, meta);
    return Gradients.none(
        () -> {
          try (Model model = Recorded.model(base, type);
              Delta delta = DeltaFiles.load(directory, model);
              Recorded inputs = Recorded.open(base.resolve("io.safetensors"));
              Recorded io = Recorded.open(directory.resolve("io.safetensors"))) {
            boolean types = !meta.has("inputs") || meta.texts("inputs").contains("token_type_ids");
            Tensor expected = expected(io, inputs);
            Errors errors = new Errors();
            errors.add("logits", relative(found(inputs, types, delta), expected), ALLOWED);
            merged(delta, inputs, types)
                .ifPresent(
                    logits ->
                        errors.add("logits after merging", relative(logits, expected), ALLOWED));
            return errors;
          }
        });
  }

  private static Tensor found(Recorded inputs, boolean types, Delta delta) {
    Model model = delta.base();
    if (model.isEncoderDecoder() || model.head(Head.CausalLm.class).isEmpty()) {
      return inputs.logits(model, types, delta.patches());
    }
    Batch batch = inputs.batch("", types);
    return model.causalLogitsOfAll(batch, Pass.with(batch.layout(), delta.patches())).logits();
  }

  /** What the merged model gives; empty for what no weight can hold, such as a prompt. */
  static Optional<Tensor> merged(Delta delta, Recorded inputs, boolean types) {
    try (Model merged = delta.merge()) {
      return Optional.of(inputs.logits(merged, types, Patches.NONE));
    } catch (DeltaException.Unsupported e) {
      return Optional.empty();
    }
  }

  /** The base beside the adapters as the fixtures lie, else where the adapter says. */
  private static Path base(Path directory, ModelConfig meta) {
    if (meta.has("base")) {
      Path beside = directory.resolve("../..").resolve("hf").resolve(meta.text("base")).normalize();
      if (Files.isDirectory(beside)) {
        return beside;
      }
    }
    ModelConfig config = ModelConfig.read(directory.resolve(DeltaFiles.CONFIG));
    Path said = directory.resolve(config.text("base_model_name_or_path")).normalize();
    if (!Files.isDirectory(said)) {
      throw new ParityException(
          "found no base at " + said + ", expected the model that the adapter was made for there");
    }
    return said;
  }

  private static Tensor expected(Recorded io, Recorded inputs) {
    Tensor logits = io.tensor("logits");
    if (logits.rank() != 3) {
      return logits;
    }
    long[][] mask = inputs.matrix(inputs.scored() + "attention_mask");
    long before = logits.size(1) - mask[0].length;
    if (before <= 0) {
      return inputs.packed(logits, "logits", inputs.scored());
    }
    // Of a decoder under a soft prompt, those of the prompt's own vectors come first.
    List<Tensor> rows = new ArrayList<>();
    for (int row = 0; row < mask.length; row++) {
      long real = before + Arrays.stream(mask[row]).sum();
      rows.add(Indexing.slice(Indexing.at(logits, 0, row), 0, 0, real));
    }
    return Indexing.concat(rows, 0);
  }

  /** The largest difference over the largest expected number. */
  static double relative(Tensor found, Tensor expected) {
    double largest = Reduction.max(Arithmetic.absolute(expected)).item();
    return Reduction.largestDifference(found, expected) / Math.max(largest, Double.MIN_NORMAL);
  }
}
