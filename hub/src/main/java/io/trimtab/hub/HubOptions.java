package io.trimtab.hub;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Where models are looked for and kept. Immutable: each {@code with} method gives a changed copy.
 *
 * <p>The defaults come from the environment: {@code TRIMTAB_HOME} (else {@code
 * XDG_CACHE_HOME/trimtab}, else {@code ~/.cache/trimtab}) for the own cache, and, as the Python
 * libraries of Hugging Face have it, {@code HF_ENDPOINT}, {@code HF_HUB_CACHE}, {@code HF_HOME},
 * {@code HF_TOKEN} and {@code HF_HUB_OFFLINE}.
 */
public final class HubOptions {
  private final Path cache;
  private final Path huggingFaceCache;
  private final URI endpoint;
  private final @Nullable String token;
  private final boolean offline;
  private final Progress progress;
  private final Duration connectTimeout;
  private final Duration readTimeout;
  private final int retries;
  private final Duration backoff;
  private final List<String> pip;

  private HubOptions(
      Path cache,
      Path huggingFaceCache,
      URI endpoint,
      @Nullable String token,
      boolean offline,
      Progress progress,
      Duration connectTimeout,
      Duration readTimeout,
      int retries,
      Duration backoff,
      List<String> pip) {
    this.cache = cache;
    this.huggingFaceCache = huggingFaceCache;
    this.endpoint = endpoint;
    this.token = token;
    this.offline = offline;
    this.progress = progress;
    this.connectTimeout = connectTimeout;
    this.readTimeout = readTimeout;
    this.retries = retries;
    this.backoff = backoff;
    this.pip = pip;
  }

  /** What the environment of this process says. */
  public static HubOptions defaults() {
    return fromEnvironment(System.getenv(), Path.of(System.getProperty("user.home")));
  }

  /** What {@code environment} says for a user whose home directory is {@code home}. */
  public static HubOptions fromEnvironment(Map<String, String> environment, Path home) {
    Path caches =
        set(environment, "XDG_CACHE_HOME").map(Path::of).orElseGet(() -> home.resolve(".cache"));
    Path hfHome =
        set(environment, "HF_HOME")
            .map(value -> expand(value, home))
            .orElseGet(() -> caches.resolve("huggingface"));
    String endpoint = set(environment, "HF_ENDPOINT").orElse("https://huggingface.co");
    return new HubOptions(
        set(environment, "TRIMTAB_HOME")
            .map(value -> expand(value, home))
            .orElseGet(() -> caches.resolve("trimtab")),
        set(environment, "HF_HUB_CACHE")
            .map(value -> expand(value, home))
            .orElseGet(() -> hfHome.resolve("hub")),
        endpoint(endpoint),
        set(environment, "HF_TOKEN").orElse(null),
        set(environment, "HF_HUB_OFFLINE").map(HubOptions::yes).orElse(false),
        Progress.NONE,
        Duration.ofSeconds(5),
        Duration.ofSeconds(30),
        5,
        Duration.ofMillis(500),
        List.of("python3", "-m", "pip"));
  }

  private static Optional<String> set(Map<String, String> environment, String name) {
    return Optional.ofNullable(environment.get(name)).map(String::strip).filter(v -> !v.isEmpty());
  }

  private static Path expand(String path, Path home) {
    return path.equals("~") || path.startsWith("~/")
        ? home.resolve(path.substring(Math.min(2, path.length())))
        : Path.of(path);
  }

  private static boolean yes(String value) {
    return List.of("1", "ON", "YES", "TRUE").contains(value.toUpperCase(java.util.Locale.ROOT));
  }

  private static URI endpoint(String text) {
    try {
      URI uri = URI.create(text.endsWith("/") ? text.substring(0, text.length() - 1) : text);
      if (List.of("http", "https").contains(String.valueOf(uri.getScheme()))
          && uri.getHost() != null) {
        return uri;
      }
    } catch (IllegalArgumentException e) {
      throw new HubException("HF_ENDPOINT: expected an http(s) address, found \"" + text + "\"", e);
    }
    throw new HubException("HF_ENDPOINT: expected an http(s) address, found \"" + text + "\"");
  }

  /** The root of the own cache. */
  public Path cache() {
    return cache;
  }

  /** Where the user's own Hugging Face downloads lie; only read, never written. */
  public Path huggingFaceCache() {
    return huggingFaceCache;
  }

  /** The address of the hub, without a slash at its end. */
  public URI endpoint() {
    return endpoint;
  }

  /** The user's access token for the hub; sent to the hub's own host only. */
  Optional<String> token() {
    return Optional.ofNullable(token);
  }

  /** Whether the network must not be used. */
  public boolean offline() {
    return offline;
  }

  /** Who is told how it goes on. */
  public Progress progress() {
    return progress;
  }

  /** How long a connection may take to come about. */
  public Duration connectTimeout() {
    return connectTimeout;
  }

  /** How long a server may be silent. */
  public Duration readTimeout() {
    return readTimeout;
  }

  /** How often in a row a transfer may break off without a new byte before it is given up. */
  public int retries() {
    return retries;
  }

  /** The pause before the first retry; it doubles with each further one. */
  public Duration backoff() {
    return backoff;
  }

  /** The command that starts the user's pip. */
  public List<String> pip() {
    return pip;
  }

  /** Another root of the own cache. */
  public HubOptions withCache(Path directory) {
    return new HubOptions(
        directory,
        huggingFaceCache,
        endpoint,
        token,
        offline,
        progress,
        connectTimeout,
        readTimeout,
        retries,
        backoff,
        pip);
  }

  /** Another Hugging Face cache to read. */
  public HubOptions withHuggingFaceCache(Path directory) {
    return new HubOptions(
        cache,
        directory,
        endpoint,
        token,
        offline,
        progress,
        connectTimeout,
        readTimeout,
        retries,
        backoff,
        pip);
  }

  /** Another hub. */
  public HubOptions withEndpoint(URI address) {
    return new HubOptions(
        cache,
        huggingFaceCache,
        endpoint(address.toString()),
        token,
        offline,
        progress,
        connectTimeout,
        readTimeout,
        retries,
        backoff,
        pip);
  }

  /** Another access token. */
  public HubOptions withToken(String secret) {
    return new HubOptions(
        cache,
        huggingFaceCache,
        endpoint,
        secret,
        offline,
        progress,
        connectTimeout,
        readTimeout,
        retries,
        backoff,
        pip);
  }

  /** With or without the network. */
  public HubOptions withOffline(boolean value) {
    return new HubOptions(
        cache,
        huggingFaceCache,
        endpoint,
        token,
        value,
        progress,
        connectTimeout,
        readTimeout,
        retries,
        backoff,
        pip);
  }

  /** Somebody who is told how it goes on. */
  public HubOptions withProgress(Progress listener) {
    return new HubOptions(
        cache,
        huggingFaceCache,
        endpoint,
        token,
        offline,
        listener,
        connectTimeout,
        readTimeout,
        retries,
        backoff,
        pip);
  }

  /** Other limits of patience. */
  public HubOptions withTimeouts(Duration connect, Duration read) {
    return new HubOptions(
        cache,
        huggingFaceCache,
        endpoint,
        token,
        offline,
        progress,
        connect,
        read,
        retries,
        backoff,
        pip);
  }

  /** Another number of retries and another first pause. */
  public HubOptions withRetries(int count, Duration firstPause) {
    return new HubOptions(
        cache,
        huggingFaceCache,
        endpoint,
        token,
        offline,
        progress,
        connectTimeout,
        readTimeout,
        count,
        firstPause,
        pip);
  }

  /** Another command that starts pip. */
  public HubOptions withPip(List<String> command) {
    return new HubOptions(
        cache,
        huggingFaceCache,
        endpoint,
        token,
        offline,
        progress,
        connectTimeout,
        readTimeout,
        retries,
        backoff,
        List.copyOf(command));
  }

  /** All but the token. */
  @Override
  public String toString() {
    return "HubOptions[cache="
        + cache
        + ", huggingFaceCache="
        + huggingFaceCache
        + ", endpoint="
        + endpoint
        + ", offline="
        + offline
        + "]";
  }
}
