package io.trimtab.hub;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;

/** A small HTTP server on the loopback address that serves files as the hub does, or misbehaves. */
final class FakeHub implements AutoCloseable {
  /** What a client asked for. */
  record Request(String path, long from, boolean ranged, String authorization) {}

  /**
   * What it gets: the headers may lie about the body, which is cut off after {@code send} bytes.
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Reply(int status, Map<String, String> headers, byte[] body, int send) {
    static Reply status(int status) {
      return new Reply(status, Map.of("Content-Length", "0"), new byte[0], 0);
    }

    Reply with(String header, String value) {
      Map<String, String> changed = new LinkedHashMap<>(headers);
      changed.put(header, value);
      return new Reply(status, changed, body, send);
    }

    Reply without(String header) {
      Map<String, String> changed = new LinkedHashMap<>(headers);
      changed.remove(header);
      return new Reply(status, changed, body, send);
    }

    Reply cutAfter(int bytes) {
      return new Reply(status, headers, body, Math.min(bytes, body.length));
    }
  }

  final Map<String, byte[]> files = new ConcurrentHashMap<>();
  final List<Request> requests = new CopyOnWriteArrayList<>();
  volatile Function<Request, Reply> behaviour = this::serve;
  private final ServerSocket socket;
  private final Thread thread;

  FakeHub() {
    try {
      socket = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
    thread = Thread.ofPlatform().daemon().start(this::accept);
  }

  URI uri() {
    return URI.create("http://127.0.0.1:" + socket.getLocalPort());
  }

  /** Another name of the same host and port, which a client must take for another host. */
  URI otherUri() {
    return URI.create("http://localhost:" + socket.getLocalPort());
  }

  /** How often the file was asked for. */
  List<Request> requestsFor(String end) {
    return requests.stream().filter(request -> request.path().endsWith(end)).toList();
  }

  /** The honest answer. */
  Reply serve(Request request) {
    byte[] body = files.get(request.path());
    if (body == null) {
      return Reply.status(404);
    }
    Map<String, String> headers = new LinkedHashMap<>();
    headers.put("ETag", "\"" + tag(request.path(), body) + "\"");
    headers.put("X-Repo-Commit", "c0ffee");
    if (!request.ranged()) {
      headers.put("Content-Length", String.valueOf(body.length));
      return new Reply(200, headers, body, body.length);
    }
    if (request.from() >= body.length) {
      return Reply.status(416);
    }
    byte[] rest = Arrays.copyOfRange(body, (int) request.from(), body.length);
    headers.put("Content-Length", String.valueOf(rest.length));
    headers.put(
        "Content-Range", "bytes " + request.from() + "-" + (body.length - 1) + "/" + body.length);
    return new Reply(206, headers, rest, rest.length);
  }

  /** Weights have a SHA-256 as their tag, all else the name of a git blob. */
  static String tag(String path, byte[] body) {
    return path.endsWith(".safetensors")
        ? TestHashes.hex("SHA-256", body)
        : TestHashes.hex("SHA-1", TestHashes.blob(body));
  }

  private void accept() {
    while (!socket.isClosed()) {
      try {
        Socket client = socket.accept();
        Thread.ofPlatform().daemon().start(() -> answer(client));
      } catch (IOException e) {
        return; // closed
      }
    }
  }

  private void answer(Socket client) {
    try (client;
        var in =
            new BufferedReader(
                new InputStreamReader(client.getInputStream(), StandardCharsets.US_ASCII));
        OutputStream out = client.getOutputStream()) {
      String first = in.readLine();
      if (first == null) {
        return;
      }
      long from = 0;
      boolean ranged = false;
      String authorization = "";
      for (String line = in.readLine(); line != null && !line.isEmpty(); line = in.readLine()) {
        String lower = line.toLowerCase(Locale.ROOT);
        if (lower.startsWith("range: bytes=")) {
          ranged = true;
          from = Long.parseLong(line.substring("range: bytes=".length(), line.length() - 1));
        } else if (lower.startsWith("authorization: ")) {
          authorization = line.substring("authorization: ".length());
        }
      }
      Request request = new Request(first.split(" ", 3)[1], from, ranged, authorization);
      requests.add(request);
      Reply reply = behaviour.apply(request);
      StringBuilder head = new StringBuilder("HTTP/1.1 " + reply.status() + " X\r\n");
      reply.headers().forEach((k, v) -> head.append(k).append(": ").append(v).append("\r\n"));
      head.append("Connection: close\r\n\r\n");
      out.write(head.toString().getBytes(StandardCharsets.US_ASCII));
      out.write(reply.body(), 0, reply.send());
      out.flush();
    } catch (IOException e) {
      // The client went away, which some tests make it do.
    }
  }

  @Override
  public void close() {
    try {
      socket.close();
      thread.join();
    } catch (IOException | InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
