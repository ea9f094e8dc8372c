package io.trimtab.delta;

import io.trimtab.model.Layer;
import io.trimtab.model.Linear;
import io.trimtab.model.Model;
import io.trimtab.model.Patch;
import io.trimtab.model.Patches;
import io.trimtab.model.Site;
import io.trimtab.tensor.Gradients;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Rng;
import io.trimtab.tensor.Scope;
import io.trimtab.tensor.Tensor;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SequencedMap;
import java.util.Set;
import java.util.stream.Stream;

/**
 * A small trainable part over a frozen model. The model never knows: a delta acts only on passes
 * that carry its {@link #patches}.
 */
public final class Delta implements AutoCloseable {
  private final DeltaSpec spec;
  private final Model base;
  private final List<Part> parts;
  private final Patches patches;
  private final TrainingRule rule;
  private final List<Delta> children;

  private Delta(
      DeltaSpec spec, Model base, List<Part> parts, Patches patches, List<Delta> children) {
    this.spec = spec;
    this.base = base;
    this.parts = List.copyOf(parts);
    this.patches = patches;
    this.children = List.copyOf(children);
    rule = spec.rule(this);
  }

  /** A delta of the given parts, at most one a site. */
  static Delta of(DeltaSpec spec, Model base, List<Part> parts) {
    return of(spec, base, parts, List.of());
  }

  /**
   * A delta made of others.
   *
   * @param parts at most one a site; they act for the children, whose parameters are theirs
   * @param children what it is made of
   */
  public static Delta of(DeltaSpec spec, Model base, List<Part> parts, List<Delta> children) {
    Map<Site<?>, Patch> at = new HashMap<>();
    for (Part part : parts) {
      if (at.put(part.site(), part.patch()) != null) {
        throw new DeltaException(
            "found two parts of one delta at " + part.site() + ", expected one; name it once");
      }
    }
    return new Delta(spec, base, parts, Patches.of(at), children);
  }

  /** Its settings. */
  public DeltaSpec spec() {
    return spec;
  }

  /** The model it is for. */
  public Model base() {
    return base;
  }

  /** Its parts. */
  public List<Part> parts() {
    return parts;
  }

  /** What it does where, for a {@link io.trimtab.model.Pass}. */
  public Patches patches() {
    return patches;
  }

  /** Its trainable parameters, in the order of the model's layers. */
  public List<Parameter> parameters() {
    return parts.stream().flatMap(part -> part.parameters().stream()).distinct().toList();
  }

  /** Its tensors that are stored but not trained. */
  public List<Parameter> constants() {
    return parts.stream().flatMap(part -> part.constants().stream()).distinct().toList();
  }

  /** The deltas that this one is made of, for a composition. */
  public List<Delta> children() {
    return children;
  }

  /** What training it asks for beyond gradients. */
  public TrainingRule rule() {
    return rule;
  }

  /** How many numbers are trained. */
  public long count() {
    return parameters().stream().mapToLong(parameter -> parameter.value().elements()).sum();
  }

  /** The names of the base's tensors that it was tuned for. */
  public Set<String> baseTensors() {
    Set<String> names = new LinkedHashSet<>();
    parts.forEach(part -> names.addAll(part.baseTensors()));
    return names;
  }

  /**
   * A copy of the base with this delta built in: the same results without its cost. The copy shares
   * every tensor that does not change; the base stays as it is, so going back is exact.
   */
  public Model merge() {
    return Gradients.none(
        () -> {
          try (Scope scope = Scope.open()) {
            Map<String, Tensor> stored = base.tensors();
            SequencedMap<String, Tensor> changed = new LinkedHashMap<>();
            for (Part part : inOrderOfEffect()) {
              for (String name : part.baseTensors()) {
                if (part.site().kind() == Patch.Rows.class) {
                  untie(name, changed);
                }
                String own = ownName(part, name);
                Tensor before =
                    Stream.of(changed.get(own), changed.get(name), stored.get(name))
                        .filter(Objects::nonNull)
                        .findFirst()
                        .orElseThrow();
                Tensor after = part.merge(name, before);
                if (after != before) { // one that stays as it is stays the base's own
                  changed.put(own, after);
                }
              }
            }
            changed.values().forEach(tensor -> scope.keep(tensor).held());
            return base.with(changed);
          }
        });
  }

  /** Tensors that take a stored one's place first: other parts act on what the layer then gives. */
  private List<Part> inOrderOfEffect() {
    return parts.stream()
        .sorted(Comparator.comparing(part -> part.site().kind() != Patch.Effective.class))
        .toList();
  }

  /** Where the merged tensor goes: a head tied to an embedding must not change the embedding. */
  private String ownName(Part part, String name) {
    return part.site().kind() != Patch.Effective.class
            && base.layer(part.site().path()).orElse(null) instanceof Linear linear
            && linear.weightName().equals(name)
        ? linear.path() + ".weight"
        : name;
  }

  /** Gives layers that share an embedding's table the old one under a name of their own. */
  private void untie(String table, Map<String, Tensor> changed) {
    for (Layer layer : base.root().walk().toList()) {
      if (layer instanceof Linear linear
          && linear.weightName().equals(table)
          && !(layer.path() + ".weight").equals(table)) {
        changed.putIfAbsent(
            layer.path() + ".weight", changed.getOrDefault(table, linear.weight().dense()).copy());
      }
    }
  }

  /** A delta of the same settings and numbers, with parameters of its own. */
  public Delta copy() {
    Delta copy = spec.attach(base, Rng.seeded(0));
    copy(parameters(), copy.parameters());
    copy(constants(), copy.constants());
    return copy;
  }

  private static void copy(List<Parameter> from, List<Parameter> to) {
    for (int i = 0; i < to.size(); i++) {
      to.get(i).assign(from.get(i).value().detach());
    }
  }

  /** Frees its parameters. */
  @Override
  public void close() {
    parameters().forEach(Parameter::close);
    constants().forEach(Parameter::close);
    rule.state().forEach(Parameter::close);
  }

  @Override
  public String toString() {
    return "Delta[" + spec + ", " + count() + " parameters over " + base.name() + "]";
  }
}
