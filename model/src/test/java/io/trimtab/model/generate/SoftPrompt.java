package io.trimtab.model.generate;

import io.trimtab.model.Embeddings;
import io.trimtab.model.Model;
import io.trimtab.model.Pass;
import io.trimtab.model.Patch;
import io.trimtab.model.Patches;
import io.trimtab.model.Site;
import io.trimtab.model.Stack;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Tensor;
import java.util.Map;

/** Random vectors before the words of every row. */
record SoftPrompt(Tensor made) implements Patch.Inserted {
  static final int COUNT = 3;

  /** A prompt for a model. */
  static Patches on(Model model) {
    return before(model.stack(), model);
  }

  /** One before what a stack of a model reads. */
  static Patches before(Stack stack, Model model) {
    Embeddings embeddings = stack.embeddings();
    long size = embeddings.words().table().size(1);
    Tensor vectors = Rng.seeded(1).normal(0.5, model.dtype(), model.device(), COUNT, size);
    return Patches.of(Map.of(Site.inserted(embeddings.words().path()), new SoftPrompt(vectors)));
  }

  @Override
  public int count() {
    return COUNT;
  }

  @Override
  public Tensor vectors(Pass pass) {
    return made;
  }
}
