package io.trimtab.delta.lora;

import io.trimtab.delta.Delta;
import io.trimtab.delta.Part;
import io.trimtab.model.Model;
import io.trimtab.tensor.Gradients;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SequencedMap;

/**
 * A LoRA in the form that any reader of PEFT's files knows: one A and one B a layer, nothing to
 * subtract. What PEFT's {@code path_initial_model_for_weight_conversion} does for PiSSA and OLoRA.
 */
final class PlainLora {
  private PlainLora() {}

  /** The same delta where it has that form, else another with the same results. */
  static Delta of(Lora lora, Delta delta) {
    boolean plain =
        delta.parts().stream()
            .allMatch(part -> !(part instanceof LoraLinear linear) || linear.isPlain());
    if (plain) {
      return delta;
    }
    return Gradients.none(
        () -> {
          try (Scope _ = Scope.open()) {
            SequencedMap<String, LoraScaling.Sized> sizes = new LinkedHashMap<>();
            Map<String, Tensor> values = new LinkedHashMap<>();
            delta.parameters().forEach(each -> values.put(each.name(), each.value()));
            for (Part part : delta.parts()) {
              switch (part) {
                case LoraLinear linear -> {
                  sizes.put(linear.layer().path(), linear.sized());
                  values.putAll(linear.tensors());
                }
                case LoraEmbedding embedding ->
                    sizes.put(embedding.layer().path(), embedding.sized());
                default -> {} // has the form that files have
              }
            }
            Lora written =
                lora.scaled(LoraScaling.of(sizes))
                    .start(Starts.KAIMING)
                    .training(Lora.Trained.BOTH)
                    .onParts();
            return filled(written, delta.base(), values);
          }
        });
  }

  /** A delta of the given settings whose parameters have the given values, by name. */
  static Delta filled(Lora lora, Model model, Map<String, Tensor> values) {
    Delta delta = lora.attach(model, Rng.seeded(0)); // every number is overwritten below
    try {
      for (Parameter parameter : stored(delta)) {
        parameter.assign(Objects.requireNonNull(values.get(parameter.name()), parameter::name));
      }
      return delta;
    } catch (RuntimeException e) {
      delta.close();
      throw e;
    }
  }

  private static List<Parameter> stored(Delta delta) {
    return java.util.stream.Stream.concat(delta.parameters().stream(), delta.constants().stream())
        .toList();
  }
}
