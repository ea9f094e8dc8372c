package io.trimtab.hub;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A {@code tokenizer.json} to which special tokens that are spelled out in a text are plain text.
 * They are no longer among the added tokens, which are those that are looked for; where the model
 * itself could make them of a text, as Unigram does, they get a spelling there that nobody can
 * know. All numbers stay as they are.
 */
final class PlainTexts {
  private final Map<String, @Nullable Object> root;
  private final String name;
  private final String secret = "\uffff" + UUID.randomUUID();
  private final List<Added> special = new ArrayList<>();
  private final List<Added> others = new ArrayList<>();

  /** An added token. */
  private record Added(String content, int id) {}

  private PlainTexts(Map<String, @Nullable Object> root, String name) {
    this.root = root;
    this.name = name;
  }

  /**
   * The changed file.
   *
   * @param name what messages call it
   * @throws HubException.Malformed where it cannot be understood
   */
  static byte[] json(byte[] json, String name) {
    PlainTexts it = new PlainTexts(Json.parseObject(json, name), name);
    it.change();
    return Json.write(it.root).getBytes(StandardCharsets.UTF_8);
  }

  private void change() {
    List<@Nullable Object> kept = new ArrayList<>();
    if (root.get("added_tokens") instanceof List<?> added) {
      for (Object token : added) {
        if (!(token instanceof Map<?, ?> fields)
            || !(fields.get("content") instanceof String content)
            || !(fields.get("id") instanceof Integer id)) {
          throw malformed("added_tokens with content and id");
        }
        boolean isSpecial = Boolean.TRUE.equals(fields.get("special"));
        (isSpecial ? special : others).add(new Added(content, id));
        if (!isSpecial) {
          kept.add(token);
        }
      }
    }
    root.put("added_tokens", kept);
    if (!(root.get("model") instanceof Map<?, ?> model)) {
      throw malformed("an object model");
    }
    Map<String, @Nullable Object> changed = new LinkedHashMap<>();
    model.forEach((field, value) -> changed.put(String.valueOf(field), value));
    changed.put(
        "vocab",
        switch (model.get("vocab")) {
          case Map<?, ?> numbers -> numbered(numbers, model);
          case List<?> pieces -> listed(pieces);
          case null, default -> throw malformed("a vocab in its model");
        });
    root.put("model", changed);
  }

  /**
   * Numbers by spelling. The library gives added tokens that the vocabulary lacks the next free
   * numbers in turn, whatever the file says, so that all of them must be in it once some are gone.
   */
  private Map<String, @Nullable Object> numbered(Map<?, ?> numbers, Map<?, ?> model) {
    Map<String, @Nullable Object> vocab = new LinkedHashMap<>();
    numbers.forEach((spelling, id) -> vocab.put(String.valueOf(spelling), id));
    Set<String> spellings = new HashSet<>();
    special.forEach(token -> spellings.add(token.content()));
    // The model names these by their spelling.
    Set<String> named = merged(spellings, model);
    named.add(String.valueOf(model.get("unk_token")));
    for (Added token : special) {
      if (!named.contains(token.content()) || !vocab.containsKey(token.content())) {
        vocab.remove(token.content());
        vocab.put(secret + token.id(), token.id());
      }
    }
    others.forEach(token -> vocab.putIfAbsent(token.content(), token.id()));
    return vocab;
  }

  /** What merges are made of, and what they make: as ordinary as any other piece. */
  private static Set<String> merged(Set<String> spellings, Map<?, ?> model) {
    Set<String> found = new HashSet<>();
    if (model.get("merges") instanceof List<?> merges) {
      for (Object merge : merges) {
        List<?> parts =
            merge instanceof List<?> pair ? pair : List.of(String.valueOf(merge).split(" ", 2));
        StringBuilder whole = new StringBuilder();
        for (Object part : parts) {
          whole.append(part);
          found.add(String.valueOf(part));
        }
        found.add(whole.toString());
        found.retainAll(spellings);
      }
    }
    return found;
  }

  /** Unigram's pieces with their scores, numbered by position. */
  private List<@Nullable Object> listed(List<?> pieces) {
    List<@Nullable Object> vocab = new ArrayList<>(pieces);
    for (Added token : special) {
      replace(vocab, token, secret + token.id());
    }
    for (Added token : others) {
      replace(vocab, token, token.content());
    }
    return vocab;
  }

  private void replace(List<@Nullable Object> vocab, Added token, String spelling) {
    while (vocab.size() <= token.id()) {
      vocab.add(List.of(secret + "gap" + vocab.size(), 0.0));
    }
    if (!(vocab.get(token.id()) instanceof List<?> piece) || piece.size() != 2) {
      throw malformed("pieces with scores as its vocab");
    }
    vocab.set(token.id(), Arrays.asList(spelling, piece.get(1)));
  }

  private HubException malformed(String expected) {
    return new HubException.Malformed(name + ": expected " + expected + ", found others");
  }
}
