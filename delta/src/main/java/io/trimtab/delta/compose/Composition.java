package io.trimtab.delta.compose;

import io.trimtab.delta.Delta;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaMethod;
import io.trimtab.delta.DeltaSpec;
import io.trimtab.delta.Part;
import io.trimtab.delta.TrainingRule;
import io.trimtab.model.Model;
import io.trimtab.model.Patch;
import io.trimtab.model.Site;
import io.trimtab.tensor.Parameter;
import io.trimtab.tensor.Rng;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SequencedMap;

/**
 * A delta made of deltas, each under a name.
 *
 * @param how how they act where several act at one site
 * @param children the deltas' settings
 */
public record Composition(How how, List<Child> children) implements DeltaSpec {
  /**
   * One of the deltas.
   *
   * @param name letters, digits, points, dashes and underscores
   * @param spec its settings
   * @param share its weight in a sum, or the number of tokens it acts on in a split; else 1
   */
  public record Child(String name, DeltaSpec spec, double share) {
    /** Checks the name. */
    public Child {
      if (!name.matches("[\\w.-]+")) {
        throw new DeltaException(
            "found \""
                + name
                + "\" as the name of a delta in a composition, expected letters, digits, points,"
                + " dashes and underscores");
      }
      if (!Double.isFinite(share)) {
        throw new DeltaException(
            "found the share " + share + " for " + name + ", expected a finite number");
      }
    }
  }

  /** How several deltas act at one site. */
  public enum How {
    /** Each sees what the one before it made: a union, or a stack of adapters. */
    SEQUENCE,
    /** The sum of what each changes, by weight: y + Σ w (p(y) - y). */
    SUM,
    /** The sum of what each gives, by weight, and nothing of the base's own: Σ w p(y). */
    MIXTURE,
    /** Attention over what each would add to a sublayer: AdapterFusion, trained in its turn. */
    FUSION,
    /** Each on so many of a row's tokens, one after the other. */
    SPLIT
  }

  /** Checks that there are children, of different names. */
  public Composition {
    children = List.copyOf(children);
    if (children.isEmpty()
        || children.stream().map(Child::name).distinct().count() != children.size()) {
      throw new DeltaException(
          "found a composition of "
              + children.stream().map(Child::name).toList()
              + ", expected at least one delta, and all by different names");
    }
    boolean whole = children.stream().allMatch(c -> c.share() >= 1 && c.share() % 1 == 0);
    if (how == How.SPLIT && !whole) {
      throw new DeltaException(
          "found shares "
              + children.stream().map(Child::share).toList()
              + " in a split, expected whole numbers of tokens, at least 1");
    }
  }

  /** All together: each sees what the one before it made. */
  public static Composition union(SequencedMap<String, DeltaSpec> specs) {
    return of(How.SEQUENCE, specs, List.of());
  }

  /** The sum of what each changes, by weight; weights that sum to 1 are an average. */
  public static Composition sum(SequencedMap<String, DeltaSpec> specs, List<Double> weights) {
    return of(How.SUM, specs, weights);
  }

  /** Attention over what each would add to a sublayer. */
  public static Composition fusion(SequencedMap<String, DeltaSpec> specs) {
    return of(How.FUSION, specs, List.of());
  }

  /** The first on so many of a row's first tokens, the second on the next, and so on. */
  public static Composition split(SequencedMap<String, DeltaSpec> specs, List<Integer> tokens) {
    return of(How.SPLIT, specs, tokens.stream().map(Integer::doubleValue).toList());
  }

  private static Composition of(
      How how, SequencedMap<String, DeltaSpec> specs, List<Double> shares) {
    if (!shares.isEmpty() && shares.size() != specs.size()) {
      throw new DeltaException(
          "found "
              + shares.size()
              + " shares for "
              + specs.size()
              + " deltas, expected one for each");
    }
    List<Child> children = new ArrayList<>();
    specs.forEach(
        (name, spec) -> {
          double share = shares.isEmpty() ? 1 : shares.get(children.size());
          children.add(new Child(name, spec, share));
        });
    return new Composition(how, children);
  }

  /**
   * Deltas that exist, composed: the new delta is made of them and closes them.
   *
   * @param how how they act at one site
   * @param deltas over the same base, by name
   * @param shares as in {@link Child}; empty for 1 each
   * @param rng where a fusion's own parameters start from
   */
  public static Delta compose(
      How how, SequencedMap<String, Delta> deltas, List<Double> shares, Rng rng) {
    SequencedMap<String, DeltaSpec> specs = new LinkedHashMap<>();
    deltas.forEach((name, delta) -> specs.put(name, delta.spec()));
    return of(how, specs, shares).join(List.copyOf(deltas.values()), rng);
  }

  @Override
  public DeltaMethod method() {
    return new CompositionMethod();
  }

  @Override
  public Delta attach(Model model, Rng rng) {
    List<Delta> made = new ArrayList<>();
    try {
      for (int i = 0; i < children.size(); i++) {
        made.add(children.get(i).spec().attach(model, rng.derive(i)));
      }
      return join(made, rng.derive(children.size()));
    } catch (RuntimeException e) {
      made.forEach(Delta::close);
      throw e;
    }
  }

  @Override
  public List<Part> parts(Model model, Rng rng) {
    return attach(model, rng).parts();
  }

  private Delta join(List<Delta> made, Rng rng) {
    Model base = made.getFirst().base();
    if (made.stream().anyMatch(delta -> delta.base() != base)) {
      throw new DeltaException.BaseMismatch(
          "found deltas over different models in a composition, expected one base for all; load"
              + " them for the same model");
    }
    SequencedMap<Site<?>, List<Part>> bySite = new LinkedHashMap<>();
    SequencedMap<Site<?>, List<Double>> shares = new LinkedHashMap<>();
    double first = 0;
    for (int i = 0; i < made.size(); i++) {
      Child child = children.get(i);
      Map<Parameter, Parameter> known = ChildPart.nothingKnown();
      for (Part part : made.get(i).parts()) {
        Part named = new ChildPart(child.name(), part, known);
        bySite
            .computeIfAbsent(part.site(), site -> new ArrayList<>())
            .add(
                how == How.SPLIT ? new TokenShare(named, (int) first, (int) child.share()) : named);
        shares.computeIfAbsent(part.site(), site -> new ArrayList<>()).add(child.share());
      }
      first += child.share();
    }
    List<Part> parts = new ArrayList<>();
    bySite.forEach(
        (site, list) -> parts.add(together(list, shares.getOrDefault(site, List.of()), base, rng)));
    return Delta.of(this, base, parts, made);
  }

  private Part together(List<Part> parts, List<Double> shares, Model base, Rng rng) {
    boolean undone =
        how == How.SEQUENCE && parts.stream().skip(1).anyMatch(p -> !p.buildsOnOthers());
    if (undone) {
      throw new DeltaException.Unsupported(
          "found several deltas at "
              + parts.getFirst().site()
              + " of which a later one undoes what an earlier one did, expected at most one that"
              + " trains a tensor as a whole or counts positions; leave one out, or use a sum");
    }
    Part part =
        switch (how) {
          case SEQUENCE, SPLIT -> new CombinedPart(parts, List.of(), false);
          case SUM -> new CombinedPart(parts, shares, false);
          case MIXTURE -> new CombinedPart(parts, shares, true);
          case FUSION -> fused(parts, base, rng);
        };
    Objects.requireNonNull(part.patch()); // refuses now what cannot be composed, not at first use
    return part;
  }

  private static Part fused(List<Part> parts, Model base, Rng rng) {
    if (parts.getFirst().site().kind() != Patch.Residual.class) {
      throw new DeltaException.Unsupported(
          "found a delta at "
              + parts.getFirst().site()
              + " in a fusion, expected adapters, which change what a sublayer gives; use a sum");
    }
    int hidden = base.stack().blocks().getFirst().hiddenSize();
    return FusionPart.create(parts, hidden, true, base.device(), rng);
  }

  @Override
  public TrainingRule rule(Delta delta) {
    return TrainingRule.of(delta.children().stream().map(Delta::rule).toList());
  }

  @Override
  public double rateFactor(Parameter parameter) {
    int slash = parameter.name().indexOf('/');
    return slash < 0
        ? 1
        : child(parameter.name().substring(0, slash))
            .spec()
            .rateFactor(parameter.named(parameter.name().substring(slash + 1)));
  }

  @Override
  public boolean isStored(Parameter parameter) {
    int slash = parameter.name().indexOf('/');
    return slash < 0
        || child(parameter.name().substring(0, slash))
            .spec()
            .isStored(parameter.named(parameter.name().substring(slash + 1)));
  }

  private Child child(String name) {
    return children.stream().filter(child -> child.name().equals(name)).findFirst().orElseThrow();
  }

  @Override
  public String fileKey(String name) {
    int slash = name.indexOf('/');
    if (slash < 0) {
      return name;
    }
    String child = name.substring(0, slash);
    return child + "/" + child(child).spec().fileKey(name.substring(slash + 1));
  }

  /** Of the children's stored forms, with numbers of its own. */
  @Override
  public Delta toStore(Delta delta) {
    List<Delta> stored = new ArrayList<>();
    for (Delta child : delta.children()) {
      stored.add(child.spec().toStore(child));
    }
    if (stored.equals(delta.children())) {
      return delta;
    }
    SequencedMap<String, Delta> named = new LinkedHashMap<>();
    for (int i = 0; i < stored.size(); i++) {
      Delta form = stored.get(i);
      named.put(children.get(i).name(), form == delta.children().get(i) ? form.copy() : form);
    }
    Delta form = compose(how, named, children.stream().map(Child::share).toList(), Rng.seeded(0));
    Map<String, Parameter> own = new LinkedHashMap<>();
    delta.parameters().forEach(parameter -> own.put(parameter.name(), parameter));
    for (Parameter parameter : form.parameters()) {
      Parameter same = own.get(parameter.name());
      if (same != null && !parameter.name().contains("/")) { // what fuses the children
        parameter.assign(same.value().detach());
      }
    }
    return form;
  }

  @Override
  public Map<String, Object> toConfig(Model model) {
    List<Map<String, Object>> list = new ArrayList<>();
    for (Child child : children) {
      Map<String, Object> own = new LinkedHashMap<>(child.spec().toConfig(model));
      own.put("peft_type", child.spec().peftType());
      Map<String, Object> config = new LinkedHashMap<>();
      config.put("name", child.name());
      config.put("share", child.share());
      config.put("delta", own);
      list.add(config);
    }
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("composition", how.name().toLowerCase(java.util.Locale.ROOT));
    config.put("children", list);
    return config;
  }
}
