package io.trimtab.model.generate;

import io.trimtab.hub.ChatHistory;
import io.trimtab.hub.ChatTemplate;
import io.trimtab.model.KeyValueCache;
import io.trimtab.model.LanguageModel;
import io.trimtab.model.Patches;
import java.util.Arrays;
import java.util.function.Predicate;

/**
 * Answers in conversations. The keys and values of what it has read and said are kept, and of the
 * next prompt those tokens alone are computed that do not begin it as they began the last one: in
 * an ordinary conversation what is new, and after a turn was taken back, or where the template
 * changes earlier messages, what follows the first difference. For one thread.
 *
 * <pre>{@code
 * ChatTemplate template = files.chatTemplates().select(false);
 * try (Chat chat = Chat.of(model, template)) {
 *   ChatHistory asked = ChatHistory.EMPTY.with(ChatHistory.USER, "Hello!");
 *   Chat.Reply reply = chat.reply(asked, GenerateOptions.DEFAULT, piece -> true);
 *   ChatHistory next = reply.conversation().with(ChatHistory.USER, "And then?");
 * }
 * }</pre>
 */
public final class Chat implements AutoCloseable {
  private final LanguageModel model;
  private final ChatTemplate template;
  private final TokenGenerator tokens;

  private KeyValueCache cache = new KeyValueCache();

  /** The tokens that the cache holds. */
  private int[] known = new int[0];

  /** How many of them went through the model first: vectors that patches put in are among these. */
  private int first;

  private Chat(LanguageModel model, ChatTemplate template, TokenGenerator tokens) {
    this.model = model;
    this.template = template;
    this.tokens = tokens;
  }

  /** Answers as the plain model does. */
  public static Chat of(LanguageModel model, ChatTemplate template) {
    return of(model, template, Patches.NONE);
  }

  /**
   * Answers as the model does under these patches.
   *
   * @throws GenerateException for an encoder-decoder, whose decoder reads no conversation
   */
  public static Chat of(LanguageModel model, ChatTemplate template, Patches acting) {
    GenerateException.check(
        !model.model().isEncoderDecoder(),
        "an encoder with a decoder,",
        model.name() + ", for a conversation",
        "a decoder alone");
    return new Chat(model, template, TokenGenerator.of(model.model()).with(acting));
  }

  /**
   * An answer.
   *
   * @param conversation what was asked, with the answer
   * @param text the answer
   * @param sequence its tokens
   * @param promptTokens how many tokens it was foretold from
   * @param reusedTokens how many of these were known, and not computed again
   */
  public record Reply(
      ChatHistory conversation,
      String text,
      Sequence sequence,
      int promptTokens,
      int reusedTokens) {}

  /**
   * Answers the last message of a conversation.
   *
   * @param asked the whole conversation
   * @param options how, for one text; tokens that end one are those of the model and its tokenizer
   *     where none are named
   * @param listener is told of each piece of the answer, which is never empty and ends in a whole
   *     character; gives whether to go on
   * @throws GenerateException where the conversation fills all of the model's positions, or several
   *     samples are asked for
   * @throws io.trimtab.hub.ChatException where the conversation is empty
   * @throws io.trimtab.jinja.JinjaException where the template fails or refuses the conversation
   */
  public Reply reply(ChatHistory asked, GenerateOptions options, Predicate<String> listener) {
    GenerateException.check(options.samples() == 1, "samples", options.samples(), "1 in a chat");
    String prompt = template.render(asked.input());
    // Templates spell out all special tokens; one more at the beginning would be one too many.
    int[] ids = model.tokenizer().encodeWithoutSpecial(prompt).ids();
    GenerateOptions ending =
        options.endTokens().isPresent() ? options : options.withEndTokens(Texts.endTokens(model));
    Transcript text = new Transcript(model.tokenizer(), options.stop());
    int reused = keepCommonBeginning(ids);
    Sequence made;
    try {
      made =
          tokens.continued(
              ids,
              reused,
              cache,
              ending,
              (_, _, token) -> {
                String piece = text.add(token);
                boolean more = piece.isEmpty() || listener.test(piece);
                return more && !text.stopped();
              });
    } catch (RuntimeException e) {
      forget(); // a pass that failed may have left anything behind
      throw e;
    }
    String rest = text.rest();
    if (!rest.isEmpty()) {
      var _ = listener.test(rest); // there is nothing left to stop
    }
    remember(ids, made, reused == 0);
    ChatHistory answered = asked.with(ChatHistory.ASSISTANT, text.text());
    return new Reply(answered, text.text(), made, ids.length, reused);
  }

  /** The bytes that are taken by what is kept between answers. */
  public long keptBytes() {
    return cache.bytes();
  }

  /** Cuts off what differs; the last token is computed in any case, for the scores after it. */
  private int keepCommonBeginning(int[] ids) {
    int same = 0;
    while (same < Math.min(known.length, ids.length - 1) && known[same] == ids[same]) {
      same++;
    }
    int inserted = known.length == 0 ? 0 : cache.length(0) - known.length;
    if (same == 0 || (inserted > 0 && same < first)) {
      forget(); // vectors that were put in lie somewhere in the first pass
      return 0;
    }
    if (same < known.length) {
      cache.cut(same + inserted);
      known = Arrays.copyOf(known, same);
    }
    return same;
  }

  /** Of what was made, all but the last token has gone through the model. */
  private void remember(int[] ids, Sequence made, boolean anew) {
    int read = made.logProbabilities().size() - 1;
    known = Arrays.copyOf(ids, ids.length + read);
    for (int i = 0; i < read; i++) {
      known[ids.length + i] = made.tokens().get(i);
    }
    if (anew) {
      first = ids.length;
    }
  }

  /** Drops all that is kept; the next answer computes its whole prompt. */
  public void forget() {
    cache.close();
    cache = new KeyValueCache();
    known = new int[0];
  }

  /** Frees what is kept; the model stays open. */
  @Override
  public void close() {
    forget();
  }
}
