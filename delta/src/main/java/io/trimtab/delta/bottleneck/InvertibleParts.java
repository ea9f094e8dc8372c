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
import java.util.Optional;

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
    if (settings.undone()) {
      scores(model)
          .ifPresent(
              scores -> {
                Patch inverse = (Patch.Input) (x, pass) -> coupling.inverse(x);
                Site<?> before = Site.input(scores.path());
                parts.add(new OnePlace(before, inverse, coupling, scores.weightName()));
              });
    }
    return parts;
  }

  /** The linear layer that scores words; a decoder's head of that layer alone has its path, too. */
  private static Optional<Linear> scores(Model model) {
    Place head = model.places().get("lm_head.proj");
    return model
        .root()
        .walk()
        .filter(Linear.class::isInstance)
        .map(Linear.class::cast)
        .filter(layer -> head != null && layer.path().equals(head.path()))
        .findFirst();
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
