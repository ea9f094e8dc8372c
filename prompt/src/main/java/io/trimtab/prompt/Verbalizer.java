package io.trimtab.prompt;

import io.trimtab.hub.Encoding;
import io.trimtab.hub.SpecialToken;
import io.trimtab.hub.Tokenizer;
import io.trimtab.train.Labels;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.SequencedMap;

/**
 * The words that stand for each label. Immutable; the order in which labels are given is the order
 * of the classes.
 *
 * <p>As a file it is a line a label, <code>label: word, word</code>; blank lines and lines that
 * begin with {@code #} are left out. A label may hold a colon: the line's last one counts. On a
 * command line it is <code>label=word|word,label=word</code>.
 */
public final class Verbalizer {
  /** No labels yet, to be built up {@linkplain #with label by label}. */
  public static final Verbalizer EMPTY = new Verbalizer(new LinkedHashMap<>());

  private final SequencedMap<String, List<String>> words;

  private Verbalizer(SequencedMap<String, List<String>> words) {
    this.words = Collections.unmodifiableSequencedMap(words);
  }

  /**
   * The given labels and words, in the map's order.
   *
   * @throws PromptException.Syntax as {@link #with} does
   */
  public static Verbalizer of(Map<String, ? extends List<String>> words) {
    Verbalizer built = EMPTY;
    for (Map.Entry<String, ? extends List<String>> entry : words.entrySet()) {
      built = built.with(entry.getKey(), entry.getValue());
    }
    return built;
  }

  /**
   * These labels and one more.
   *
   * @throws PromptException.Syntax if the label is blank or there already, has no words, or a word
   *     is blank or stands for a label already
   */
  public Verbalizer with(String label, List<String> its) {
    if (label.isBlank()) {
      throw new PromptException.Syntax("found a blank label, expected a name for every label");
    }
    if (words.containsKey(label)) {
      throw new PromptException.Syntax(
          "found the label \"%s\" twice, expected each once; list all its words together"
              .formatted(label));
    }
    if (its.isEmpty()) {
      throw new PromptException.Syntax(
          "found no word for the label \"%s\", expected at least one, as in \"%s: great, good\""
              .formatted(label, label));
    }
    List<String> added = new ArrayList<>();
    for (String word : its) {
      if (word.isBlank()) {
        throw new PromptException.Syntax(
            "found a blank word for the label \"%s\"; remove the separator around it"
                .formatted(label));
      }
      checkNew(word, label, added);
      added.add(word);
    }
    LinkedHashMap<String, List<String>> all = new LinkedHashMap<>(words);
    all.put(label, List.copyOf(added));
    return new Verbalizer(all);
  }

  private void checkNew(String word, String label, List<String> added) {
    if (added.contains(word)) {
      throw new PromptException.Syntax(
          "found the word \"%s\" twice for the label \"%s\", expected it once"
              .formatted(word, label));
    }
    words.forEach(
        (other, itsWords) -> {
          if (itsWords.contains(word)) {
            throw new PromptException.Syntax(
                "found the word \"%s\" for the labels \"%s\" and \"%s\", expected it for one of them"
                    .formatted(word, other, label));
          }
        });
  }

  /**
   * A verbalizer as users name it: the path of a file, or the labels and words themselves.
   *
   * @throws PromptException.Syntax if it is neither, or breaks the rules
   */
  public static Verbalizer of(String fileOrInline) {
    Path file = path(fileOrInline);
    if (file != null && Files.isRegularFile(file)) {
      return read(file);
    }
    if (fileOrInline.contains("=")) {
      return inline(fileOrInline);
    }
    throw new PromptException.Syntax(
        "found the verbalizer \"%s\", expected a file or \"label=word|word,label=word\""
            .formatted(fileOrInline));
  }

  private static @org.jspecify.annotations.Nullable Path path(String name) {
    try {
      return Path.of(name);
    } catch (InvalidPathException e) {
      return null;
    }
  }

  /**
   * Reads a file; see the class comment.
   *
   * @throws PromptException.Syntax if it cannot be read as UTF-8 or breaks the rules; the message
   *     names the line
   */
  public static Verbalizer read(Path file) {
    List<String> lines;
    try {
      lines = Files.readAllLines(file, StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new PromptException.Syntax("cannot read the verbalizer " + file + ": " + e, e);
    }
    Verbalizer built = EMPTY;
    for (int i = 0; i < lines.size(); i++) {
      String line = (i == 0 ? withoutMark(lines.get(i)) : lines.get(i)).strip();
      if (line.isEmpty() || line.startsWith("#")) {
        continue;
      }
      int colon = line.lastIndexOf(':');
      try {
        if (colon < 0) {
          throw new PromptException.Syntax(
              "found \"%s\", expected \"label: word, word\"".formatted(line));
        }
        built = built.with(line.substring(0, colon).strip(), split(line.substring(colon + 1), ","));
      } catch (PromptException.Syntax e) {
        throw new PromptException.Syntax(
            "%s line %d: %s".formatted(file.getFileName(), i + 1, e.getMessage()), e);
      }
    }
    if (built.words.isEmpty()) {
      throw new PromptException.Syntax(
          file + " has no labels, expected lines such as \"positive: great, good\"");
    }
    return built;
  }

  /** Some editors begin a file with a byte-order mark. */
  private static String withoutMark(String line) {
    return line.startsWith("\uFEFF") ? line.substring(1) : line;
  }

  /**
   * Reads <code>label=word|word,label=word</code>.
   *
   * @throws PromptException.Syntax if it breaks the rules
   */
  public static Verbalizer inline(String text) {
    Verbalizer built = EMPTY;
    for (String part : text.split(",", -1)) {
      int sign = part.lastIndexOf('=');
      if (sign < 0) {
        throw new PromptException.Syntax(
            "found \"%s\" in the verbalizer \"%s\", expected \"label=word|word\" between commas"
                .formatted(part.strip(), text));
      }
      built = built.with(part.substring(0, sign).strip(), split(part.substring(sign + 1), "\\|"));
    }
    return built;
  }

  private static List<String> split(String words, String separator) {
    return words.isBlank()
        ? List.of()
        : Arrays.stream(words.split(separator, -1)).map(String::strip).toList();
  }

  /** The labels, in the order of the classes. */
  public Labels labels() {
    return Labels.of(List.copyOf(words.keySet()));
  }

  /** The words by label, in order; unmodifiable. */
  public SequencedMap<String, List<String>> words() {
    return words;
  }

  /**
   * The token of every word, as it reads after a blank: in front of the word a byte-level tokenizer
   * has the blank in the token.
   *
   * @return a list a label, in order, with a number a word
   * @throws PromptException.LabelWord if a word is split, unknown, or the same token as another
   */
  public List<List<Integer>> tokenIds(Tokenizer tokenizer) {
    OptionalInt unknown =
        tokenizer.special(SpecialToken.UNK).map(tokenizer::tokenId).orElse(OptionalInt.empty());
    List<List<Integer>> ids = new ArrayList<>();
    Map<Integer, String> taken = new HashMap<>();
    words.forEach(
        (label, its) -> {
          List<Integer> own = new ArrayList<>();
          for (String word : its) {
            int id = tokenId(word, label, tokenizer);
            if (unknown.isPresent() && unknown.getAsInt() == id) {
              throw new PromptException.LabelWord(
                  "found the label word \"%s\" of \"%s\", which the model's vocabulary does not have;"
                          .formatted(word, label)
                      + " choose another word");
            }
            String before = taken.put(id, word);
            if (before != null) {
              throw new PromptException.LabelWord(
                  "found the label words \"%s\" and \"%s\" (of \"%s\"), which are one token to this"
                          .formatted(before, word, label)
                      + " tokenizer, expected different ones; keep one of them");
            }
            own.add(id);
          }
          ids.add(List.copyOf(own));
        });
    return List.copyOf(ids);
  }

  private static int tokenId(String word, String label, Tokenizer tokenizer) {
    Encoding pieces = tokenizer.encodeWithoutSpecial(" " + word);
    if (pieces.length() != 1) {
      throw new PromptException.LabelWord(
          "found the label word \"%s\" of \"%s\" split into %d tokens (%s), expected one; choose a"
                  .formatted(word, label, pieces.length(), String.join(" ", pieces.tokens()))
              + " common word that the model's vocabulary has whole");
    }
    return pieces.id(0);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Verbalizer verbalizer
        && List.copyOf(words.entrySet()).equals(List.copyOf(verbalizer.words.entrySet()));
  }

  @Override
  public int hashCode() {
    return words.hashCode();
  }

  /** The words as they are written inline. */
  @Override
  public String toString() {
    List<String> parts = new ArrayList<>();
    words.forEach((label, its) -> parts.add(label + "=" + String.join("|", its)));
    return String.join(",", parts);
  }
}
