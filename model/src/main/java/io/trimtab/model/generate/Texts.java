package io.trimtab.model.generate;

import io.trimtab.hub.Encoding;
import io.trimtab.hub.SpecialToken;
import io.trimtab.hub.Tokenizer;
import io.trimtab.model.LanguageModel;
import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;

/** Texts as a model reads them. */
final class Texts {
  private static final String BEGIN = "bos_token_id";

  private Texts() {}

  /**
   * A text that is to be gone on with: what a tokenizer puts behind a text would end it, and is
   * left out. A text of no tokens begins with the token that begins texts. What an encoder reads is
   * whole, with all that the tokenizer puts around it.
   */
  static int[] open(LanguageModel model, String text) {
    Encoding encoding = model.tokenizer().encode(text);
    int length = model.model().isEncoderDecoder() ? encoding.length() : length(encoding);
    int[] ids = Arrays.copyOf(encoding.ids(), length);
    return ids.length > 0 ? ids : new int[] {begin(model)};
  }

  /**
   * A text that an encoder-decoder may write: without what a tokenizer puts behind it, and without
   * the token that the model's files force in front, which is foretold by nobody.
   */
  static int[] target(LanguageModel model, String text) {
    Encoding encoding = model.tokenizer().encode(text);
    int end = encoding.length();
    while (end > 0 && encoding.isSpecial(end - 1)) {
      end--;
    }
    OptionalInt forced = Limits.forcedBegin(model.model().config());
    boolean begun = end > 0 && forced.isPresent() && encoding.id(0) == forced.getAsInt();
    return Arrays.copyOfRange(encoding.ids(), begun ? 1 : 0, end);
  }

  /** The number of tokens without those put behind the text; all where there are no others. */
  static int length(Encoding encoding) {
    int length = encoding.length();
    while (length > 0 && encoding.isSpecial(length - 1)) {
      length--;
    }
    return length > 0 ? length : Math.min(1, encoding.length());
  }

  /** The token that begins texts. */
  static int begin(LanguageModel model) {
    OptionalInt known = special(model.tokenizer(), SpecialToken.BOS);
    if (known.isPresent()) {
      return known.getAsInt();
    }
    if (model.model().config().isNumber(BEGIN)) {
      return model.model().config().integer(BEGIN);
    }
    throw new GenerateException(
        "found a text of no tokens and no token that begins texts in "
            + model.name()
            + ", expected some text");
  }

  /** The tokens that end texts. */
  static Set<Integer> endTokens(LanguageModel model) {
    Set<Integer> ends = new TreeSet<>(Limits.endTokens(model.model().config()));
    special(model.tokenizer(), SpecialToken.EOS).ifPresent(ends::add);
    return ends;
  }

  private static OptionalInt special(Tokenizer tokenizer, SpecialToken role) {
    Optional<String> spelling = tokenizer.special(role);
    return spelling.isEmpty() ? OptionalInt.empty() : tokenizer.tokenId(spelling.get());
  }
}
