package io.trimtab.hub;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Optional;
import javax.net.ssl.SSLException;

/**
 * Brings one file from the hub to the disk: into {@code NAME.part}, with the entity tag beside it
 * in {@code NAME.part.tag}, so that a broken transfer goes on where it stopped, also in another
 * process; moved to its name only when length and hash are right.
 */
final class Download {
  private static final int MAX_PAUSE_DOUBLINGS = 6;

  private final HttpFetch http;
  private final HubOptions options;

  Download(HubOptions options) {
    this.options = options;
    this.http = new HttpFetch(options);
  }

  /**
   * Fetches {@code uri} into {@code target}.
   *
   * @return the commit that the hub names (perhaps empty); nothing where it has no such file
   */
  Optional<String> fetch(URI uri, Path target) {
    Transfer transfer = new Transfer(uri, target);
    try {
      return transfer.run();
    } catch (IOException e) {
      throw new HubException.Disk("cannot write " + target + ": " + e, e);
    }
  }

  /** The way of one file, which may take several requests. */
  private final class Transfer {
    private final URI uri;
    private final Path target;
    private final Path part;
    private final Path tagFile;
    private boolean answered;
    private int failures;
    private long furthest;
    private String why = "";
    private boolean resumed;
    private boolean startedOver;

    Transfer(URI uri, Path target) {
      this.uri = uri;
      this.target = target;
      this.part = target.resolveSibling(target.getFileName() + ".part");
      this.tagFile = target.resolveSibling(target.getFileName() + ".part.tag");
    }

    Optional<String> run() throws IOException {
      while (true) {
        long have = Files.exists(part) && Files.exists(tagFile) ? Files.size(part) : 0;
        resumed = have > 0;
        HttpFetch.Answer answer;
        try {
          answer = http.get(uri, have);
        } catch (IOException e) {
          failed(e);
          continue;
        }
        answered = true;
        int status = answer.status();
        if (status == 404 || status == 410) {
          answer.connection().disconnect();
          return Optional.empty();
        }
        if (status == 416 || (status == 206 && !fits(answer, have))) {
          // What lies here is not the beginning of what the hub has now.
          answer.connection().disconnect();
          discard();
          failedWith(why.isEmpty() ? "the hub has another version of the file" : why);
          continue;
        }
        if (status != 200 && status != 206) {
          answer.connection().disconnect();
          refuse(status);
          continue;
        }
        if (receive(answer, status == 206 ? have : 0)) {
          return Optional.of(answer.commit());
        }
      }
    }

    private boolean fits(HttpFetch.Answer answer, long have) throws IOException {
      return answer.rangeStart() == have && answer.tag().equals(Files.readString(tagFile));
    }

    /** Reads the body; true when the file is complete and in place. */
    private boolean receive(HttpFetch.Answer answer, long have) throws IOException {
      if (have == 0) {
        discard();
      }
      Files.writeString(tagFile, answer.tag());
      long expected = answer.total();
      if (expected >= 0 && answer.body() >= 0 && have + answer.body() != expected) {
        throw corrupt(
            "the hub says " + expected + " bytes, but its store sends " + (have + answer.body()));
      }
      long done = have;
      IOException broken = null;
      try (OutputStream out =
          Files.newOutputStream(part, StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
        byte[] buffer = new byte[1 << 16];
        InputStream in = null;
        while (true) {
          int n;
          try {
            in = in == null ? answer.connection().getInputStream() : in;
            n = in.read(buffer);
          } catch (IOException e) {
            broken = e;
            break;
          }
          if (n < 0) {
            break;
          }
          out.write(buffer, 0, n);
          done += n;
          options.progress().update(String.valueOf(target.getFileName()), done, expected);
        }
      } finally {
        answer.connection().disconnect();
      }
      if (broken != null || (expected >= 0 && done < expected)) {
        // Only bytes that were never here before are progress: a server that lies about the length
        // could else keep the transfer going in circles.
        if (done > Math.max(furthest, have)) {
          furthest = done;
          failures = 0;
        }
        failedWith(
            "the connection broke after "
                + done
                + " of "
                + (expected < 0 ? "unknown" : String.valueOf(expected))
                + " bytes"
                + (broken == null ? "" : " (" + broken.getMessage() + ")"));
        return false;
      }
      return accept(answer, done, expected);
    }

    private boolean accept(HttpFetch.Answer answer, long done, long expected) throws IOException {
      if (expected >= 0 && done != expected) {
        discard();
        throw corrupt("expected " + expected + " bytes, found " + done);
      }
      String found = Hashes.mismatch(part, answer.tag());
      if (found != null) {
        discard();
        if (resumed && !startedOver) {
          // The part of an earlier attempt may have been damaged; one fresh attempt decides.
          startedOver = true;
          return false;
        }
        throw corrupt("expected the hash " + answer.tag() + ", found " + found);
      }
      Files.move(part, target, StandardCopyOption.REPLACE_EXISTING);
      Files.deleteIfExists(tagFile);
      return true;
    }

    private void discard() throws IOException {
      Files.deleteIfExists(part);
      Files.deleteIfExists(tagFile);
    }

    private HubException.Corrupt corrupt(String what) {
      return new HubException.Corrupt(
          uri + ": " + what + "; try again later, or another HF_ENDPOINT");
    }

    private void refuse(int status) {
      if (status == 401 || status == 403) {
        throw new HubException.Refused(
            uri
                + ": the hub answers "
                + status
                + ": the model does not exist, is private, or its terms are not accepted yet; check"
                + " the name, or set HF_TOKEN to a token that may read it");
      }
      if (status != 408 && status != 429 && status < 500) {
        throw new HubException.Interrupted(
            uri + ": expected the file, the hub answers " + status + "; check HF_ENDPOINT");
      }
      failedWith("the hub answers " + status);
    }

    /** A host that never answered is not worth waiting for: another source may have the model. */
    private void failed(IOException e) {
      boolean unreachable =
          e instanceof ConnectException
              || e instanceof UnknownHostException
              || e instanceof NoRouteToHostException
              || e instanceof SocketTimeoutException
              || e instanceof SSLException;
      if (unreachable && !answered) {
        throw new HubException.Offline(
            "cannot reach "
                + uri.getHost()
                + " ("
                + e
                + "); check the network, or set HF_ENDPOINT to a mirror",
            e);
      }
      failedWith(e.toString());
    }

    private void failedWith(String reason) {
      why = reason;
      failures++;
      if (failures > options.retries()) {
        throw new HubException.Interrupted(
            uri
                + ": gave up after "
                + failures
                + " attempts in a row without a new byte: "
                + why
                + "; start again to go on where it stopped");
      }
      long doublings = Math.min(failures - 1, MAX_PAUSE_DOUBLINGS);
      pause(options.backoff().multipliedBy(1L << doublings));
    }

    private void pause(Duration time) {
      try {
        Thread.sleep(time);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new HubException.Interrupted(uri + ": the thread was interrupted", e);
      }
    }
  }
}
