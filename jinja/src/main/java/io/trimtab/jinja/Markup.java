package io.trimtab.jinja;

/** A text that is marked as safe HTML, which what is joined to it will be escaped for. */
record Markup(String text) {
  static Markup escape(Object value, Budget budget) {
    if (value instanceof Markup markup) {
      return markup;
    }
    String text = Repr.string(value, budget);
    budget.text(6L * text.length());
    return new Markup(
        text.replace("&", "&amp;")
            .replace(">", "&gt;")
            .replace("<", "&lt;")
            .replace("'", "&#39;")
            .replace("\"", "&#34;"));
  }
}
