package io.trimtab.train;

import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** What a report shows of a language model: how well it foretells words, and what it writes. */
final class LanguageHtml {
  private static final int SHOWN = 50;
  private static final int LONG_TEXT = 400;

  private final StringBuilder out = new StringBuilder();

  private LanguageHtml() {}

  /** The figures before and after. */
  static String headline(LanguageScores language) {
    LanguageHtml page = new LanguageHtml();
    LanguageScore before = language.untuned();
    LanguageScore after = language.tuned();
    page.add("<section class=\"heroes\">\n");
    page.numbers("Test perplexity", before.perplexity(), after.perplexity());
    page.shares("Test token accuracy", before.accuracy(), after.accuracy());
    AnswerScore untuned = language.untunedAnswers();
    AnswerScore tuned = language.tunedAnswers();
    if (untuned != null && tuned != null) {
      page.shares("Overlap of answers (ROUGE-L)", untuned.overlap(), tuned.overlap());
      page.shares("Answers exactly as expected", untuned.exactMatch(), tuned.exactMatch());
    }
    page.add("</section>\n");
    page.add(
        "<p class=\"soft\" style=\"margin-top:10px\">Mean loss {} → {} over {} foretold tokens of"
            + " {} test examples.</p>\n",
        three(before.loss()),
        three(after.loss()),
        Html.whole(after.tokens()),
        Html.whole(after.examples()));
    return page.out.toString();
  }

  /** What was written before and after, side by side with what was expected. */
  static String answers(LanguageScores language) {
    AnswerScore tuned = language.tunedAnswers();
    if (tuned == null) {
      return "";
    }
    @Nullable AnswerScore untuned = language.untunedAnswers();
    LanguageHtml page = new LanguageHtml();
    List<Answer> all = tuned.answers();
    page.add(
        "<h2>Answers</h2>\n<div class=\"card\"><p class=\"soft\">{} answers{}</p>\n",
        Html.whole(all.size()),
        all.size() > SHOWN ? "; the first " + SHOWN : "");
    for (int i = 0; i < Math.min(SHOWN, all.size()); i++) {
      Answer answer = all.get(i);
      page.add("<div class=\"mistake\">");
      page.text("text soft", answer.prompt());
      if (untuned != null) {
        page.verdict("untuned", "", untuned.answers().get(i).said());
      }
      page.verdict("tuned", answer.isExact() ? " true" : "", answer.said());
      page.verdict("expected", " true", answer.expected());
      page.add("</div>\n");
    }
    page.add("</div>\n");
    return page.out.toString();
  }

  private void text(String kind, String text) {
    String shown = Html.shorten(text, LONG_TEXT);
    add("<div class=\"{}\">{}</div>", kind, Html.escape(shown));
  }

  private void verdict(String name, String kind, String text) {
    add(
        "<p class=\"verdict\"><span class=\"tag{}\">{}</span> {}</p>",
        kind,
        name,
        Html.escape(Html.shorten(text, LONG_TEXT)));
  }

  private void numbers(String name, double before, double after) {
    double most = Math.max(before, after);
    add(
        "<div class=\"card\"><h3>{}</h3><div class=\"big\">{}<span class=\"gain{}\">{}"
            + " %</span></div>\n<div class=\"compare\">",
        name, oneDecimal(after), after > before ? " down" : "", signed(100 * (after / before - 1)));
    bar("untuned", before / most, oneDecimal(before), "");
    bar("tuned", after / most, oneDecimal(after), " tuned");
    add("</div></div>\n");
  }

  private void shares(String name, double before, double after) {
    add(
        "<div class=\"card\"><h3>{}</h3><div class=\"big\">{}<span class=\"gain{}\">{}"
            + " points</span></div>\n<div class=\"compare\">",
        name,
        Html.percent(after),
        after < before ? " down" : "",
        signed(100 * (after - before)));
    bar("untuned", before, Html.percent(before), "");
    bar("tuned", after, Html.percent(after), " tuned");
    add("</div></div>\n");
  }

  private void bar(String name, double share, String value, String kind) {
    add(
        "<span>{}</span><div class=\"track\"><div class=\"fill{}\""
            + " style=\"width:{}%\"></div></div><span>{}</span>",
        name, kind, oneDecimal(100 * share), value);
  }

  private static String signed(double value) {
    return String.format(Locale.ROOT, "%+.1f", value).replace('-', '−');
  }

  private static String oneDecimal(double value) {
    return String.format(Locale.ROOT, "%.1f", value);
  }

  private static String three(double value) {
    return String.format(Locale.ROOT, "%.3f", value);
  }

  private void add(String template, Object... values) {
    out.append(Html.fill(template, values));
  }
}
