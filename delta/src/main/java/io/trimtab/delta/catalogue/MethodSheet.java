package io.trimtab.delta.catalogue;

import io.trimtab.delta.Delta;
import io.trimtab.delta.DeltaException;
import io.trimtab.delta.DeltaMethod;
import io.trimtab.delta.DeltaMethods;
import io.trimtab.delta.Options;
import io.trimtab.model.Model;
import io.trimtab.tensor.Rng;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What one delta method is and takes. Nothing here is written down a second time: the options are
 * those that the method asks for over throw-away models of two sizes, and whether it merges is
 * tried on the smaller.
 *
 * @param method the method
 * @param options what it can be told
 * @param merges whether a delta of its usual settings can be built into the model
 */
public record MethodSheet(DeltaMethod method, List<Option> options, boolean merges) {
  private static final int SMALL = 64;
  private static final int BASE = 768;

  /** Copies the list. */
  public MethodSheet {
    options = List.copyOf(options);
  }

  /**
   * An option of a method.
   *
   * @param key its name
   * @param kind what its value has to be
   * @param usual its value where it is not typed, on a model of hidden size 768; empty for none
   * @param byModel whether its usual value depends on the model
   */
  public record Option(String key, Options.Kind kind, String usual, boolean byModel) {}

  /** The sheets of all methods that stand alone, by name. */
  public static List<MethodSheet> all() {
    try (Model small = ThrowawayModel.ofHidden(SMALL);
        Model base = ThrowawayModel.ofHidden(BASE)) {
      return DeltaMethods.all().stream()
          .filter(DeltaMethod::standsAlone)
          .map(
              method ->
                  new MethodSheet(method, options(method, small, base), merges(method, small)))
          .toList();
    }
  }

  private static List<Option> options(DeltaMethod method, Model small, Model base) {
    Map<String, String> onSmall = new LinkedHashMap<>();
    ask(method, small).forEach(asked -> onSmall.put(asked.key(), asked.usual()));
    return ask(method, base).stream()
        .map(
            asked ->
                new Option(
                    asked.key(),
                    asked.kind(),
                    asked.usual(),
                    !asked.usual().equals(onSmall.get(asked.key()))))
        .toList();
  }

  private static List<Options.Asked> ask(DeltaMethod method, Model model) {
    return Options.askedFor(() -> method.fromOptions(Map.of(), model));
  }

  private static boolean merges(DeltaMethod method, Model model) {
    try (Delta delta = method.fromOptions(Map.of(), model).attach(model, Rng.seeded(0));
        Model _ = delta.merge()) {
      return true;
    } catch (DeltaException.Unsupported e) {
      return false; // what every method throws that cannot be merged, see DeltaMethod's tests
    }
  }
}
