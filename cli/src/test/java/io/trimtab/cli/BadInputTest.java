package io.trimtab.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.trimtab.train.Table;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Whatever is wrong with the input: one line that says so, a code that says so, nothing written.
 */
class BadInputTest {
  private static final String TEMPLATE = "{text} it was {mask} .";
  private static final String WORDS = "positive=great|good,negative=terrible|bad";

  @TempDir private static Path folder;

  @BeforeAll
  static void writeInputs() throws IOException {
    TinyBert.write(folder, 1);
    TinyBert.write(folder, 2);
    Table good = Table.of(List.of("text", "label"), TinyBert.sentences(12, 5));
    good.write(folder.resolve("good.csv"));
    write("other-columns.csv", "message,intent\nthe film,positive\n");
    write("unknown-label.csv", "text,label\nthe film,positive\nthe play,neutral\n");
    write("empty.csv", "");
    write("header.csv", "text,label\n");
    write("ragged.csv", "text,label\nthe film,positive\nthe play\n");
    write("empty.jsonl", "");
    write("broken.jsonl", "{\"text\": \"the film\", \"label\": \"positive\"}\n{\"text\": \n");
    write("data.xlsx", "text,label\nthe film,positive\n");
    write("bytes.csv", "text,label\n");
    Files.write(
        folder.resolve("bytes.csv"), new byte[] {'t', 'e', 'x', 't', '\n', (byte) 0xFF, '\n'});
    write("words.txt", "positive great\n");
    write("full/notes.txt", "mine");
    write("nothing/notes.txt", "no model");
    write("broken-model/config.json", "{\"model_type\": ");
    write("zebra/config.json", "{\"model_type\": \"zebra\"}");
    Path whole = folder.resolve("tiny-bert-1");
    Files.createDirectory(folder.resolve("bare"));
    Files.copy(whole.resolve("config.json"), folder.resolve("bare/config.json"));
    Files.copy(whole.resolve("vocab.txt"), folder.resolve("bare/vocab.txt"));
    Files.copy(whole.resolve("vocab.txt"), folder.resolve("zebra/vocab.txt"));
    Files.copy(whole.resolve("model.safetensors"), folder.resolve("zebra/model.safetensors"));
    Run.of(line("tune --model @tiny-bert-1 --train @good.csv --out @run --epochs 1"), cloze())
        .succeeded();
    Files.createDirectories(folder.resolve("damaged"));
    try (Stream<Path> files = Files.list(folder.resolve("run/delta"))) {
      for (Path file : files.toList()) {
        Files.copy(file, folder.resolve("damaged").resolve(file.getFileName()));
      }
    }
    write("damaged/adapter_model.safetensors", "not tensors");
  }

  private static void write(String name, String text) throws IOException {
    Path file = folder.resolve(name);
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
  }

  private static String[] cloze() {
    return new String[] {"--template", TEMPLATE, "--verbalizer", WORDS};
  }

  /** The words of a command; {@code @NAME} is a file of the folder. */
  private static List<String> line(String command) {
    return Stream.of(command.split(" "))
        .map(word -> word.startsWith("@") ? folder.resolve(word.substring(1)).toString() : word)
        .toList();
  }

  /**
   * What is wrong, the command (tune's usual options are added), the code, words of the message.
   */
  static Stream<Arguments> badInputs() {
    return Stream.of(
        tune("missing column", "--train @other-columns.csv", 1, "\"text\"", "message", "intent"),
        tune("missing label column", "--label kind", 1, "\"kind\"", "label"),
        tune("unknown label in test", "--test @unknown-label.csv", 1, "neutral", "3", "positive"),
        tune("unknown label in dev", "--dev @unknown-label.csv", 1, "neutral"),
        tune("label not in the verbalizer", "--verbalizer positive=good,bad=bad", 1, "negative"),
        tune("empty file", "--train @empty.csv", 1, "empty.csv"),
        tune("empty JSON lines", "--train @empty.jsonl", 1, "empty.jsonl"),
        tune("header only", "--train @header.csv", 1, "header.csv"),
        tune("header-only test", "--test @header.csv", 1, "header.csv"),
        tune("ragged row", "--train @ragged.csv", 1, "ragged.csv", "3"),
        tune("broken JSON line", "--train @broken.jsonl", 1, "broken.jsonl", "2"),
        tune("not UTF-8", "--train @bytes.csv", 1, "bytes.csv"),
        tune("unknown extension", "--train @data.xlsx", 1, ".xlsx", "csv"),
        tune("missing file", "--train @absent.csv", 1, "absent.csv"),
        tune("a directory for a file", "--train @full", 1, "full"),
        tune("split label word", "--verbalizer positive=great,negative=greatly", 1, "greatly"),
        tune("word of two labels", "--verbalizer positive=good,negative=good", 1, "good"),
        tune("one label", "--verbalizer positive=good", 1, "two"),
        tune("no verbalizer in the file", "--verbalizer @words.txt", 1, "words.txt"),
        tune("absent verbalizer", "--verbalizer @absent.txt", 1, "absent.txt"),
        tune("mask missing", "--template {text}_fine", 1, "{mask}"),
        tune("text missing", "--template {mask}_fine", 1, "{text}"),
        tune("two masks", "--template {text}{mask}{mask}", 1, "second {mask}"),
        tune("unknown slot", "--template {text}{mask}{label}", 1, "{label}"),
        tune("open brace", "--template {text}{mask", 1, "never closed"),
        tune("unknown model", "--model @absent", 1, "absent"),
        tune("a model's name that is none", "--model what?", 1, "what?"),
        tune("no model in a directory", "--model @nothing", 1, "config.json", "notes.txt"),
        tune("broken configuration", "--model @broken-model", 1, "config.json"),
        tune("unknown architecture", "--model @zebra", 1, "zebra", "bert"),
        tune("no weights", "--model @bare", 1, "model.safetensors"),
        tune("unknown delta", "--delta lorry", 1, "lorry", "lora"),
        tune("unknown delta option", "--delta lora:rang=8", 1, "rang", "rank"),
        tune("delta option without value", "--delta lora:rank", 2, "key=value"),
        tune("rank 0", "--rank 0", 1, "rank", "0"),
        tune("rank of no number", "--rank many", 1, "rank", "many"),
        tune("rank for a delta without", "--delta bitfit --rank 8", 1, "rank"),
        tune("dropout 1.5", "--dropout 1.5", 1, "dropout", "1.5"),
        tune("targets that match nothing", "--targets qwery", 1, "qwery", "query"),
        tune("targets of a broken pattern", "--targets [r](", 1, "("),
        tune("directory in use", "--out @full", 1, "full"),
        tune("directory that is a file", "--out @good.csv", 1, "good.csv"),
        tune("finished run without --resume", "--out @run", 1, "run", "resume"),
        tune("bad type", "--dtype f8", 2, "f8", "bf16"),
        tune("bad device", "--device tpu", 1, "tpu", "cpu"),
        tune("threads of no number", "--threads many", 2, "many"),
        tune("negative threads", "--threads -1", 1, "-1"),
        tune("seed of no number", "--seed x", 2, "--seed"),
        tune("no epochs", "--epochs 0", 1, "0", "epoch"),
        tune("no batch", "--batch 0", 1, "0", "batch"),
        tune("negative shots", "--shots -1", 1, "-1"),
        tune("more shots than there are", "--shots 100", 1, "100"),
        tune("negative rate", "--rate -1", 1, "-1"),
        tune("rate of NaN", "--rate NaN", 1, "NaN"),
        tune("no threads", "--threads 0", 1, "0", "1"),
        tune("rate of no number", "--rate fast", 2, "fast"),
        tune("no micro-batches", "--accumulate 0", 1, "0"),
        tune("negative clip", "--clip -1", 1, "-1"),
        tune("negative decay", "--decay -1", 1, "-1"),
        tune("patience without dev", "--patience 2", 2, "--patience", "--dev"),
        tune("evaluations without dev", "--evaluations 2", 2, "--evaluations", "--dev"),
        tune("negative patience", "--dev @good.csv --patience -1", 1, "-1"),
        tune("negative evaluations", "--dev @good.csv --evaluations -1", 1, "-1"),
        tune("an option twice", "--rank 4 --rank 8", 2, "--rank"),
        tune("empty label word", "--verbalizer positive=,negative=bad", 1, "positive"),
        tune("a label word out of words", "--verbalizer positive=x_y,negative=bad", 1, "x_y"),
        tune("resume of another run", "--out @full --resume", 1, "full"),
        tune("unknown schedule", "--schedule wavy", 2, "wavy", "cosine"),
        tune("warmup of 2", "--warmup 2", 1, "2"),
        tune("length 0", "--max-length 0", 1, "0"),
        tune("no room for the text", "--max-length 4", 1, "4"),
        tune("unknown option", "--ranks 8", 2, "--ranks"),
        of("no command", "", 2, "command"),
        of("unknown command", "tuna", 2, "tuna", "did you mean", "tune"),
        of("no model", "fill --text [MASK]", 2, "--model"),
        of("no mask", "fill --model @tiny-bert-1 --text film", 2, "[MASK]"),
        of("no words", "fill --model @tiny-bert-1 --text [MASK] --top 0", 2, "--top 0"),
        of("too many words", "fill --model @tiny-bert-1 --text [MASK] --top 97", 2, "96"),
        of("long text", "fill --model @tiny-bert-1 --text [MASK]" + "a".repeat(90), 1, "40"),
        of("no delta there", "inspect --model @tiny-bert-1 --delta nope", 1, "nope"),
        of("batch 0", "inspect --model @tiny-bert-1 --delta lora --batch 0", 2, "--batch"),
        of("length -1", "inspect --model @tiny-bert-1 --delta lora --length -1", 2, "--length"),
        of("no pull", "pull", 2, "MODEL"),
        of("nothing to pull", "pull @absent", 1, "absent"),
        of("no adapter", "predict --text film", 2, "--adapter"),
        of("nothing to predict", "predict --adapter @run", 2, "--text", "--in"),
        of("in without out", "predict --adapter @run --in @good.csv", 2, "--out"),
        of("absent adapter", "predict --adapter @absent --text film", 1, "absent"),
        of("no adapter inside", "predict --adapter @nothing --text film", 1, "nothing"),
        of("damaged adapter", "predict --adapter @damaged --text film", 1, "adapter_model"),
        of("other base", "predict --adapter @run --model @tiny-bert-2 --text film", 1, "base"),
        of(
            "no such column",
            "predict --adapter @run --in @good.csv --column body --out @new.csv",
            1,
            "body",
            "label"),
        of(
            "unknown table to write",
            "predict --adapter @run --in @good.csv --out @new.xlsx",
            1,
            ".xlsx"),
        of(
            "nowhere to write",
            "predict --adapter @run --in @good.csv --out @good.csv/new.csv",
            1,
            "new.csv"),
        of("neither adapter nor model", "evaluate --test @good.csv", 2, "--adapter", "--model"),
        of(
            "two tasks",
            "evaluate --adapter @run --test @good.csv --template {text}{mask}",
            2,
            "--adapter",
            "--template"),
        of("no template", "evaluate --model @tiny-bert-1 --test @good.csv", 2, "--template"),
        of("unknown label", "evaluate --adapter @run --test @unknown-label.csv", 1, "neutral"),
        of("nothing to evaluate", "evaluate --adapter @run --test @header.csv", 1, "header.csv"),
        of("no recorded cases", "parity @absent", 1, "absent"),
        of(
            "other base to score",
            "evaluate --adapter @run --model @tiny-bert-2 --test @good.csv",
            1,
            "base"));
  }

  private static Arguments of(String what, String command, int code, String... said) {
    return Arguments.of(what, command, code, List.of(said));
  }

  private static Arguments tune(String what, String options, int code, String... said) {
    return Arguments.of(what, "tune " + options, code, List.of(said));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("badInputs")
  void isOneLineAndACode(String what, String command, int code, List<String> said)
      throws IOException {
    List<String> before = everything();
    Run run = Run.of(command.startsWith("tune ") ? completed(command) : words(command));
    assertThat(run.err().lines())
        .as(what)
        .singleElement()
        .asString()
        .startsWith("trimtab: ")
        .contains(said)
        .doesNotContain("\tat ", "io.trimtab");
    assertThat(run.code()).isEqualTo(code);
    assertThat(run.out()).isEmpty();
    assertThat(everything()).isEqualTo(before);
    if (code == 2) {
      assertThat(run.err()).containsPattern("; see trimtab( [a-z]+)? --help\\R$");
    }
  }

  /** Tune's usual options where the command does not name them. */
  private static List<String> completed(String command) {
    List<String> all = new ArrayList<>(words(command));
    List<String> usual =
        List.of(
            "--model",
            "@tiny-bert-1",
            "--train",
            "@good.csv",
            "--out",
            "@new", //
            "--template",
            TEMPLATE,
            "--verbalizer",
            WORDS,
            "--epochs",
            "1");
    for (int i = 0; i < usual.size(); i += 2) {
      if (!all.contains(usual.get(i))) {
        all.add(usual.get(i));
        String value = usual.get(i + 1);
        all.add(value.startsWith("@") ? line(value).getFirst() : value);
      }
    }
    return all;
  }

  private static List<String> words(String command) {
    return command.isEmpty() ? List.of() : line(command);
  }

  private static List<String> everything() throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      return files.map(Path::toString).sorted().toList();
    }
  }

  @Test
  void theDemoNeedsAModelThatHasItsWords() {
    Run run = Run.of("demo", "--model", folder.resolve("tiny-bert-1").toString(), "--text", "hi");
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.out()).startsWith("Support tickets, 6 intents: account, billing");
    assertThat(run.err().lines()).singleElement().asString().contains("label word", "account");
  }

  @Test
  void anAdapterOfAnUnfinishedRunIsRefused() throws IOException {
    Path half = Files.createDirectories(folder.resolve("half"));
    Files.copy(folder.resolve("run/run.json"), half.resolve("run.json"));
    Run run = Run.of("predict", "--adapter", half.toString(), "--text", "film");
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.err().lines()).singleElement().asString().contains("not finished", "resume");
  }
}
