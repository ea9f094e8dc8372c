package io.trimtab.hub.vocabulary;

import io.trimtab.hub.HubException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The ways in which byte-level BPE cuts a text before pieces are merged: expressions that are
 * applied one after the other, each to what the ones before left whole. Named as llama.cpp names
 * them.
 */
@SuppressWarnings("ImmutableEnumChecker") // the lists cannot change
public enum PreTokenizer {
  /** GPT-2's words, with the blank before them. */
  GPT2(
      List.of(Words.GPT2),
      "gpt-2",
      "gpt2",
      "phi-2",
      "mpt",
      "olmo",
      "jais",
      "gigachat",
      "mellum",
      "exaone4",
      "trillion",
      "granite-docling",
      "modern-bert",
      "a.x-4.0"),
  /** Every digit for itself, then GPT-2's words. */
  DIGITS(
      List.of("\\p{N}", Words.GPT2),
      "smollm",
      "starcoder",
      "refact",
      "command-r",
      "codeshell",
      "exaone",
      "minerva-7b",
      "mellum2"),
  /** Up to three digits; case of contractions does not matter. */
  LLAMA3(
      List.of(Words.modern("\\p{N}{1,3}")),
      "llama-bpe",
      "llama3",
      "llama-v3",
      "falcon3",
      "falcon-h1",
      "pixtral",
      "midm-2.0",
      "lfm2",
      "jina-v5-nano",
      "dbrx",
      "smaug-bpe",
      "chatglm-bpe",
      "glm4"),
  /** Every digit for itself; case of contractions does not matter. */
  QWEN2(
      List.of(Words.modern("\\p{N}")),
      "qwen2",
      "deepseek-r1-qwen",
      "kormo",
      "f2llmv2",
      "stablelm2",
      "hunyuan",
      "megrez",
      "grok-2",
      "solar-open"),
  /** Words by upper and lower case letters, every digit for itself. */
  TEKKEN(List.of(Words.cased("", "\\p{N}")), "tekken"),
  /** The same with contractions and up to three digits. */
  GPT4O(
      List.of(Words.cased("(?i:'s|'t|'re|'ve|'m|'ll|'d)?", "\\p{N}{1,3}")),
      "gpt-4o",
      "llama4",
      "kanana2",
      "minimax-m2"),
  /** Punctuation, GPT-2's words, then threes of digits. */
  FALCON(List.of("[\\p{P}\\$\\+<=>\\^~\\|`]+", Words.GPT2, "[0-9][0-9][0-9]"), "falcon"),
  /** Up to three digits, Chinese and Japanese signs, then words. */
  DEEPSEEK3(
      List.of(
          "\\p{N}{1,3}",
          "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+",
          "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+"
              + "|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+"
              + "| ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"),
      "deepseek-v3",
      "hunyuan-dense",
      "joyai-llm"),
  /** What llama.cpp takes where a file names none. */
  DEFAULT(
      List.of("[\\p{P}\\$\\+<=>\\^~\\|]+", Words.GPT2, "\\p{N}+", "[0-9][0-9][0-9]"), "default");

  /** These put the beginning token before a text, unless the file says otherwise. */
  private static final Set<String> BEGINNING =
      Set.of(
          "llama-bpe",
          "llama3",
          "llama-v3",
          "falcon3",
          "falcon-h1",
          "pixtral",
          "midm-2.0",
          "lfm2",
          "jina-v5-nano",
          "tekken");

  private final List<String> expressions;
  private final List<String> names;

  PreTokenizer(List<String> expressions, String... names) {
    this.expressions = expressions;
    this.names = List.of(names);
  }

  /** The best known of its names. */
  public String bestKnown() {
    return names.getFirst();
  }

  /** The way that applies exactly these expressions, one after the other. */
  static Optional<PreTokenizer> of(List<String> expressions) {
    return Stream.of(values()).filter(each -> each.expressions.equals(expressions)).findFirst();
  }

  /** The expressions, the first to be applied first. */
  List<String> expressions() {
    return expressions;
  }

  /**
   * The way of that name.
   *
   * @throws HubException.Unsupported for one that is not known
   */
  public static PreTokenizer of(String name) {
    return Stream.of(values())
        .filter(each -> each.names.contains(name))
        .findFirst()
        .orElseThrow(
            () ->
                new HubException.Unsupported(
                    "the pre-tokenizer "
                        + name
                        + " is not supported; expected one of "
                        + Stream.of(values())
                            .flatMap(each -> each.names.stream())
                            .sorted()
                            .collect(Collectors.joining(", "))));
  }

  /** Whether words that the vocabulary has are taken whole, whatever the merges say. */
  public static boolean takesWholeWords(String name) {
    return BEGINNING.contains(name) || name.equals("glm4");
  }

  /** Whether the beginning token is put before a text where the file does not say. */
  public static boolean addsBeginning(String name) {
    return BEGINNING.contains(name);
  }

  /** What {@code pre_tokenizer} says. */
  Object json() {
    List<Object> steps = new ArrayList<>();
    for (String expression : expressions) {
      Map<String, Object> split = new LinkedHashMap<>();
      split.put("type", "Split");
      split.put("pattern", Map.of("Regex", expression));
      split.put("behavior", "Isolated");
      split.put("invert", false);
      steps.add(split);
    }
    steps.add(byteLevel());
    return Map.of("type", "Sequence", "pretokenizers", steps);
  }

  /** Bytes as printable characters, and nothing else. */
  static Map<String, Object> byteLevel() {
    Map<String, Object> out = new LinkedHashMap<>();
    out.put("type", "ByteLevel");
    out.put("add_prefix_space", false);
    out.put("trim_offsets", true);
    out.put("use_regex", false);
    return out;
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** What words look like. */
  private static final class Words {
    static final String GPT2 =
        "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

    static String modern(String digits) {
      return "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|"
          + digits
          + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
    }

    static String cased(String contraction, String digits) {
      String upper = "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]";
      String lower = "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]";
      String before = "[^\\r\\n\\p{L}\\p{N}]?";
      return before
          + upper
          + "*"
          + lower
          + "+"
          + contraction
          + "|"
          + before
          + upper
          + "+"
          + lower
          + "*"
          + contraction
          + "|"
          + digits
          + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
    }
  }
}
