package io.trimtab.prompt;

import io.trimtab.hub.ChatInput;
import io.trimtab.hub.ChatTemplate;
import io.trimtab.hub.ChatTemplates;
import io.trimtab.jinja.JinjaException;
import io.trimtab.jinja.Rendering;
import io.trimtab.jinja.Rendering.Span;
import io.trimtab.prompt.TextTask.Turns;
import io.trimtab.train.Conversation;
import java.util.ArrayList;
import java.util.List;

/**
 * Conversations as a model's chat template writes them, and which parts of that the assistant says.
 *
 * <p>Where the template marks what a model is to write ({@code {% generation %}}), these parts are
 * the assistant's. Elsewhere a turn is what a rendering up to and with it has more than the one up
 * to it that asks for an answer; both have to be beginnings of the whole, else what is learnt would
 * be something else than what is written later.
 */
final class ChatTurns {
  private final ChatTemplates templates;
  private final Turns turns;

  ChatTurns(ChatTemplates templates, Turns turns) {
    this.templates = templates;
    this.turns = turns;
  }

  /**
   * A conversation up to the assistant's last turn.
   *
   * @param text all of it
   * @param said the assistant's parts that are learnt
   * @param marked whether the template itself says so
   */
  record Rendered(String text, List<Span> said, boolean marked) {}

  /**
   * Renders one.
   *
   * @param where what errors call it
   * @throws PromptException.Conversation where the template refuses it, or does not show what the
   *     assistant said
   */
  Rendered render(Conversation conversation, String where) {
    ChatTemplate template =
        templates.select(conversation.tools() != null && !conversation.tools().isEmpty());
    int last = conversation.messages().size() - 1;
    while (last >= 0 && !conversation.isAssistants(last)) {
      last--;
    }
    if (last < 0) {
      throw new PromptException.Conversation(
          where + ": found no message of the role \"assistant\", expected one to learn");
    }
    try {
      Rendering whole = rendering(template, conversation, last + 1, false);
      if (!whole.generations().isEmpty()) {
        return new Rendered(whole.text(), marked(whole, template, conversation, last), true);
      }
      List<Span> said = new ArrayList<>();
      for (int at = turns == Turns.LAST ? last : 0; at <= last; at++) {
        if (conversation.isAssistants(at)) {
          said.add(turn(whole.text(), template, conversation, at, where));
        }
      }
      return new Rendered(whole.text(), said, false);
    } catch (JinjaException e) {
      throw new PromptException.Conversation(
          "%s: the chat template refuses the conversation: %s".formatted(where, e.getMessage()), e);
    }
  }

  private List<Span> marked(
      Rendering whole, ChatTemplate template, Conversation conversation, int last) {
    List<Span> all = whole.generations();
    boolean earlier = false;
    for (int at = 0; at < last; at++) {
      earlier |= conversation.isAssistants(at);
    }
    if (turns == Turns.ALL || !earlier) {
      return all;
    }
    int before = rendering(template, conversation, last, false).generations().size();
    return all.subList(Math.min(before, all.size() - 1), all.size());
  }

  private static Span turn(
      String whole, ChatTemplate template, Conversation conversation, int at, String where) {
    if (at == 0) {
      throw new PromptException.Conversation(
          where
              + ": the first message is the assistant's, expected one before it that it answers;"
              + " begin with a message of the user or the system");
    }
    String before = rendering(template, conversation, at, true).text();
    String after = rendering(template, conversation, at + 1, false).text();
    if (!whole.startsWith(before)
        || !whole.startsWith(after)
        || after.length() <= before.length()) {
      throw new PromptException.Conversation(
          ("%s: the chat template writes message %d otherwise when it is asked for than when it is"
                  + " answered or others follow, so that what is to be learnt cannot be told; learn"
                  + " the last turns alone, or give a template with {%% generation %%} marks")
              .formatted(where, at + 1));
    }
    return new Span(before.length(), after.length());
  }

  private static Rendering rendering(
      ChatTemplate template, Conversation conversation, int messages, boolean asking) {
    return template.rendering(
        ChatInput.of(conversation.messages().subList(0, messages))
            .withTools(conversation.tools())
            .withGenerationPrompt(asking));
  }
}
