package io.trimtab.hub;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Writes the {@code tokenizer.json} that older model directories lack: from BERT's {@code
 * vocab.txt}, or from the {@code vocab.json} and {@code merges.txt} of GPT-2 and RoBERTa.
 */
final class TokenizerJson {
  private TokenizerJson() {}

  /**
   * A WordPiece tokenizer as BERT's.
   *
   * @param vocab a file with one token a line; a token's number is its line's, from 0 on
   * @param config the fields of {@code tokenizer_config.json}; may be empty
   */
  static String wordPiece(Path vocab, Map<String, @Nullable Object> config) {
    String[] lines = readText(vocab).split("\n", -1);
    Map<String, Object> ids = new LinkedHashMap<>();
    int count = lines[lines.length - 1].isEmpty() ? lines.length - 1 : lines.length;
    for (int i = 0; i < count; i++) {
      String line = lines[i];
      ids.put(line.endsWith("\r") ? line.substring(0, line.length() - 1) : line, i);
    }
    String cls = name(config, SpecialToken.CLS, "[CLS]");
    String sep = name(config, SpecialToken.SEP, "[SEP]");
    String unknown = name(config, SpecialToken.UNK, "[UNK]");
    for (String needed : List.of(cls, sep, unknown)) {
      if (!ids.containsKey(needed)) {
        throw new HubException.Malformed(
            vocab + ": expected the token " + needed + " among its " + ids.size() + " lines");
      }
    }
    List<Object> added = new ArrayList<>();
    for (SpecialToken role : SpecialToken.values()) {
      String token = name(config, role, "[" + role + "]");
      if (ids.get(token) instanceof Integer id) {
        added.add(added(token, id, false));
      }
    }
    Map<String, @Nullable Object> normalizer = new LinkedHashMap<>();
    normalizer.put("type", "BertNormalizer");
    normalizer.put("clean_text", true);
    normalizer.put("handle_chinese_chars", config.getOrDefault("tokenize_chinese_chars", true));
    normalizer.put("strip_accents", config.get("strip_accents"));
    normalizer.put("lowercase", config.getOrDefault("do_lower_case", true));

    Map<String, Object> model = new LinkedHashMap<>();
    model.put("type", "WordPiece");
    model.put("unk_token", unknown);
    model.put("continuing_subword_prefix", "##");
    model.put("max_input_chars_per_word", 100);
    model.put("vocab", ids);

    Map<String, Object> frame = new LinkedHashMap<>();
    frame.put("type", "TemplateProcessing");
    frame.put("single", List.of(special(cls, 0), sequence("A", 0), special(sep, 0)));
    frame.put(
        "pair",
        List.of(
            special(cls, 0), sequence("A", 0), special(sep, 0), sequence("B", 1), special(sep, 1)));
    Map<String, Object> used = new LinkedHashMap<>();
    for (String token : List.of(cls, sep)) {
      Integer id = (Integer) java.util.Objects.requireNonNull(ids.get(token));
      used.put(token, Map.of("id", token, "ids", List.of(id), "tokens", List.of(token)));
    }
    frame.put("special_tokens", used);

    return document(
        added,
        normalizer,
        Map.of("type", "BertPreTokenizer"),
        frame,
        Map.of("type", "WordPiece", "prefix", "##", "cleanup", true),
        model);
  }

  /**
   * A byte-level BPE tokenizer as GPT-2's; with RoBERTa's frame where the vocabulary has {@code
   * <s>} and {@code </s>}.
   */
  static String byteLevelBpe(Path vocab, Path merges, Map<String, @Nullable Object> config) {
    Map<String, @Nullable Object> ids = Json.readObject(vocab);
    List<Object> pairs = new ArrayList<>();
    for (String line : readText(merges).split("\n", -1)) {
      String merge = line.strip();
      if (!merge.isEmpty() && !merge.startsWith("#version")) {
        pairs.add(merge);
      }
    }
    boolean prefixSpace = Boolean.TRUE.equals(config.get("add_prefix_space"));
    boolean framed = ids.containsKey("<s>") && ids.containsKey("</s>");
    List<Object> added = new ArrayList<>();
    for (String token : List.of("<s>", "<pad>", "</s>", "<unk>", "<mask>", "<|endoftext|>")) {
      if (ids.get(token) instanceof Integer id) {
        // RoBERTa's mask swallows the blank before it.
        added.add(added(token, id, token.equals("<mask>")));
      }
    }
    Map<String, @Nullable Object> model = new LinkedHashMap<>();
    model.put("type", "BPE");
    model.put("dropout", null);
    model.put("unk_token", ids.containsKey("<unk>") ? "<unk>" : null);
    model.put("continuing_subword_prefix", "");
    model.put("end_of_word_suffix", "");
    model.put("fuse_unk", false);
    model.put("vocab", ids);
    model.put("merges", pairs);
    Map<String, @Nullable Object> frame = new LinkedHashMap<>();
    frame.put("type", framed ? "RobertaProcessing" : "ByteLevel");
    if (framed) {
      frame.put("sep", java.util.Arrays.asList("</s>", ids.get("</s>")));
      frame.put("cls", java.util.Arrays.asList("<s>", ids.get("<s>")));
    }
    frame.put("trim_offsets", true);
    frame.put("add_prefix_space", prefixSpace);
    Map<String, Object> bytes =
        Map.of(
            "type",
            "ByteLevel",
            "add_prefix_space",
            prefixSpace,
            "trim_offsets",
            true,
            "use_regex",
            true);
    return document(added, null, bytes, frame, bytes, model);
  }

  private static String document(
      List<Object> added,
      @Nullable Object normalizer,
      Object preTokenizer,
      Object postProcessor,
      Object decoder,
      Object model) {
    Map<String, @Nullable Object> root = new LinkedHashMap<>();
    root.put("version", "1.0");
    root.put("truncation", null);
    root.put("padding", null);
    root.put("added_tokens", added);
    root.put("normalizer", normalizer);
    root.put("pre_tokenizer", preTokenizer);
    root.put("post_processor", postProcessor);
    root.put("decoder", decoder);
    root.put("model", model);
    return Json.write(root);
  }

  private static Map<String, Object> added(String token, int id, boolean stripLeft) {
    Map<String, Object> out = new LinkedHashMap<>();
    out.put("id", id);
    out.put("content", token);
    out.put("single_word", false);
    out.put("lstrip", stripLeft);
    out.put("rstrip", false);
    out.put("normalized", false);
    out.put("special", true);
    return out;
  }

  private static Map<String, Object> special(String token, int type) {
    return Map.of("SpecialToken", Map.of("id", token, "type_id", type));
  }

  private static Map<String, Object> sequence(String name, int type) {
    return Map.of("Sequence", Map.of("id", name, "type_id", type));
  }

  /** The spelling that {@code config} gives a special token: a string, or an object's content. */
  static String name(Map<String, @Nullable Object> config, SpecialToken role, String fallback) {
    return switch (config.get(role.configKey())) {
      case String text -> text;
      case Map<?, ?> map when map.get("content") instanceof String text -> text;
      case null, default -> fallback;
    };
  }

  private static String readText(Path file) {
    try {
      return Files.readString(file, StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new HubException.Disk("cannot read " + file + " as UTF-8 text: " + e, e);
    }
  }
}
