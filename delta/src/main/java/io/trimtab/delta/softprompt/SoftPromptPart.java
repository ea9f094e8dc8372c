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

/** Vectors among the words' vectors of every row, or among what the embeddings make of them. */
final class SoftPromptPart implements Part {
  private final Site<Patch.Inserted> site;
  private final Embedding words;
  private final SoftPrompt.Place place;
  private final int count;
  private final PromptSource source;

  SoftPromptPart(
      Site<Patch.Inserted> site,
      Embedding words,
      SoftPrompt.Place place,
      int count,
      PromptSource source) {
    this.site = site;
    this.words = words;
    this.place = place;
    this.count = count;
    this.source = source;
  }

  PromptSource source() {
    return source;
  }

  @Override
  public Site<?> site() {
    return site;
  }

  @Override
  public Patch patch() {
    return new Patch.Inserted() {
      @Override
      public int count() {
        return count;
      }

      @Override
      public int before() {
        return place == SoftPrompt.Place.EMBEDDED_AFTER_FIRST ? 1 : 0;
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
