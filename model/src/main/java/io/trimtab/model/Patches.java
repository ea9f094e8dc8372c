package io.trimtab.model;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What acts where: an immutable map from sites to patches. */
public final class Patches {
  /** Nothing anywhere. */
  public static final Patches NONE = new Patches(Map.of());

  private final Map<Site<?>, Patch> at;
  private final boolean wholeRows;
  private final boolean growing;

  private Patches(Map<Site<?>, Patch> at) {
    this.at = at;
    wholeRows = at.values().stream().anyMatch(Patch::readsWholeRows);
    growing = at.values().stream().anyMatch(Patch::changesAsRowsGrow);
  }

  /**
   * The given patches.
   *
   * @throws ModelException where a patch does not fit its site's kind
   */
  public static Patches of(Map<Site<?>, Patch> at) {
    at.forEach(
        (site, patch) -> {
          if (!site.kind().isInstance(patch)) {
            throw new ModelException(
                "found a patch of "
                    + patch.getClass()
                    + " at "
                    + site
                    + ", expected one that implements the site's kind");
          }
        });
    return at.isEmpty() ? NONE : new Patches(Map.copyOf(at));
  }

  /** The patch at a site, or null. */
  public <P extends Patch> @Nullable P at(Site<P> site) {
    Patch patch = at.get(site);
    return patch == null ? null : site.kind().cast(patch);
  }

  /** Whether any patch reads whole rows. */
  boolean readWholeRows() {
    return wholeRows;
  }

  /** Whether what any patch at a site of these layers does to a token changes as its row grows. */
  boolean changeAsRowsGrow(Layer root) {
    return growing
        && root.walk()
            .flatMap(layer -> layer.sites().stream())
            .map(this::at)
            .anyMatch(patch -> patch != null && patch.changesAsRowsGrow());
  }

  /** Whether nothing is patched anywhere. */
  public boolean isEmpty() {
    return at.isEmpty();
  }
}
