package io.trimtab.delta.bottleneck;

import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.Part;
import io.trimtab.delta.SavedModules;
import io.trimtab.model.Model;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Settings of bottleneck adapters of any kind.
 *
 * @param method the method that these are settings of: Houlsby's, Pfeiffer's …
 * @param placement where adapters go
 * @param size how many numbers the bottleneck has
 * @param maps of what the linear maps are made
 * @param inside what else is in an adapter
 * @param start what dense weights start as, and whether the way up starts at zero
 * @param invertible an invertible adapter at the embeddings, or null for none
 * @param modulesToSave layers, such as a new classifier, that are trained as a whole
 * @param lenient whether names of modules to save that hit nothing are let pass, as in files
 */
public record Bottleneck(
    BottleneckMethod method,
    Placement placement,
    Size size,
    Maps maps,
    Inside inside,
    Start start,
    @Nullable Invertible invertible,
    List<String> modulesToSave,
    boolean lenient)
    implements DeltaSpec {
  /** Copies the list and refuses what does not go together. */
  public Bottleneck {
    modulesToSave = List.copyOf(modulesToSave);
    boolean parallel =
        placement instanceof Placement.Beside
            || placement instanceof Placement.Sublayers(_, _, Placement.Flow.Parallel _, _);
    if (parallel && inside.residualBeforeNormAfter()) {
      throw new DeltaException.Unsupported(
          "found adapter_residual_before_ln=true for parallel adapters, expected false: what they"
              + " are added to is the model's");
    }
  }

  /** Adapters with nothing special about them. */
  public static Bottleneck of(
      BottleneckMethod method,
      Placement placement,
      Size size,
      Maps maps,
      Inside inside,
      Start start) {
    return new Bottleneck(method, placement, size, maps, inside, start, null, List.of(), false);
  }

  /** The same with an invertible adapter at the embeddings. */
  public Bottleneck inverting(Invertible settings) {
    return new Bottleneck(
        method, placement, size, maps, inside, start, settings, modulesToSave, lenient);
  }

  /** The same with whole layers trained along. */
  public Bottleneck saving(String... modules) {
    return new Bottleneck(
        method, placement, size, maps, inside, start, invertible, List.of(modules), lenient);
  }

  /**
   * The places of a model where adapters go, in the order of computation or of the names.
   *
   * @throws DeltaException.NoMatch where a name hits nothing
   */
  public List<AdapterPlace> places(Model model) {
    return Places.of(placement, model);
  }

  @Override
  public List<Part> parts(Model model, Rng rng) {
    List<AdapterPlace> places = places(model);
    List<Part> parts = new ArrayList<>();
    try (Scope _ = Scope.open()) {
      ProjectionMaker maker = new ProjectionMaker(maps, start, model.device(), rng);
      for (AdapterPlace place : places) {
        long width = size.of(place.in(), place.block());
        AdapterBody body = new AdapterBody(place, width, inside, maker, model.device(), rng);
        parts.add(new BottleneckPart(place, placement, body));
      }
      if (invertible != null) {
        parts.addAll(InvertibleParts.of(invertible, model, inside.nonLinearity(), start, rng));
      }
    }
    parts.addAll(SavedModules.find(model, modulesToSave, lenient).parts());
    return parts;
  }

  @Override
  public Map<String, Object> toConfig(Model model) {
    return BottleneckFields.write(this);
  }
}
