package io.trimtab.train;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Splits tab-separated text. Two habits are in use: plain fields without any quoting, and fields
 * quoted like in CSV. Both are read: a field is quoted only where its opening quote finds a closing
 * one at the field's end, with inner quotes doubled and no tab between; else its quotes are text.
 * Lines that are empty are skipped.
 */
final class TsvParser {
  private final CharSequence text;
  private int at;
  private int nextLine = 1;
  private int line;

  TsvParser(CharSequence text) {
    this.text = text;
  }

  /** The line on which the last row started, from 1. */
  int line() {
    return line;
  }

  /** The fields of the next row, or null at the end. */
  @Nullable List<String> next() {
    while (at < text.length() && atLineBreak()) {
      skipLineBreak();
    }
    if (at == text.length()) {
      return null;
    }
    line = nextLine;
    List<String> row = new ArrayList<>();
    row.add(field());
    while (at < text.length() && text.charAt(at) == '\t') {
      at++;
      row.add(field());
    }
    if (at < text.length()) {
      skipLineBreak();
    }
    return row;
  }

  private boolean atLineBreak() {
    char c = text.charAt(at);
    return c == '\n' || c == '\r';
  }

  private void skipLineBreak() {
    boolean both = text.charAt(at) == '\r' && at + 1 < text.length() && text.charAt(at + 1) == '\n';
    at += both ? 2 : 1;
    nextLine++;
  }

  private String field() {
    if (at < text.length() && text.charAt(at) == '"') {
      String quoted = quoted();
      if (quoted != null) {
        return quoted;
      }
    }
    int start = at;
    while (at < text.length() && text.charAt(at) != '\t' && !atLineBreak()) {
      at++;
    }
    return text.subSequence(start, at).toString();
  }

  /** The field without its quotes, moving past it; null, moving nowhere, if it is not quoted. */
  private @Nullable String quoted() {
    StringBuilder field = new StringBuilder();
    int breaks = 0;
    for (int i = at + 1; i < text.length(); i++) {
      char c = text.charAt(i);
      char following = i + 1 < text.length() ? text.charAt(i + 1) : '\n';
      if (c == '\t') {
        return null;
      }
      if (c == '"' && following != '"') {
        if (following != '\t' && following != '\n' && following != '\r') {
          return null;
        }
        at = i + 1;
        nextLine += breaks;
        return field.toString();
      }
      if (c == '"') {
        i++;
      } else if (c == '\n' || (c == '\r' && following != '\n')) {
        breaks++;
      }
      field.append(c);
    }
    return null;
  }
}
