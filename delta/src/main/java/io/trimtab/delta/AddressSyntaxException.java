package io.trimtab.delta;

/** An address that does not follow the language, with the place where it leaves it. */
public final class AddressSyntaxException extends DeltaException {
  private static final long serialVersionUID = 1L;

  private final String text;
  private final int position;

  /**
   * An error at a place.
   *
   * @param text the whole address
   * @param position where it goes wrong, counted from 0
   * @param found what is there
   * @param expected what could be there
   */
  AddressSyntaxException(String text, int position, String found, String expected) {
    super(
        "found "
            + found
            + " at column "
            + (position + 1)
            + " of the address \""
            + text
            + "\", expected "
            + expected);
    this.text = text;
    this.position = position;
  }

  /** The address. */
  public String text() {
    return text;
  }

  /** Where it goes wrong, counted from 0. */
  public int position() {
    return position;
  }

  /** The address with a caret below the place, on two lines. */
  public String picture() {
    String line = text.replaceAll("\\s", " "); // a line break or tab would displace the caret
    return line + "\n" + " ".repeat(line.codePointCount(0, position)) + "^";
  }
}
