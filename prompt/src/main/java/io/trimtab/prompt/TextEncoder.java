package io.trimtab.prompt;

import io.trimtab.hub.ChatTemplates;
import io.trimtab.hub.EncodeOptions;
import io.trimtab.hub.EncodeOptions.TruncationSide;
import io.trimtab.hub.Encoding;
import io.trimtab.hub.SpecialToken;
import io.trimtab.hub.Tokenizer;
import io.trimtab.jinja.Rendering.Span;
import io.trimtab.model.Head;
import io.trimtab.model.LanguageModel;
import io.trimtab.prompt.TextTask.TooLong;
import io.trimtab.train.Conversation;
import io.trimtab.train.DataException;
import io.trimtab.train.TokenExample;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Makes examples the tokens that a model reads, and marks those that it is to learn. */
final class TextEncoder {
  private static final String END = "eos_token_id";
  private static final String PLAIN = "Instruction: {instruction}\nInput: {input}\nOutput: ";
  private static final String PLAIN_WITHOUT_INPUT = "Instruction: {instruction}\nOutput: ";

  private final LanguageModel model;
  private final Tokenizer tokenizer;
  private final TextTask task;
  private final int maxLength;
  private final Set<Integer> ends = new TreeSet<>();
  private final Supplier<ChatTemplates> templates;
  private @Nullable ChatTemplates known;

  /**
   * An encoder for a model.
   *
   * @param templates the model's chat templates, asked for where they are needed
   * @throws PromptException where the task does not fit the model
   */
  TextEncoder(LanguageModel model, TextTask task, Supplier<ChatTemplates> templates) {
    this.model = model;
    this.tokenizer = model.tokenizer();
    this.task = task;
    this.templates = templates;
    boolean pairs = task.form() instanceof TextTask.Pairs;
    if (pairs != model.model().isEncoderDecoder()
        || model.model().head(Head.CausalLm.class).isEmpty()) {
      throw new PromptException(
          "found the task \"%s\" for %s (%s), expected %s with a head that foretells words"
              .formatted(
                  task.form().word(),
                  model.name(),
                  model.model().config().modelType(),
                  pairs ? "an encoder-decoder" : "a decoder"));
    }
    this.maxLength = Math.min(task.maxLength(), positions());
    if (model.model().config().isList(END)) {
      ends.addAll(model.model().config().integers(END));
    } else if (model.model().config().isNumber(END)) {
      ends.add(model.model().config().integer(END));
    }
    special(SpecialToken.EOS).ifPresent(ends::add);
  }

  /** The positions that the model was made for; T5's attention knows of none. */
  private int positions() {
    for (String name : List.of("max_position_embeddings", "n_positions", "n_ctx")) {
      if (model.model().config().isNumber(name)
          && !model.model().config().modelType().endsWith("t5")) {
        return model.model().config().integer(name);
      }
    }
    return Integer.MAX_VALUE;
  }

  private OptionalInt special(SpecialToken role) {
    return tokenizer.special(role).map(tokenizer::tokenId).orElse(OptionalInt.empty());
  }

  /** The largest number of tokens of an example: the task's, or the model's where that is less. */
  int maxLength() {
    return maxLength;
  }

  /** The tokens that end texts. */
  Set<Integer> ends() {
    return Set.copyOf(ends);
  }

  /** An example and its tokens. */
  record Item(TextExample example, TokenExample tokens) {}

  /**
   * Encoded examples.
   *
   * @param items those that are there to be learnt from
   * @param cut how many of them lost tokens
   * @param leftOut how many examples are not among them: too long, or nothing left to learn
   */
  record Encoded(List<Item> items, int cut, int leftOut) {
    List<TokenExample> examples() {
      return items.stream().map(Item::tokens).toList();
    }
  }

  /**
   * Encodes examples.
   *
   * @throws DataException where one is too long and that is an error, or none is left
   * @throws PromptException.Conversation where a chat template does not show what is learnt
   */
  Encoded encode(TextData data) {
    List<Item> items = new ArrayList<>();
    int cut = 0;
    int leftOut = 0;
    for (TextExample example : data.examples()) {
      String where =
          example.line() == 0
              ? data.source()
              : "%s line %d".formatted(data.source(), example.line());
      for (Fitted fitted : fitted(example, where)) {
        if (fitted.tokens() == null || fitted.tokens().learnt() == 0) {
          leftOut++;
        } else {
          items.add(new Item(example, fitted.tokens()));
          cut += fitted.cut() ? 1 : 0;
        }
      }
    }
    if (items.isEmpty() && !data.examples().isEmpty()) {
      throw new DataException(
          "found no example in %s with anything to learn within %d tokens, expected some; allow longer ones"
              .formatted(data.source(), maxLength));
    }
    return new Encoded(List.copyOf(items), cut, leftOut);
  }

  /** Tokens within the longest example, or none. */
  private record Fitted(@Nullable TokenExample tokens, boolean cut) {}

  private List<Fitted> fitted(TextExample example, String where) {
    return switch (example) {
      case TextExample.Chat chat -> List.of(fit(chat(chat.conversation(), where), where));
      case TextExample.Instruction instruction ->
          List.of(fit(instruction(instruction, where), where));
      case TextExample.Pair pair when task.form() instanceof TextTask.Pairs ->
          List.of(sourceAndTarget(pair, where));
      case TextExample.Pair pair ->
          List.of(fit(completion(pair.prompt(), pair.completion()), where));
      case TextExample.Plain plain -> windows(plain);
    };
  }

  private Fitted fit(TokenExample whole, String where) {
    int length = whole.ids().length;
    if (length <= maxLength) {
      return new Fitted(whole, false);
    }
    int from = task.tooLong() == TooLong.CUT_START ? length - maxLength : 0;
    return tooLong(length, where)
        ? new Fitted(
            TokenExample.of(
                Arrays.copyOfRange(whole.ids(), from, from + maxLength),
                Arrays.copyOfRange(whole.answered(), from, from + maxLength)),
            true)
        : new Fitted(null, false);
  }

  /** Whether an example that is too long is cut; it is left out otherwise. */
  private boolean tooLong(int length, String where) {
    if (task.tooLong() == TooLong.FAIL) {
      throw new DataException(
          "%s: found an example of %d tokens, expected at most %d; shorten it, allow longer ones, or have them cut"
              .formatted(where, length, maxLength));
    }
    return task.tooLong() != TooLong.LEAVE_OUT;
  }

  private ChatTemplates templates() {
    if (known == null) {
      known = templates.get();
    }
    return known;
  }

  private TokenExample chat(Conversation conversation, String where) {
    TextTask.Turns turns =
        task.form() instanceof TextTask.Chat chat ? chat.turns() : TextTask.Turns.ALL;
    ChatTurns.Rendered rendered = new ChatTurns(templates(), turns).render(conversation, where);
    Encoding encoding = tokenizer.encodeWithoutSpecial(rendered.text());
    boolean[] answered = new boolean[encoding.length()];
    for (Span span : rendered.said()) {
      int last = -1;
      for (int i = 0; i < answered.length; i++) {
        if (encoding.end(i) > span.start() && encoding.start(i) < span.end()) {
          answered[i] = true;
          last = i;
        }
      }
      if (!rendered.marked()) {
        dropBlanks(encoding, rendered.text(), answered, last);
      }
    }
    if (encoding.length() == 0) {
      throw new PromptException.Conversation(
          where + ": found a conversation of no tokens, expected some text");
    }
    return TokenExample.of(encoding.ids(), answered);
  }

  /**
   * What comes after the token that ends a turn is not the assistant's: nobody asks it for that.
   */
  private void dropBlanks(Encoding encoding, String text, boolean[] answered, int last) {
    int end = last;
    while (end > 0 && text.substring(encoding.start(end), encoding.end(end)).isBlank()) {
      end--;
    }
    if (end >= 0 && end < last && ends.contains(encoding.id(end))) {
      Arrays.fill(answered, end + 1, last + 1, false);
    }
  }

  private TokenExample instruction(TextExample.Instruction example, String where) {
    String template = ((TextTask.Instructions) task.form()).template();
    if (template == null && templates().defaultSource().isPresent()) {
      Conversation asked = Conversation.of(example.question(), example.output());
      return chat(new Conversation(asked.messages(), null, example.line()), where);
    }
    String plain = example.input().isBlank() ? PLAIN_WITHOUT_INPUT : PLAIN;
    return completion(filled(template == null ? plain : template, example), example.output());
  }

  /** Braces in what is put in are not looked at again. */
  private static String filled(String template, TextExample.Instruction example) {
    StringBuilder out = new StringBuilder();
    int at = 0;
    while (at < template.length()) {
      if (template.startsWith("{instruction}", at)) {
        out.append(example.instruction());
        at += "{instruction}".length();
      } else if (template.startsWith("{input}", at)) {
        out.append(example.input());
        at += "{input}".length();
      } else {
        out.append(template.charAt(at++));
      }
    }
    return out.toString();
  }

  /** Encoded as one text: a token across the border belongs to the completion. */
  private TokenExample completion(String prompt, String completion) {
    Encoding encoding = tokenizer.encode(prompt + completion);
    List<Integer> ids = new ArrayList<>();
    List<Boolean> answered = new ArrayList<>();
    for (int i = 0; i < lengthWithoutFrame(encoding); i++) {
      ids.add(encoding.id(i));
      answered.add(!encoding.isSpecial(i) && encoding.end(i) > prompt.length());
    }
    if (answered.isEmpty() || answered.getFirst()) {
      special(SpecialToken.BOS)
          .ifPresent(
              begin -> {
                ids.addFirst(begin);
                answered.addFirst(false);
              });
    }
    addEnd(ids, answered);
    return example(ids, answered);
  }

  /** The number of tokens without those that the tokenizer puts behind a text. */
  private static int lengthWithoutFrame(Encoding encoding) {
    int length = encoding.length();
    while (length > 0 && encoding.isSpecial(length - 1)) {
      length--;
    }
    return length;
  }

  /** A model that is not shown where texts end would never end its own. */
  private void addEnd(List<Integer> ids, List<Boolean> answered) {
    OptionalInt end = special(SpecialToken.EOS);
    int id = end.isPresent() ? end.getAsInt() : ends.stream().findFirst().orElse(-1);
    if (id >= 0) {
      ids.add(id);
      answered.add(true);
    }
  }

  private static TokenExample example(List<Integer> ids, List<Boolean> answered) {
    boolean[] flags = new boolean[answered.size()];
    for (int i = 0; i < flags.length; i++) {
      flags[i] = answered.get(i);
    }
    return TokenExample.of(ids.stream().mapToInt(Integer::intValue).toArray(), flags);
  }

  /** Pieces that begin with the last token of the one before, so that every token is foretold. */
  private List<Fitted> windows(TextExample.Plain example) {
    Encoding encoding = tokenizer.encode(example.text());
    List<Integer> ids = new ArrayList<>();
    for (int i = 0; i < lengthWithoutFrame(encoding); i++) {
      ids.add(encoding.id(i));
    }
    addEnd(ids, new ArrayList<>());
    List<Fitted> all = new ArrayList<>();
    for (int from = 0; from == 0 || from < ids.size() - 1; from += maxLength - 1) {
      int[] own =
          ids.subList(from, Math.min(ids.size(), from + maxLength)).stream()
              .mapToInt(Integer::intValue)
              .toArray();
      all.add(new Fitted(own.length == 0 ? null : TokenExample.all(own), false));
    }
    return all;
  }

  /**
   * The decoder begins with the token that {@code decoder_start_token_id} names and learns all of
   * the target, what the tokenizer puts around it included.
   */
  private Fitted sourceAndTarget(TextExample.Pair pair, String where) {
    int[] source = tokenizer.encode(pair.prompt()).ids();
    int[] target = tokenizer.encode(pair.completion()).ids();
    int longest = Math.max(source.length, target.length);
    boolean cut = longest > maxLength;
    if (cut && !tooLong(longest, where)) {
      return new Fitted(null, false);
    }
    if (cut) {
      TruncationSide side =
          task.tooLong() == TooLong.CUT_START ? TruncationSide.LEFT : TruncationSide.RIGHT;
      EncodeOptions options = EncodeOptions.DEFAULT.maxLength(maxLength).truncate(side);
      source = tokenizer.encode(pair.prompt(), options).ids();
      target = tokenizer.encode(pair.completion(), options).ids();
    }
    if (source.length == 0 || target.length == 0) {
      return new Fitted(null, false);
    }
    int[] ids = new int[target.length + 1];
    ids[0] = model.model().decoderStart();
    System.arraycopy(target, 0, ids, 1, target.length);
    boolean[] answered = new boolean[ids.length];
    Arrays.fill(answered, 1, ids.length, true);
    return new Fitted(new TokenExample(source, ids, answered), cut);
  }
}
