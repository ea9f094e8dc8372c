package io.trimtab.hub;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Turns texts into the token numbers that a model was trained on, and back. Safe for use by several
 * threads. {@link #close()} frees native memory; what is called afterwards throws {@link
 * IllegalStateException}.
 */
public interface Tokenizer extends AutoCloseable {

  /** Encodes one text. */
  Encoding encode(String text, EncodeOptions options);

  /** Encodes a pair of texts. */
  Encoding encode(String first, String second, EncodeOptions options);

  /** Encodes one text with special tokens, untruncated. */
  default Encoding encode(String text) {
    return encode(text, EncodeOptions.DEFAULT);
  }

  /** Encodes a pair of texts with special tokens, untruncated. */
  default Encoding encode(String first, String second) {
    return encode(first, second, EncodeOptions.DEFAULT);
  }

  /** Encodes one text without special tokens, untruncated. */
  default Encoding encodeWithoutSpecial(String text) {
    return encode(text, EncodeOptions.DEFAULT.withoutSpecialTokens());
  }

  /** Encodes many texts, each by itself; an implementation may use all cores. */
  default List<Encoding> encodeAll(List<String> texts, EncodeOptions options) {
    List<Encoding> out = new ArrayList<>(texts.size());
    for (String text : texts) {
      out.add(encode(text, options));
    }
    return out;
  }

  /**
   * The number of {@code token} as the vocabulary spells it (case, {@code ##}, marks for blanks);
   * empty where the vocabulary has no such token.
   */
  OptionalInt tokenId(String token);

  /**
   * The spelling of token {@code id}.
   *
   * @throws HubException.NotFound when the vocabulary has no such number
   */
  String token(int id);

  /** The text that {@code ids} stand for; special tokens are left out where {@code skipSpecial}. */
  String decode(int[] ids, boolean skipSpecial);

  /** The text that {@code ids} stand for, without special tokens. */
  default String decode(int[] ids) {
    return decode(ids, true);
  }

  /** The spelling of a special token, where the tokenizer has it. */
  Optional<String> special(SpecialToken role);

  /**
   * The number of a special token.
   *
   * @throws HubException.NotFound when the tokenizer has none for that role
   */
  default int specialId(SpecialToken role) {
    return special(role).map(this::tokenId).orElse(OptionalInt.empty()).stream()
        .findFirst()
        .orElseThrow(
            () ->
                new HubException.NotFound(
                    "this tokenizer has no "
                        + role
                        + " token; use a model that has one, or name it as \""
                        + role.configKey()
                        + "\" in tokenizer_config.json"));
  }

  /** One more than the largest token number. */
  int vocabularySize();

  @Override
  void close();
}
