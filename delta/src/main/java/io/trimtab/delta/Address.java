package io.trimtab.delta;

import io.trimtab.delta.AddressTree.AllLinear;
import io.trimtab.delta.AddressTree.Full;
import io.trimtab.delta.AddressTree.Minus;
import io.trimtab.delta.AddressTree.PeftLayers;
import io.trimtab.delta.AddressTree.Suffix;
import io.trimtab.delta.AddressTree.Union;
import io.trimtab.model.Layer;
import io.trimtab.model.Model;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Names layers of a model by their paths, in a small language. Its items:
 *
 * <ul>
 *   <li>{@code query}, {@code output.dense}: paths that are this or end in a dot and this;
 *   <li>{@code layer.*.attention.self.q*}, {@code encoder.**}: globs, from a dot to the end;
 *   <li>{@code [r]layer\.[12]\..*query}: OpenDelta's expressions, from a dot to the end;
 *   <li>{@code [f].*\.query}: PEFT's expressions, over the whole path;
 *   <li>{@code all-linear}: every linear layer but those that give results;
 *   <li>{@code @attn.q}, or OpenDelta's {@code attn@.q@}: the common structure, the same for every
 *       architecture; of a layer that holds several parts it is a slice.
 * </ul>
 *
 * <p>They are joined by commas and taken away by {@code - name}, from left to right; parentheses
 * group. {@code layers=4-11}, {@code layers=0,2,5-7} or {@code layers=last:4} keeps only these, and
 * {@code exclude=} takes away from, the group it stands in. An item that hits nothing is an error
 * where it is resolved.
 */
public final class Address {
  /** The name for every linear layer of a model except those that give its results. */
  public static final String ALL_LINEAR = "all-linear";

  private final AddressTree tree;

  private Address(AddressTree tree) {
    this.tree = tree;
  }

  /** What an address is to find. */
  public enum Kind {
    /** Linear layers and embeddings: what most methods go on. */
    PROJECTIONS,
    /** Norms. */
    NORMS,
    /** Every layer that has tensors of its own. */
    LAYERS,
    /** Layers, and the modules that hold them, such as a whole attention. */
    MODULES
  }

  /**
   * Some outputs of a layer: rows of its weight.
   *
   * @param start the first
   * @param end behind the last
   */
  public record Outputs(long start, long end) {
    /** How many. */
    public long count() {
      return end - start;
    }
  }

  /**
   * A place that is hit.
   *
   * @param path of a layer or module
   * @param layer the layer; null for a module that is a name only
   * @param outputs which of the layer's outputs, or null for the whole layer
   */
  public record Hit(String path, @Nullable Layer layer, @Nullable Outputs outputs) {
    @Override
    public String toString() {
      return outputs == null ? path : path + "[" + outputs.start() + ":" + outputs.end() + "]";
    }
  }

  /**
   * A part of an address that hits nothing.
   *
   * @param part as it is written
   * @param hint what may have been meant
   */
  public record Miss(String part, String hint) {}

  /**
   * What an address hits: the result of a dry run.
   *
   * @param address the address
   * @param model the model's name
   * @param found what is hit, in the order of computation
   * @param missed the parts that hit nothing
   */
  public record Resolution(Address address, String model, List<Hit> found, List<Miss> missed) {
    /** Copies the lists. */
    public Resolution {
      found = List.copyOf(found);
      missed = List.copyOf(missed);
    }

    /** The layers hit, each once, whole or in part. */
    public List<Layer> hits() {
      return found.stream()
          .map(Hit::layer)
          .<Layer>mapMulti(Resolution::present)
          .distinct()
          .toList();
    }

    private static void present(
        @Nullable Layer layer, java.util.function.Consumer<Layer> consumer) {
      if (layer != null) {
        consumer.accept(layer);
      }
    }

    /** The parts that hit nothing, as they are written. */
    public List<String> misses() {
      return missed.stream().map(Miss::part).toList();
    }

    /** The paths hit, each once. */
    public List<String> paths() {
      return found.stream().map(Hit::path).distinct().toList();
    }

    /** The report: what is hit, with repeated blocks on one line, and what misses. */
    public String report() {
      return AddressReport.of(this);
    }

    /** This, unless something is missing. */
    Resolution checked() {
      if (found.isEmpty() || !missed.isEmpty()) {
        throw AddressHints.noMatch(this);
      }
      return this;
    }

    /** The hits as layers, for methods that go on whole layers. */
    List<Layer> whole() {
      for (Hit hit : found) {
        Outputs outputs = hit.outputs();
        if (outputs != null) {
          throw new DeltaException.Unsupported(
              "found outputs "
                  + outputs.start()
                  + " to "
                  + (outputs.end() - 1)
                  + " of "
                  + hit.path()
                  + " hit by "
                  + address
                  + ", expected whole layers here; name the layer ("
                  + hit.path().substring(hit.path().lastIndexOf('.') + 1)
                  + ") instead of a part of it");
        }
      }
      return hits();
    }
  }

  /**
   * Reads an address as users type it.
   *
   * @throws AddressSyntaxException with the place where it goes wrong
   */
  public static Address parse(String text) {
    return new Address(AddressParser.parse(text));
  }

  /**
   * Layers whose path is one of {@code names} or ends in a dot and one of them; {@link #ALL_LINEAR}
   * stands for itself, every other character for no more than itself.
   */
  public static Address suffixes(List<String> names) {
    return union(
        names,
        names.stream()
            .map(name -> name.equals(ALL_LINEAR) ? new AllLinear() : new Suffix(name))
            .map(AddressTree.class::cast)
            .toList());
  }

  /** The same where no name is special, as in the lists of PEFT and OpenDelta. */
  static Address literals(List<String> names) {
    return union(names, names.stream().<AddressTree>map(Suffix::new).toList());
  }

  private static Address union(List<String> names, List<AddressTree> members) {
    if (names.isEmpty() || names.stream().anyMatch(String::isBlank)) {
      throw new DeltaException(
          "found target layers " + names + ", expected at least one name such as query");
    }
    return new Address(members.size() == 1 ? members.getFirst() : new Union(members));
  }

  /** Layers whose whole path matches a regular expression. */
  public static Address regex(String regex) {
    AddressRegex.compile(regex);
    return new Address(new Full(regex));
  }

  /** An address of the given form. */
  static Address of(AddressTree tree) {
    return new Address(tree);
  }

  /** Its form. */
  AddressTree tree() {
    return tree;
  }

  /** What this or another address hits. */
  public Address and(Address other) {
    return new Address(Union.of(tree, other.tree));
  }

  /** What this hits and another address does not. */
  public Address without(Address other) {
    return new Address(new Minus(tree, other.tree));
  }

  /** The same without layers of these suffixes. */
  public Address excluding(List<String> names) {
    return names.isEmpty() ? this : without(literals(names));
  }

  /** The same without layers whose whole path matches a regular expression. */
  public Address excludingRegex(String paths) {
    return without(regex(paths));
  }

  /**
   * The same in blocks of these numbers only: the first number in a layer's path. A layer that is
   * named by its whole path is hit wherever it is. In all blocks where there are no numbers.
   */
  public Address inBlocks(List<Integer> numbers) {
    return inBlocks(numbers, List.of());
  }

  /**
   * The same in blocks of these numbers only, where the number is the first that comes after one of
   * {@code names}, each a regular expression such as {@code layer}; after any where there are none.
   */
  public Address inBlocks(List<Integer> numbers, List<String> names) {
    names.forEach(AddressRegex::compile);
    if (numbers.isEmpty()) {
      return this;
    }
    // What is taken away stays so, even where a name is a whole path.
    return new Address(
        tree instanceof Minus(AddressTree from, AddressTree what)
            ? new Minus(new PeftLayers(from, numbers, names), what)
            : new PeftLayers(tree, numbers, names));
  }

  /** Finds what this hits among linear layers and embeddings, and what it misses. */
  public Resolution dryRun(Model model) {
    return dryRun(model, Kind.PROJECTIONS);
  }

  /** Finds what this hits among layers of a kind, and what it misses. */
  public Resolution dryRun(Model model, Kind kind) {
    return new AddressResolver(model, kind).resolve(this);
  }

  /**
   * The linear layers and embeddings that this address hits.
   *
   * @throws DeltaException.NoMatch where it, or a part of it, hits nothing; names near misses
   * @throws DeltaException.Unsupported where it hits a part of a layer; see {@link #find}
   */
  public List<Layer> resolve(Model model) {
    return dryRun(model).checked().whole();
  }

  /**
   * What {@link #resolve} hits, where names that hit nothing are let pass: files of PEFT have some.
   */
  public List<Layer> resolveLeniently(Model model) {
    Resolution resolution = dryRun(model);
    return (resolution.found().isEmpty() ? resolution.checked() : resolution).whole();
  }

  /**
   * What this address hits among layers of a kind, for methods that can go on a part of a layer or
   * on other layers than {@link #resolve} gives.
   *
   * @throws DeltaException.NoMatch where it, or a part of it, hits nothing; names near misses
   */
  public List<Hit> find(Model model, Kind kind) {
    return dryRun(model, kind).checked().found();
  }

  /** What {@link #find} hits, where parts that hit nothing are let pass. */
  public List<Hit> findLeniently(Model model, Kind kind) {
    Resolution resolution = dryRun(model, kind);
    return resolution.found().isEmpty() ? resolution.checked().found() : resolution.found();
  }

  /** Whether a path is a name or ends in a dot and that name. */
  public static boolean endsIn(String path, String suffix) {
    return path.equals(suffix)
        || (path.length() > suffix.length()
            && path.endsWith(suffix)
            && path.charAt(path.length() - suffix.length() - 1) == '.');
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Address address && tree.equals(address.tree);
  }

  @Override
  public int hashCode() {
    return tree.hashCode();
  }

  /** The address as it can be parsed again. */
  @Override
  public String toString() {
    return AddressPrinter.print(tree);
  }
}
