package io.trimtab.train;

/**
 * One labelled text.
 *
 * @param text the text to classify; may be blank
 * @param label the name of its class
 * @param line the line of the file that it starts on, from 1; 0 if it comes from no file
 */
public record Example(String text, String label, int line) {
  /** An example that comes from no file. */
  public Example(String text, String label) {
    this(text, label, 0);
  }
}
