package io.trimtab.model;

import io.trimtab.hub.Tokenizer;

/**
 * A pretrained model with the tokenizer that it was trained with. Immutable; any number of threads
 * may share one.
 *
 * @param model the model
 * @param tokenizer its tokenizer
 */
public record LanguageModel(Model model, Tokenizer tokenizer) implements AutoCloseable {
  /** What it was opened as. */
  public String name() {
    return model.name();
  }

  /** Frees the model and the tokenizer. */
  @Override
  public void close() {
    try {
      model.close();
    } finally {
      tokenizer.close();
    }
  }
}
