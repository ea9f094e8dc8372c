package io.trimtab.delta.lora;

import io.trimtab.delta.Address;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.Part;
import io.trimtab.delta.tokens.TrainableTokens;
import io.trimtab.model.Embedding;
import io.trimtab.model.Layer;
import io.trimtab.model.Model;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Rows of embeddings that are trained beside LoRA: PEFT's {@code trainable_token_indices}. */
final class LoraTokens {
  private static final String SUFFIX = ".token_adapter.trainable_tokens_delta";

  private LoraTokens() {}

  /**
   * Parts for tokens of embeddings.
   *
   * @param tokens by the end of an embedding's path, or by nothing for the input embedding, the
   *     indices to train
   * @param adapted paths of embeddings whose rows another part of the same delta changes
   * @param headWithoutBias see {@link Lora#headWithoutBias}
   * @throws DeltaException for an embedding that is not there, or an index outside of it
   */
  static List<Part> parts(
      Model model,
      Map<String, List<Integer>> tokens,
      Set<String> adapted,
      boolean headWithoutBias) {
    List<Part> parts = new ArrayList<>();
    tokens.forEach(
        (name, indices) -> {
          for (Embedding layer : embeddings(model, name)) {
            parts.addAll(
                TrainableTokens.parts(
                    model,
                    layer,
                    indices,
                    SUFFIX,
                    !headWithoutBias,
                    adapted.contains(layer.path())));
          }
        });
    return parts;
  }

  /** Whether any head tied to an embedding with trained tokens has a bias. */
  static boolean tiedToBias(Model model, Map<String, List<Integer>> tokens) {
    return tokens.keySet().stream()
        .flatMap(name -> embeddings(model, name).stream())
        .anyMatch(layer -> TrainableTokens.isTiedToBias(model, layer));
  }

  private static List<Embedding> embeddings(Model model, String name) {
    if (name.isEmpty()) {
      return model.stacks().stream().map(stack -> stack.embeddings().words()).distinct().toList();
    }
    List<Embedding> found = new ArrayList<>();
    for (Layer layer : model.root().walk().toList()) {
      if (layer instanceof Embedding embedding && Address.endsIn(layer.path(), name)) {
        found.add(embedding);
      }
    }
    if (found.isEmpty()) {
      throw new DeltaException.NoMatch(
          "found no embedding "
              + name
              + " in "
              + model.name()
              + " for trainable tokens, expected the end of an embedding's path; name it");
    }
    return found;
  }
}
