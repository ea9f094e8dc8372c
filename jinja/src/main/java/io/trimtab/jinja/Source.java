package io.trimtab.jinja;

/** A template's text, with line feeds as its only line ends and without the last of them. */
record Source(String text) {
  static Source of(String raw) {
    String text = raw.indexOf('\r') < 0 ? raw : raw.replace("\r\n", "\n").replace('\r', '\n');
    return new Source(text.endsWith("\n") ? text.substring(0, text.length() - 1) : text);
  }

  int line(int at) {
    return 1
        + (int)
            text.substring(0, Math.min(at, text.length())).chars().filter(c -> c == '\n').count();
  }

  int column(int at) {
    return at == 0 ? 1 : at - text.lastIndexOf('\n', at - 1);
  }

  JinjaException.Syntax error(String reason, int at) {
    return new JinjaException.Syntax(reason, line(at), column(at));
  }
}
