package io.trimtab.jinja;

/**
 * A piece of a template.
 *
 * @param text the text of a name, operator or literal as written; of a text or string its value
 * @param at where it begins in the source
 */
record Token(Kind kind, String text, int at) {
  enum Kind {
    TEXT("text"),
    PRINT_BEGIN("{{"),
    PRINT_END("}}"),
    BLOCK_BEGIN("{%"),
    BLOCK_END("%}"),
    NAME("a name"),
    STRING("a string"),
    INTEGER("an integer"),
    FLOAT("a number"),
    OPERATOR("an operator"),
    END("the end of the template");

    private final String shown;

    Kind(String shown) {
      this.shown = shown;
    }

    String shown() {
      return shown;
    }
  }

  boolean is(Kind wanted) {
    return kind == wanted;
  }

  boolean operator(String symbol) {
    return kind == Kind.OPERATOR && text.equals(symbol);
  }

  boolean name(String word) {
    return kind == Kind.NAME && text.equals(word);
  }

  String shown() {
    return kind == Kind.NAME || kind == Kind.OPERATOR || kind == Kind.INTEGER
        ? "'" + text + "'"
        : kind.shown();
  }
}
