package io.trimtab.cli;

import io.trimtab.hub.ChatTemplate;
import io.trimtab.hub.ModelDirectory;
import io.trimtab.model.LanguageModel;
import io.trimtab.model.Models;
import io.trimtab.model.generate.GenerateOptions;
import io.trimtab.tensor.TrimtabException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.charset.Charset;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code trimtab chat}: a conversation with a model. */
@Command(
    name = "chat",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    description = {
      "Talk with a model that has a chat template.",
      "Each line of standard input is a message; one that begins with a slash is a command, and"
          + " /help lists them. Answers are shown as they come."
    })
final class ChatCommand implements Callable<Integer> {
  @Mixin private CommonOptions common;
  @Mixin private DecoderOptions decoder;
  @Mixin private SamplingOptions sampling;

  @Option(
      names = "--system",
      paramLabel = "TEXT",
      defaultValue = "",
      description = "What the model is told before all else.")
  private String system;

  @Option(
      names = "--message",
      paramLabel = "TEXT",
      description =
          "Say this instead of reading standard input; may be given several times, and is answered"
              + " each time.")
  private List<String> messages = new ArrayList<>();

  @Option(
      names = "--max-tokens",
      paramLabel = "N",
      defaultValue = "512",
      description = "The largest number of tokens of an answer (default: ${DEFAULT-VALUE}).")
  private int maxTokens;

  @Option(
      names = "--stop",
      paramLabel = "TEXT",
      description = "End an answer before this text; may be given several times.")
  private List<String> stop = new ArrayList<>();

  @Override
  public Integer call() {
    GenerateOptions options =
        new GenerateOptions(
            sampling.sampling(), 1, maxTokens, 0, stop, Optional.empty(), common.seed(), 1);
    String name = decoder.name();
    String adapter = decoder.adapter();
    common.startEngine();
    ModelDirectory files = common.find(name);
    ChatTemplate template = files.chatTemplates().select(false);
    try (LanguageModel model = Models.open(name, files, common.dtype(), common.device());
        ChatSession session =
            new ChatSession(model, template, decoder::load, options, system, common.words())) {
      if (adapter != null) {
        session.use(adapter);
      }
      messages.forEach(session::say);
      boolean right = !messages.isEmpty() || listen(session);
      common.result(session.result());
      return right ? 0 : 1;
    }
  }

  /** Takes line by line. Gives whether all went well: at a terminal, people have seen to that. */
  private boolean listen(ChatSession session) {
    boolean terminal = common.terminal();
    PrintWriter remarks = common.remarks();
    boolean right = true;
    // Not closed: it is the process's.
    BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, Charset.defaultCharset()));
    while (true) {
      if (terminal) {
        remarks.print("> ");
        remarks.flush();
      }
      String line = next(in);
      try {
        if (line == null || !session.take(line)) {
          return right || terminal;
        }
      } catch (TrimtabException | UncheckedIOException e) {
        Main.say(remarks, e);
        right = false;
      }
    }
  }

  private static @Nullable String next(BufferedReader in) {
    try {
      return in.readLine();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
