package io.trimtab.train.parity;

import io.trimtab.delta.Delta;
import io.trimtab.delta.adapterhub.AdapterHubFormat;
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

/** An adapter that AdapterHub wrote, with the logits it gives; merged it must give the same. */
final class AdapterHubKind implements Kind {
  /** Relative to the largest logit. */
  private static final double ALLOWED = 1e-5;

  @Override
  public String folder() {
    return "adapterhub";
  }

  @Override
  public List<String> files() {
    return List.of(AdapterHubFormat.CONFIG, AdapterHubFormat.TENSORS, "io.safetensors");
  }

  @Override
  public Errors check(Path directory, DType type) {
    ModelConfig meta = ModelConfig.read(directory.resolve("io.json"));
    boolean single = Files.exists(directory.resolve(AdapterHubFormat.CONFIG));
    Path base = base(directory, meta);
    return Gradients.none(
        () -> {
          try (Model model = Recorded.model(base, type);
              Delta delta =
                  single
                      ? new AdapterHubFormat().load(directory, model)
                      : AdapterHubComposition.load(directory, meta, model);
              Recorded inputs = Recorded.open(base.resolve("io.safetensors"));
              Recorded io = Recorded.open(directory.resolve("io.safetensors"))) {
            Tensor expected = expected(io, inputs, directory);
            Errors errors = new Errors();
            Tensor found = inputs.logits(model, true, delta.patches());
            if (isGated(delta)) {
              found = inputs.inFullRows(found);
              expected = inputs.inFullRows(expected);
            }
            errors.add("logits", PeftKind.relative(found, expected), ALLOWED);
            Optional<Tensor> merged = PeftKind.merged(delta, inputs, true);
            if (merged.isPresent()) {
              errors.add(
                  "logits after merging", PeftKind.relative(merged.get(), expected), ALLOWED);
            }
            return errors;
          }
        });
  }

  /** AdapterHub's gates look at padding too, so that only rows without any tell. */
  private static boolean isGated(Delta delta) {
    return delta.parameters().stream().anyMatch(each -> each.name().endsWith("gate.weight"));
  }

  /** The base beside the adapters as the fixtures lie, else where the adapter says. */
  private static Path base(Path directory, ModelConfig meta) {
    Path said =
        meta.has("base")
            ? directory.resolve("../../hf").resolve(meta.text("base")).normalize()
            : directory.resolve(config(directory).text("model_name")).normalize();
    if (!Files.isDirectory(said)) {
      throw new ParityException(
          "found no base at " + said + ", expected the model that the adapter was made for there");
    }
    return said;
  }

  private static ModelConfig config(Path directory) {
    return ModelConfig.read(directory.resolve(AdapterHubFormat.CONFIG));
  }

  /** Without the vectors of a soft prompt, which AdapterHub gives logits for too. */
  private static Tensor expected(Recorded io, Recorded inputs, Path directory) {
    Tensor logits = io.tensor("logits");
    if (logits.rank() != 3) {
      return logits;
    }
    if (!Files.exists(directory.resolve(AdapterHubFormat.CONFIG))) {
      return inputs.packed(logits, "logits", inputs.scored());
    }
    ModelConfig settings = config(directory).section("config");
    if (settings.has("prompt_length")) {
      int length = settings.integer("prompt_length");
      int before = settings.text("combine", "prefix").equals("prefix") ? 0 : 1;
      long after = logits.size(1) - before - length;
      logits =
          Indexing.concat(
              List.of(
                  Indexing.slice(logits, 1, 0, before),
                  Indexing.slice(logits, 1, (long) before + length, after)),
              1);
    }
    return inputs.packed(logits, "logits", inputs.scored());
  }
}
