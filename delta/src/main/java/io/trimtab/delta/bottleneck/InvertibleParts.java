package io.trimtab.delta.bottleneck;

import io.trimtab.delta.Part;
import io.trimtab.model.Embeddings;
import io.trimtab.model.Layer;
import io.trimtab.model.Linear;
import io.trimtab.model.Model;
import io.trimtab.model.Patch;
import io.trimtab.model.Place;
import io.trimtab.model.Site;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * The two places of an invertible adapter: behind the embeddings (before these are projected, where
 * a model does that) and, where words are scored, the inverse before their scores.
 */
final class InvertibleParts {
  private InvertibleParts() {}

  static List<Part> of(
      Invertible settings, Model model, NonLinearity between, Start start, Rng rng) {
    Embeddings embeddings = model.stack().embeddings();
    Layer last = embeddings.children().getLast();
    boolean projected = last instanceof Linear;
    long size = last instanceof Linear projection ? projection.weight().in() : Blocks.hidden(model);
    Coupling coupling =
        new Coupling(settings, "invertible", size, between, start, model.device(), rng);
    List<Part> parts = new ArrayList<>();
    Site<?> site = projected ? Site.input(last.path()) : Site.output(embeddings.path());
    Patch forward =
        projected
            ? (Patch.Input) (x, pass) -> coupling.forward(x)
            : (Patch.Output) (x, y, pass) -> coupling.forward(y);
    parts.add(new OnePlace(site, forward, coupling, embeddings.words().tableName()));
    Place head = model.places().get("lm_head.proj");
    if (settings.undone()
        && head != null
        && model.layer(head.path()).orElse(null) instanceof Linear scores) {
      Patch inverse = (Patch.Input) (x, pass) -> coupling.inverse(x);
      parts.add(new OnePlace(Site.input(scores.path()), inverse, coupling, scores.weightName()));
    }
    return parts;
  }

  private record OnePlace(Site<?> site, Patch patch, Coupling coupling, String weight)
      implements Part {
    @Override
    public List<Parameter> parameters() {
      return coupling.parameters();
    }

    @Override
    public List<String> baseTensors() {
      return List.of(weight);
    }

    @Override
    public Tensor merge(String name, Tensor stored) {
      throw BottleneckPart.cannotMerge(name);
    }
  }
}
