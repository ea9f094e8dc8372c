package io.trimtab.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trimtab.hub.FakeHub.Reply;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The hub's client against a server that drops connections, lies and refuses. */
class HubDownloadTest {
  private static final String BASE = "/org/tiny/resolve/main/";

  @TempDir Path temp;
  private final FakeHub server = new FakeHub();
  private final byte[] weights = new byte[300_000];

  @BeforeEach
  void fill() {
    new Random(7).nextBytes(weights);
    server.files.put(BASE + "config.json", text("{\"model_type\": \"bert\"}"));
    server.files.put(BASE + "vocab.txt", text("[UNK]\n[CLS]\n[SEP]\na\n"));
    server.files.put(BASE + "model.safetensors", weights);
  }

  @AfterEach
  void close() {
    server.close();
  }

  private static byte[] text(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private HubOptions options() {
    return HubOptions.fromEnvironment(Map.of(), temp)
        .withEndpoint(server.uri())
        .withTimeouts(Duration.ofSeconds(2), Duration.ofSeconds(2))
        .withRetries(3, Duration.ofMillis(1));
  }

  private ModelDirectory open() {
    return Hub.with(options()).find("org/tiny");
  }

  private static byte[] bytes(ModelDirectory model) throws IOException {
    return Files.readAllBytes(model.path().resolve("model.safetensors"));
  }

  @Test
  void fetchesOnceAndThenUsesTheCache() throws IOException {
    ModelDirectory model = open();
    assertThat(bytes(model)).isEqualTo(weights);
    assertThat(model.config().modelType()).isEqualTo("bert");
    assertThat(model.source()).isEqualTo("hub:org/tiny@c0ffee");
    assertThat(model.has("tokenizer.json")).isFalse();
    assertThat(model.sha256("model.safetensors")).isEqualTo(TestHashes.hex("SHA-256", weights));
    assertThat(model.verify()).contains("config.json", "model.safetensors", "vocab.txt");
    int asked = server.requests.size();
    assertThat(open().path()).isEqualTo(model.path());
    assertThat(server.requests).hasSize(asked);
    try (var left = Files.list(model.path())) {
      assertThat(left.map(file -> file.getFileName().toString()))
          .containsExactlyInAnyOrder(
              "config.json", "vocab.txt", "model.safetensors", "source.json");
    }
  }

  @Test
  void goesOnWhereADroppedConnectionStopped() throws IOException {
    server.behaviour =
        request ->
            request.path().endsWith(".safetensors")
                ? server.serve(request).cutAfter(100_000)
                : server.serve(request);
    AtomicLong most = new AtomicLong();
    ModelDirectory model =
        Hub.with(
                options()
                    .withProgress((file, done, total) -> most.accumulateAndGet(done, Math::max)))
            .find("org/tiny");
    assertThat(bytes(model)).isEqualTo(weights);
    assertThat(server.requestsFor(".safetensors").stream().map(FakeHub.Request::from))
        .containsExactly(0L, 100_000L, 200_000L);
    assertThat(most).hasValue(weights.length);
  }

  @Test
  void anotherAttemptResumesWhatAnEarlierOneLeft() throws IOException {
    AtomicInteger dropped = new AtomicInteger();
    server.behaviour =
        request -> {
          Reply honest = server.serve(request);
          if (!request.path().endsWith(".safetensors")) {
            return honest;
          }
          // One good piece, then nothing but dropped connections.
          return honest.cutAfter(dropped.getAndIncrement() == 0 ? 120_000 : 0);
        };
    assertThatThrownBy(this::open)
        .isInstanceOf(HubException.Interrupted.class)
        .hasMessageContaining("120000 of 300000 bytes")
        .hasMessageContaining("start again");
    server.behaviour = server::serve;
    server.requests.clear();
    assertThat(bytes(open())).isEqualTo(weights);
    assertThat(server.requestsFor(".safetensors").stream().map(FakeHub.Request::from))
        .containsExactly(120_000L);
    assertThat(server.requestsFor("vocab.txt")).isEmpty();
  }

  @Test
  void startsOverWhereTheServerIgnoresRanges() throws IOException {
    AtomicInteger count = new AtomicInteger();
    server.behaviour =
        request -> {
          Reply whole = server.serve(new FakeHub.Request(request.path(), 0, false, ""));
          boolean first = request.path().endsWith(".safetensors") && count.getAndIncrement() == 0;
          return first ? whole.cutAfter(50_000) : whole;
        };
    assertThat(bytes(open())).isEqualTo(weights);
    assertThat(count).hasValue(2);
  }

  @Test
  void startsOverWhereTheFileChangedMeanwhile() throws IOException {
    byte[] old = weights.clone();
    old[0]++;
    AtomicInteger count = new AtomicInteger();
    server.behaviour =
        request -> {
          if (request.path().endsWith(".safetensors") && count.getAndIncrement() == 0) {
            return server
                .serve(request)
                .with("ETag", "\"" + TestHashes.hex("SHA-256", old) + "\"")
                .cutAfter(50_000);
          }
          return server.serve(request);
        };
    assertThat(bytes(open())).isEqualTo(weights);
    assertThat(server.requestsFor(".safetensors").stream().map(FakeHub.Request::from))
        .containsExactly(0L, 50_000L, 0L);
  }

  @Test
  void refusesAWrongHashAndKeepsNothing() {
    byte[] damaged = weights.clone();
    damaged[1000]++;
    server.behaviour =
        request ->
            request.path().endsWith(".safetensors")
                ? new Reply(200, server.serve(request).headers(), damaged, damaged.length)
                : server.serve(request);
    assertThatThrownBy(this::open)
        .isInstanceOf(HubException.Corrupt.class)
        .hasMessageContaining(TestHashes.hex("SHA-256", weights))
        .hasMessageContaining(TestHashes.hex("SHA-256", damaged));
    assertThat(temp.resolve(".cache/trimtab/models/hub--org--tiny")).doesNotExist();
    assertThat(temp.resolve(".cache/trimtab/models/hub--org--tiny.part/model.safetensors.part"))
        .doesNotExist();
  }

  @Test
  void checksSmallFilesByTheirGitBlobName() {
    server.behaviour =
        request ->
            request.path().endsWith("vocab.txt")
                ? server.serve(request).with("ETag", "W/\"" + "0".repeat(40) + "\"")
                : server.serve(request);
    assertThatThrownBy(this::open)
        .isInstanceOf(HubException.Corrupt.class)
        .hasMessageContaining("vocab.txt");
  }

  @Test
  void aDamagedPartOfAnEarlierAttemptIsFetchedAnew() throws IOException {
    AtomicInteger count = new AtomicInteger();
    server.behaviour =
        request ->
            request.path().endsWith(".safetensors")
                ? server.serve(request).cutAfter(count.getAndIncrement() == 0 ? 9_000 : 0)
                : server.serve(request);
    assertThatThrownBy(this::open).isInstanceOf(HubException.Interrupted.class);
    Path part = temp.resolve(".cache/trimtab/models/hub--org--tiny.part/model.safetensors.part");
    byte[] damaged = Files.readAllBytes(part);
    damaged[17]++;
    Files.write(part, damaged);
    server.behaviour = server::serve;
    assertThat(bytes(open())).isEqualTo(weights);
  }

  @Test
  void aTooLongContentLengthIsADroppedConnectionThatNeverEnds() {
    server.behaviour =
        request ->
            request.path().endsWith(".safetensors")
                ? server.serve(request).with("Content-Length", "400000").without("Content-Range")
                : server.serve(request);
    assertThatThrownBy(this::open)
        .isInstanceOf(HubException.Interrupted.class)
        .hasMessageContaining("300000 of 400000 bytes");
  }

  @Test
  void aTooShortContentLengthFailsByItsHash() {
    server.behaviour =
        request ->
            request.path().endsWith(".safetensors")
                ? server.serve(request).with("Content-Length", "299000")
                : server.serve(request);
    assertThatThrownBy(this::open).isInstanceOf(HubException.Corrupt.class);
  }

  @Test
  void theLengthThatTheHubNamesBindsTheStore() {
    server.behaviour =
        request ->
            request.path().endsWith(".safetensors")
                ? server.serve(request).with("X-Linked-Size", "300001")
                : server.serve(request);
    assertThatThrownBy(this::open)
        .isInstanceOf(HubException.Corrupt.class)
        .hasMessageContaining("300001 bytes")
        .hasMessageContaining("sends 300000");
  }

  @Test
  void followsRedirectsWithTheHubsHashButWithoutTheToken() throws IOException {
    server.files.put("/store/blob.safetensors", weights);
    server.behaviour =
        request ->
            request.path().endsWith("model.safetensors")
                ? new Reply(
                    302,
                    Map.of(
                        "Location",
                        server.otherUri() + "/store/blob.safetensors",
                        "X-Linked-Etag",
                        "\"" + TestHashes.hex("SHA-256", weights) + "\"",
                        "X-Linked-Size",
                        "300000",
                        "X-Repo-Commit",
                        "abc",
                        "Content-Length",
                        "0"),
                    new byte[0],
                    0)
                : server.serve(request).with("ETag", "\"of-the-store\"");
    ModelDirectory model = Hub.with(options().withToken("hf_secret")).find("org/tiny");
    assertThat(bytes(model)).isEqualTo(weights);
    assertThat(server.requestsFor("model.safetensors").getFirst().authorization())
        .isEqualTo("Bearer hf_secret");
    assertThat(server.requestsFor("blob.safetensors").getFirst().authorization()).isEmpty();
    assertThat(options().withToken("hf_secret").toString()).doesNotContain("secret");
  }

  @Test
  void endlessRedirectsEnd() {
    server.behaviour =
        request ->
            new Reply(
                307,
                Map.of("Location", request.path() + "x", "Content-Length", "0"),
                new byte[0],
                0);
    assertThatThrownBy(this::open)
        .isInstanceOf(HubException.Interrupted.class)
        .hasMessageContaining("redirects");
  }

  @Test
  void overcomesErrorsOfTheServerThatPass() throws IOException {
    AtomicInteger count = new AtomicInteger();
    server.behaviour =
        request ->
            count.getAndIncrement() % 3 < 2
                ? Reply.status(count.get() % 2 == 0 ? 503 : 429)
                : server.serve(request);
    assertThat(bytes(open())).isEqualTo(weights);
  }

  @Test
  void givesUpOnErrorsOfTheServerThatStay() {
    server.behaviour = request -> Reply.status(500);
    assertThatThrownBy(this::open)
        .isInstanceOf(HubException.Interrupted.class)
        .hasMessageContaining("500");
    assertThat(server.requests).hasSize(4);
  }

  @Test
  void refusalsAndMissingModelsAreNotRetried() {
    server.behaviour = request -> Reply.status(401);
    assertThatThrownBy(this::open)
        .isInstanceOf(HubException.Refused.class)
        .hasMessageContaining("HF_TOKEN");
    assertThat(server.requests).hasSize(1);
    server.behaviour = server::serve;
    assertThatThrownBy(() -> Hub.with(options()).find("org/nothing"))
        .isInstanceOf(HubException.NotFound.class)
        .hasMessageContaining("config.json");
    assertThatThrownBy(() -> Hub.with(options()).find("bert-base-uncasd"))
        .isInstanceOf(HubException.NotFound.class)
        .hasMessageContaining("did you mean bert-base-uncased");
  }

  @Test
  void aRepositoryWithoutSafetensorsIsRefused() {
    server.files.remove(BASE + "model.safetensors");
    server.files.put(BASE + "pytorch_model.bin", new byte[8]);
    assertThatThrownBy(this::open)
        .isInstanceOf(HubException.Unsupported.class)
        .hasMessageContaining("model.safetensors");
  }

  @Test
  void fetchesEveryShardOfAnIndex() {
    server.files.remove(BASE + "model.safetensors");
    server.files.put(
        BASE + "model.safetensors.index.json",
        text("{\"weight_map\": {\"a\": \"m-2.safetensors\", \"b\": \"m-1.safetensors\"}}"));
    server.files.put(BASE + "m-1.safetensors", new byte[10]);
    assertThatThrownBy(this::open)
        .isInstanceOf(HubException.NotFound.class)
        .hasMessageContaining("m-2.safetensors");
    server.files.put(BASE + "m-2.safetensors", new byte[20]);
    ModelDirectory model = open();
    assertThat(model.weightFiles())
        .containsExactly(
            model.path().resolve("m-1.safetensors"), model.path().resolve("m-2.safetensors"));
  }

  @Test
  void anIndexCannotLeadOutOfTheDirectory() {
    server.files.remove(BASE + "model.safetensors");
    server.files.put(
        BASE + "model.safetensors.index.json",
        text("{\"weight_map\": {\"a\": \"../../evil.safetensors\"}}"));
    assertThatThrownBy(this::open)
        .isInstanceOf(HubException.Malformed.class)
        .hasMessageContaining("../../evil");
  }

  @Test
  void aSilentServerIsGivenUp() {
    server.behaviour =
        request -> {
          try {
            Thread.sleep(1_000);
          } catch (InterruptedException e) {
            throw new IllegalStateException(e);
          }
          return Reply.status(500);
        };
    HubOptions impatient = options().withTimeouts(Duration.ofMillis(100), Duration.ofMillis(100));
    assertThatThrownBy(() -> Hub.with(impatient).find("org/tiny"))
        .isInstanceOf(HubException.Offline.class)
        .hasMessageContaining("127.0.0.1");
  }

  @Test
  void anUnreachableHubIsSaidAtOnce() {
    server.close();
    long start = System.nanoTime();
    assertThatThrownBy(this::open)
        .isInstanceOf(HubException.Offline.class)
        .hasMessageContaining("HF_ENDPOINT");
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(2));
    assertThatThrownBy(
            () -> Hub.with(options().withEndpoint(URI.create("http://no.invalid"))).find("a/b"))
        .isInstanceOf(HubException.Offline.class);
  }

  @Test
  void revisionsAreKeptApart() {
    server.files.put("/org/tiny/resolve/v2/config.json", text("{\"model_type\": \"roberta\"}"));
    server.files.put("/org/tiny/resolve/v2/vocab.txt", text("a\n"));
    server.files.put("/org/tiny/resolve/v2/model.safetensors", new byte[5]);
    assertThat(Hub.with(options()).find("org/tiny@v2").config().modelType()).isEqualTo("roberta");
    assertThat(open().config().modelType()).isEqualTo("bert");
  }

  @Test
  void twoThreadsFetchAFileOnlyOnce() throws Exception {
    try (var pool = Executors.newFixedThreadPool(4)) {
      Callable<ModelDirectory> task = this::open;
      for (var future : pool.invokeAll(List.of(task, task, task, task))) {
        assertThat(bytes(future.get())).isEqualTo(weights);
      }
    }
    assertThat(server.requestsFor("model.safetensors")).hasSize(1);
  }

  @Test
  void verifyFindsAChangedFile() throws IOException {
    ModelDirectory model = open();
    byte[] changed = weights.clone();
    changed[5]++;
    Files.write(model.path().resolve("model.safetensors"), changed);
    assertThatThrownBy(model::verify)
        .isInstanceOf(HubException.Corrupt.class)
        .hasMessageContaining("model.safetensors");
  }
}
