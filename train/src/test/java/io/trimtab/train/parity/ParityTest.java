package io.trimtab.train.parity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.trimtab.hub.Safetensors;
import io.trimtab.hub.TensorData;
import io.trimtab.hub.TensorFile;
import io.trimtab.hub.TensorInfo;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ParityTest {
  private static final Path FIXTURES = Path.of(System.getProperty("trimtab.fixtures", "missing"));

  @TempDir Path directory = Path.of("");

  @BeforeEach
  void needsRecordings() {
    assumeTrue(Files.isDirectory(FIXTURES.resolve("hf")), "no cases at -Dtrimtab.fixtures");
  }

  /** What needs something that Trimtab says it does not have, and where it says so. */
  private static final Map<String, String> REFUSED = Map.of("train/llama-ptuning", "network");

  /** Everything that is recorded, of every architecture and method, is met. */
  @Test
  void whatOthersRecordedIsComputedOrRefusedByName() throws IOException {
    List<Case> told = new ArrayList<>();
    ParityReport report = Parity.run(FIXTURES, told::add);
    assertThat(told).isEqualTo(report.cases());
    assertThat(report.cases()).extracting(Case::name).isEqualTo(recorded());
    assertThat(report.cases())
        .allSatisfy(
            each -> {
              String refused = REFUSED.get(each.name());
              if (refused == null) {
                assertThat(each.status()).as(each.toString()).isEqualTo(Case.Status.OK);
                assertThat(each.why()).matches("|in F64; F32 rounds to .*");
                assertThat(each.error()).isFinite();
              } else {
                assertThat(each.status()).as(each.toString()).isEqualTo(Case.Status.REFUSED);
                assertThat(each.why()).startsWith("found ").contains(refused);
                assertThat(each.error()).isNaN();
              }
            });
    for (Case.Status status : Case.Status.values()) {
      assertThat(report.count(status))
          .isEqualTo(told.stream().filter(each -> each.status() == status).count());
    }
  }

  /** The folders of the kinds that there are, in order. */
  private static List<String> recorded() throws IOException {
    List<String> names = new ArrayList<>();
    for (String kind : List.of("adapterhub", "hf", "opendelta", "peft", "train")) {
      Path folder = FIXTURES.resolve(kind);
      if (Files.isDirectory(folder)) {
        try (Stream<Path> cases = Files.list(folder)) {
          cases
              .filter(Files::isDirectory)
              .forEach(each -> names.add(kind + "/" + each.getFileName()));
        }
      }
    }
    return names.stream().sorted().toList();
  }

  @Test
  void aFolderOfOneKindOrOneCaseWillDo() {
    needs("hf/bert");
    needs("train");
    assertThat(Parity.run(FIXTURES.resolve("hf").resolve("bert"), each -> {}).cases())
        .singleElement()
        .satisfies(each -> assertThat(each.name()).isEqualTo("hf/bert"));
    assertThat(Parity.run(FIXTURES.resolve("train"), each -> {}).cases())
        .isNotEmpty()
        .allMatch(each -> each.name().startsWith("train/"));
  }

  @Test
  void aDirectoryWithoutCasesIsAnError() throws IOException {
    assertThatThrownBy(() -> Parity.run(directory, each -> {}))
        .isInstanceOf(ParityException.class)
        .hasMessageContaining("hf/NAME");
    assertThatThrownBy(() -> Parity.run(directory.resolve("nothing"), each -> {}))
        .isInstanceOf(ParityException.class);
    // Kinds that are not known are nobody's failure.
    Files.createDirectories(directory.resolve("hf"));
    Files.createDirectories(directory.resolve("novel").resolve("case"));
    assertThatThrownBy(() -> Parity.run(directory, each -> {})).isInstanceOf(ParityException.class);
  }

  private static void needs(String name) {
    assumeTrue(Files.isDirectory(FIXTURES.resolve(name)), () -> "no " + name + " recorded");
  }

  private void copy(String... cases) throws IOException {
    for (String name : cases) {
      needs(name);
      try (Stream<Path> files = Files.walk(FIXTURES.resolve(name))) {
        for (Path file : files.toList()) {
          Path to = directory.resolve(FIXTURES.relativize(file).toString());
          if (Files.isDirectory(file)) {
            Files.createDirectories(to);
          } else {
            Files.copy(file, to);
          }
        }
      }
    }
  }

  /** Changes one number of one tensor. */
  private void corrupt(String file, String tensor, float by) {
    Path path = directory.resolve(file);
    LinkedHashMap<String, TensorData> tensors = new LinkedHashMap<>();
    try (TensorFile from = Safetensors.open(path)) {
      for (String name : from.names()) {
        TensorInfo info = from.info(name);
        byte[] bytes = from.bytes(name).toArray(ValueLayout.JAVA_BYTE);
        MemorySegment copy = MemorySegment.ofArray(bytes);
        if (name.equals(tensor)) {
          float old = copy.get(ValueLayout.JAVA_FLOAT_UNALIGNED, 0);
          copy.set(ValueLayout.JAVA_FLOAT_UNALIGNED, 0, old + by);
        }
        tensors.put(name, new TensorData(info.dtype(), info.shape(), copy));
      }
    }
    Safetensors.write(path, tensors, Map.of());
  }

  private Case only(String name) {
    return Parity.run(directory, each -> {}).cases().stream()
        .filter(each -> each.name().equals(name))
        .findFirst()
        .orElseThrow();
  }

  private void assertWrong(String name, String why) {
    Case found = only(name);
    assertThat(found.status()).isEqualTo(Case.Status.WRONG);
    assertThat(found.why()).contains(why);
  }

  @Test
  void oneWrongWeightIsFound() throws IOException {
    copy("hf/bert");
    assertThat(only("hf/bert").status()).isEqualTo(Case.Status.OK);
    String key = "bert.encoder.layer.1.attention.self.key.weight";
    corrupt("hf/bert/model.safetensors", key, 0.5f);
    assertWrong("hf/bert", "hidden.2 off by");
  }

  @Test
  void oneWrongLogitIsFound() throws IOException {
    copy("hf/bert-seqcls");
    corrupt("hf/bert-seqcls/io.safetensors", "logits", 2e-4f);
    assertWrong("hf/bert-seqcls", "logits off by 2.0e-04, allowed 1e-04");
  }

  @Test
  void aNumberThatIsNoneIsFound() throws IOException {
    copy("hf/bert-seqcls");
    corrupt("hf/bert-seqcls/io.safetensors", "logits", Float.NaN);
    assertWrong("hf/bert-seqcls", "logits off by NaN");
  }

  @Test
  void oneWrongNumberOfAnAdapterIsFound() throws IOException {
    copy("hf/bert", "peft/lora-bert");
    assertThat(only("peft/lora-bert").status()).isEqualTo(Case.Status.OK);
    String tensor = "base_model.model.bert.encoder.layer.0.attention.self.value.lora_A.weight";
    corrupt("peft/lora-bert/adapter_model.safetensors", tensor, 0.01f);
    assertWrong("peft/lora-bert", "logits off by");
  }

  @Test
  void oneWrongStepOfACurveIsFound() throws IOException {
    copy("hf/bert-seqcls", "train/bertcls-full");
    Path curve = directory.resolve("train/bertcls-full/curve.json");
    String text = Files.readString(curve);
    assertThat(only("train/bertcls-full").status()).isEqualTo(Case.Status.OK);
    Files.writeString(curve, text.replaceFirst("\"rates\": \\[\\s*[0-9.e-]+", "\"rates\": [0.0"));
    assertWrong("train/bertcls-full", "loss of step 2 off by");
    Files.writeString(curve, text);
    corrupt("train/bertcls-full/end.safetensors", "classifier.weight", 0.1f);
    assertWrong("train/bertcls-full", "end of classifier.weight off by");
  }

  @Test
  void aCaseWithFilesMissingIsWrongAndTheOthersAreStillRun() throws IOException {
    copy("hf/bert", "peft/lora-bert", "peft/lora-bert-rslora");
    Files.delete(directory.resolve("peft/lora-bert/adapter_model.safetensors"));
    assertWrong("peft/lora-bert", "adapter_model.safetensors");
    assertThat(only("peft/lora-bert-rslora").status()).isEqualTo(Case.Status.OK);
    Files.delete(directory.resolve("hf/bert/model.safetensors"));
    assertWrong("hf/bert", "no model.safetensors");
    assertWrong("peft/lora-bert-rslora", "no model.safetensors");
  }
}
