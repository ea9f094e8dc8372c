package io.trimtab.prompt;

import io.trimtab.hub.EncodeOptions;
import io.trimtab.hub.EncodeOptions.TruncationSide;
import io.trimtab.hub.Encoding;
import io.trimtab.hub.SpecialToken;
import io.trimtab.hub.Tokenizer;
import io.trimtab.model.Batch;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Puts texts into a template and tokenizes the whole, so that the tokens are those of the finished
 * sentence: word pieces, blanks and case come out as the tokenizer has them, never glued together
 * from separately tokenized pieces.
 *
 * <p>Where a prompt is too long, the text alone is shortened. A text that spells a special token,
 * such as {@code [MASK]}, has a blank put into that word, so that there is one mask only and the
 * model reads the word as words. Safe for use by several threads.
 */
public final class PromptEncoder {
  private final Template template;
  private final Tokenizer tokenizer;
  private final int maxLength;
  private final TruncationSide side;
  private final String maskToken;
  private final int maskId;
  private final Set<Integer> reserved = new HashSet<>();

  /**
   * An encoder of one template.
   *
   * @param maxLength the largest number of tokens of a prompt, special ones included
   * @param side the side at which a text that is too long loses tokens
   * @throws PromptException.TooLong if the template alone is longer
   * @throws PromptException.Syntax if its fixed words spell a special token
   * @throws io.trimtab.hub.HubException.NotFound if the tokenizer has no mask
   */
  public PromptEncoder(Template template, Tokenizer tokenizer, int maxLength, TruncationSide side) {
    this.template = template;
    this.tokenizer = tokenizer;
    this.maxLength = maxLength;
    this.side = side;
    this.maskId = tokenizer.specialId(SpecialToken.MASK);
    this.maskToken = tokenizer.token(maskId);
    for (SpecialToken role : SpecialToken.values()) {
      tokenizer.special(role).ifPresent(token -> tokenizer.tokenId(token).ifPresent(reserved::add));
    }
    // An unknown token may come from any word, and does no harm where it is spelled out.
    tokenizer
        .special(SpecialToken.UNK)
        .ifPresent(token -> tokenizer.tokenId(token).ifPresent(reserved::remove));
    Rendered empty = render("");
    Encoding encoding = tokenizer.encode(empty.text());
    for (int i = 0; i < encoding.length(); i++) {
      if (isStray(encoding, i, empty)) {
        throw new PromptException.Syntax(
            "found the special token %s spelled out in the template \"%s\", expected words; %s"
                .formatted(
                    encoding.tokens().get(i),
                    template,
                    encoding.id(i) == maskId ? "write {mask} for the mask" : "leave it out"));
      }
    }
    if (encoding.length() > maxLength) {
      throw new PromptException.TooLong(
          "found %d tokens in the template \"%s\" without any text, expected at most %d; shorten it"
                  .formatted(encoding.length(), template, maxLength)
              + " or allow longer prompts");
    }
  }

  /**
   * A text in its template.
   *
   * @param text all of it
   * @param from where the text begins
   * @param to where it ends, exclusive
   * @param mask where the mask's word begins
   */
  private record Rendered(String text, int from, int to, int mask) {}

  private Rendered render(String text) {
    StringBuilder out = new StringBuilder();
    int from = 0;
    int mask = 0;
    for (Segment segment : template.segments()) {
      switch (segment) {
        case Segment.Words words -> out.append(words.text());
        case Segment.Text _ -> {
          from = out.length();
          out.append(text);
        }
        case Segment.Mask _ -> {
          mask = out.length();
          out.append(maskToken);
        }
      }
    }
    return new Rendered(out.toString(), from, from + text.length(), mask);
  }

  /** Whether a token is a special one that somebody spelled out, other than the template's mask. */
  private boolean isStray(Encoding encoding, int token, Rendered in) {
    return !encoding.isSpecial(token)
        && reserved.contains(encoding.id(token))
        && !(encoding.id(token) == maskId && isMask(encoding, token, in));
  }

  /** RoBERTa's mask swallows the blank before it, so its token may begin earlier than its word. */
  private boolean isMask(Encoding encoding, int token, Rendered in) {
    return encoding.start(token) <= in.mask()
        && encoding.end(token) >= in.mask() + maskToken.length();
  }

  /** One text as a prompt. */
  public Prompt encode(String text) {
    Rendered whole = render(text);
    return finish(text, whole, tokenizer.encode(whole.text()));
  }

  /** Many texts, each as a prompt of its own, in their order. */
  public List<Prompt> encodeAll(List<String> texts) {
    List<Rendered> rendered = texts.stream().map(this::render).toList();
    List<Encoding> encodings =
        tokenizer.encodeAll(rendered.stream().map(Rendered::text).toList(), EncodeOptions.DEFAULT);
    List<Prompt> prompts = new ArrayList<>(texts.size());
    for (int i = 0; i < texts.size(); i++) {
      prompts.add(finish(texts.get(i), rendered.get(i), encodings.get(i)));
    }
    return prompts;
  }

  private Prompt finish(String original, Rendered rendered, Encoding encoding) {
    String text = original;
    Rendered in = rendered;
    Encoding tokens = encoding;
    int lost = 0;
    while (true) {
      String plain = withoutSpecialTokens(text, in, tokens);
      if (plain.length() == text.length() && tokens.length() <= maxLength) {
        break;
      }
      if (plain.length() > text.length()) {
        text = plain;
      } else {
        String shorter = shorten(text, in, tokens);
        lost += text.length() - shorter.length();
        text = shorter;
      }
      in = render(text);
      tokens = tokenizer.encode(in.text());
    }
    for (int i = 0; i < tokens.length(); i++) {
      if (tokens.id(i) == maskId && !tokens.isSpecial(i)) {
        return new Prompt(new Batch.Row(tokens.ids(), tokens.typeIds()), i, lost);
      }
    }
    throw new PromptException(
        "found no %s among the tokens of \"%s\", expected the template's; this tokenizer does not know its own mask"
            .formatted(maskToken, in.text()));
  }

  /** The text with a blank in every word of it that the tokenizer took for a special token. */
  private String withoutSpecialTokens(String text, Rendered in, Encoding tokens) {
    StringBuilder out = new StringBuilder(text);
    for (int i = tokens.length() - 1; i >= 0; i--) {
      if (!isStray(tokens, i, in)) {
        continue;
      }
      int at = tokens.start(i);
      while (Character.isWhitespace(in.text().charAt(at))) {
        at++;
      }
      at += Character.charCount(in.text().codePointAt(at));
      // The word may begin in the template or end in it: only the text may change.
      out.insert(Math.clamp(at, in.from(), in.to()) - in.from(), ' ');
    }
    return out.toString();
  }

  /** The text without as many tokens as there are too many, and without one at least. */
  private String shorten(String text, Rendered in, Encoding tokens) {
    List<Integer> own = new ArrayList<>();
    for (int i = 0; i < tokens.length(); i++) {
      if (!tokens.isSpecial(i)
          && tokens.start(i) >= in.from()
          && tokens.end(i) <= in.to()
          && tokens.end(i) > tokens.start(i)) {
        own.add(i);
      }
    }
    int kept = own.size() - (tokens.length() - maxLength);
    if (side == TruncationSide.RIGHT) {
      int end = kept <= 0 ? 0 : tokens.end(own.get(kept - 1)) - in.from();
      // Bytes of one character may be tokens of their own, which all end where it ends.
      return text.substring(
          0, end < text.length() ? end : text.offsetByCodePoints(text.length(), -1));
    }
    int start = kept <= 0 ? text.length() : tokens.start(own.get(own.size() - kept)) - in.from();
    return text.substring(start > 0 ? start : text.offsetByCodePoints(0, 1));
  }
}
