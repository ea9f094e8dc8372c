package io.trimtab.hub;

import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * One request for a file on the hub, redirects followed by hand: the hub names the hash and the
 * length of a large file in the answer that redirects to the store, and the access token must not
 * go to the store's host.
 */
final class HttpFetch {
  private static final int MAX_REDIRECTS = 10;

  private final HubOptions options;

  HttpFetch(HubOptions options) {
    this.options = options;
  }

  /**
   * An answer whose body has not been read yet.
   *
   * @param status the HTTP status
   * @param tag the entity tag without quotes, or empty
   * @param total the length of the whole file as the hub says, or -1
   * @param body how many bytes this answer's body should have, or -1
   * @param rangeStart where in the file the body begins
   * @param commit the commit that the hub resolved the revision to, or empty
   * @param connection to read the body from, and to disconnect
   */
  record Answer(
      int status,
      String tag,
      long total,
      long body,
      long rangeStart,
      String commit,
      HttpURLConnection connection) {}

  /** Asks for {@code uri} from byte {@code from} on. */
  Answer get(URI uri, long from) throws IOException {
    URI at = uri;
    String tag = null;
    String commit = null;
    long linkedSize = -1;
    for (int hop = 0; hop <= MAX_REDIRECTS; hop++) {
      HttpURLConnection connection = connect(at, sameHost(uri, at), from);
      int status = connection.getResponseCode();
      String linked = connection.getHeaderField("X-Linked-Etag");
      tag = tag != null ? tag : linked;
      linkedSize =
          linkedSize >= 0 ? linkedSize : connection.getHeaderFieldLong("X-Linked-Size", -1);
      commit = commit != null ? commit : connection.getHeaderField("X-Repo-Commit");
      String location = connection.getHeaderField("Location");
      if (status >= 300 && status < 400 && location != null) {
        connection.disconnect();
        URI next = at.resolve(location);
        if ("https".equals(at.getScheme()) && !"https".equals(next.getScheme())) {
          throw new HubException.Refused(
              at + " redirects to " + next + "; expected an encrypted connection as before");
        }
        at = next;
        continue;
      }
      if (tag == null) {
        tag = connection.getHeaderField("ETag");
      }
      return answer(status, tag, linkedSize, commit, connection);
    }
    throw new HubException.Interrupted(
        uri + " redirects more than " + MAX_REDIRECTS + " times; check HF_ENDPOINT");
  }

  private static Answer answer(
      int status,
      @Nullable String tag,
      long linkedSize,
      @Nullable String commit,
      HttpURLConnection connection) {
    long body = connection.getContentLengthLong();
    long start = 0;
    long total = status == 200 ? body : -1;
    String range = connection.getHeaderField("Content-Range");
    if (status == 206 && range != null && range.matches("bytes \\d{1,18}-\\d{1,18}/\\d{1,18}")) {
      String[] parts = range.substring("bytes ".length()).split("[-/]", -1);
      start = Long.parseLong(parts[0]);
      total = Long.parseLong(parts[2]);
    }
    return new Answer(
        status,
        Optional.ofNullable(tag).map(HttpFetch::plain).orElse(""),
        linkedSize >= 0 ? linkedSize : total,
        body,
        start,
        Optional.ofNullable(commit).orElse(""),
        connection);
  }

  private HttpURLConnection connect(URI uri, boolean trusted, long from) throws IOException {
    if (!(uri.toURL().openConnection() instanceof HttpURLConnection connection)) {
      throw new HubException.Refused("expected an http(s) address, found " + uri);
    }
    connection.setInstanceFollowRedirects(false);
    connection.setConnectTimeout((int) options.connectTimeout().toMillis());
    connection.setReadTimeout((int) options.readTimeout().toMillis());
    connection.setRequestProperty("User-Agent", "trimtab");
    // A compressed body would have another length and hash than the file.
    connection.setRequestProperty("Accept-Encoding", "identity");
    if (from > 0) {
      connection.setRequestProperty("Range", "bytes=" + from + "-");
    }
    if (trusted && options.token().isPresent()) {
      connection.setRequestProperty("Authorization", "Bearer " + options.token().get());
    }
    return connection;
  }

  private static boolean sameHost(URI a, URI b) {
    return String.valueOf(a.getScheme()).equals(b.getScheme())
        && String.valueOf(a.getHost()).equalsIgnoreCase(b.getHost())
        && a.getPort() == b.getPort();
  }

  private static String plain(String tag) {
    String out = tag.startsWith("W/") ? tag.substring(2) : tag;
    return out.replace("\"", "").strip().toLowerCase(Locale.ROOT);
  }
}
