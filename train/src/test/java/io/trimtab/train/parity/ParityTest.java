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
import java.util.Optional;
import java.util.TreeMap;
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

  private static void assertOk(Map<String, Case> cases, String kind, String... names) {
    for (String name : names) {
      assertThat(cases).containsKey(kind + "/" + name);
      assertThat(Optional.ofNullable(cases.get(kind + "/" + name)))
          .hasValueSatisfying(
              each -> {
                assertThat(each.why()).isEmpty();
                assertThat(each.status()).isEqualTo(Case.Status.OK);
              });
    }
  }

  @Test
  void whatOthersRecordedIsComputedOrRefusedByName() {
    List<Case> told = new ArrayList<>();
    ParityReport report = Parity.run(FIXTURES, told::add);
    assertThat(told).isEqualTo(report.cases());
    assertThat(report.cases())
        .extracting(Case::name)
        .isSorted()
        .allMatch(name -> name.matches("(adapterhub|hf|opendelta|peft|train)/[^/]+"));
    Map<String, Case> cases = new TreeMap<>();
    told.forEach(each -> cases.put(each.name(), each));
    assertOk(
        cases,
        "hf",
        "bert",
        "bert-seqcls",
        "bert-tokcls",
        "roberta",
        "roberta-seqcls",
        "distilbert",
        "electra",
        "t5",
        "t5-v1.1",
        "bart");
    assertOk(
        cases,
        "peft",
        "lora-bert",
        "lora-bert-regex",
        "lora-bert-layers",
        "lora-bert-exclude",
        "lora-bert-alllinear",
        "lora-bert-embedding",
        "lora-bert-rslora",
        "lora-bert-patterns",
        "lora-bert-biasall",
        "lora-bert-biaslora",
        "lora-bert-lorabias",
        "lora-bertcls-head",
        "ia3-bert",
        "lora-t5",
        "ia3-t5");
    assertOk(
        cases,
        "adapterhub",
        "lora-bert",
        "lora-ffn-bert",
        "ia3-bert",
        "prefix-bert",
        "prompt-bert",
        "reft-loreft-bert",
        "reft-noreft-bert",
        "houlsby-bert",
        "houlsby-inv-bert",
        "pfeiffer-bert",
        "pfeiffer-roberta-leaveout",
        "parallel-bert",
        "scaled-parallel-learned-bert",
        "compacter-bert",
        "compacterpp-bert",
        "mam-bert",
        "unipelt-bert",
        "pfeiffer-t5");
    assertOk(
        cases,
        "opendelta",
        "adapter-bert",
        "adapter-bert-where",
        "adapter-roberta",
        "bitfit-bert",
        "compacter-bert",
        "lora-bert",
        "lora-bert-common",
        "lora-bert-regex",
        "lowrank-bert",
        "parallel-bert",
        "prefix-bert",
        "prefix-bert-flat",
        "softprompt-bert",
        "adapter-t5",
        "compacter-t5",
        "lora-t5",
        "lowrank-t5");
    assertOk(
        cases,
        "train",
        "bert-mlm-lora",
        "bert-mlm-full",
        "bert-mlm-bitfit",
        "bert-mlm-lora-accumulate2",
        "bertcls-lora",
        "bertcls-ia3",
        "bertcls-full",
        "t5-full",
        "t5-lora");
    assertThat(report.cases())
        .as("nothing is computed wrongly in silence")
        .noneMatch(each -> each.status() == Case.Status.WRONG);
    assertThat(report.cases())
        .filteredOn(each -> each.status() == Case.Status.REFUSED)
        .allMatch(each -> each.why().startsWith("found ") && Double.isNaN(each.error()));
    int sum = 0;
    for (Case.Status status : Case.Status.values()) {
      sum += report.count(status);
    }
    assertThat(sum).isEqualTo(report.cases().size());
  }

  @Test
  void aFolderOfOneKindOrOneCaseWillDo() {
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

  private void copy(String... cases) throws IOException {
    for (String name : cases) {
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
