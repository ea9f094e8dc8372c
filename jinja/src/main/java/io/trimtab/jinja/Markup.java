package io.trimtab.jinja;

/** A text that is marked as safe HTML, which what is joined to it will be escaped for. */
record Markup(String text) {
  static Markup escape(Object value, Budget budget) {
    if (value instanceof Markup markup) {
      return markup;
    }
    return new Markup(escapeText(Repr.string(value, budget), budget));
  }

  static String escapeText(String text, Budget budget) {
    budget.work(text.length());
    StringBuilder out = new StringBuilder();
    int from = 0;
    for (int i = 0; i < text.length(); i++) {
      String escaped =
          switch (text.charAt(i)) {
            case '&' -> "&amp;";
            case '>' -> "&gt;";
            case '<' -> "&lt;";
            case '\'' -> "&#39;";
            case '"' -> "&#34;";
            default -> null;
          };
      if (escaped != null) {
        out.append(text, from, i).append(escaped);
        budget.fits(out.length());
        from = i + 1;
      }
    }
    if (from == 0) {
      return text;
    }
    budget.text((long) out.length() + text.length() - from);
    return out.append(text, from, text.length()).toString();
  }
}
