package io.trimtab.delta.softprompt;

import io.trimtab.delta.DeltaException;
import io.trimtab.delta.Part;
import io.trimtab.model.Embedding;
import io.trimtab.model.Pass;
import io.trimtab.model.Patch;
import io.trimtab.model.Site;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Tensor;
import java.util.List;

/** Vectors in front of the words' vectors of every row. */
final class SoftPromptPart implements Part {
  private final Embedding words;
  private final int count;
  private final PromptSource source;

  SoftPromptPart(Embedding words, int count, PromptSource source) {
    this.words = words;
    this.count = count;
    this.source = source;
  }

  PromptSource source() {
    return source;
  }

  @Override
  public Site<?> site() {
    return Site.inserted(words.path());
  }

  @Override
  public Patch patch() {
    return new Patch.Inserted() {
      @Override
      public int count() {
        return count;
      }

      @Override
      public Tensor vectors(Pass pass) {
        return source.vectors();
      }
    };
  }

  @Override
  public List<Parameter> parameters() {
    return source.parameters();
  }

  @Override
  public List<String> baseTensors() {
    return List.of(words.tableName());
  }

  @Override
  public Tensor merge(String name, Tensor stored) {
    throw new DeltaException.Unsupported(
        "found a soft prompt, expected a delta that changes weights: vectors in front of the text"
            + " cannot be merged into any; use the delta beside the model");
  }
}
