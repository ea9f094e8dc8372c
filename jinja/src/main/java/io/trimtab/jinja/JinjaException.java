package io.trimtab.jinja;

import io.trimtab.tensor.TrimtabException;

/** Why a template could not be parsed or rendered, and where in it that was. */
public abstract sealed class JinjaException extends TrimtabException {
  private static final long serialVersionUID = 1L;

  private final String reason;
  private final int line;
  private final int column;

  private JinjaException(String reason, int line, int column) {
    super(line == 0 ? reason : "template line " + line + ", column " + column + ": " + reason);
    this.reason = reason;
    this.line = line;
    this.column = column;
  }

  /** What is wrong, without the place. */
  public final String reason() {
    return reason;
  }

  /** The line of the template, from 1 on; 0 where no place is known. */
  public final int line() {
    return line;
  }

  /** The column of the template in UTF-16 units, from 1 on; 0 where no place is known. */
  public final int column() {
    return column;
  }

  /** The same error at a place. */
  abstract JinjaException at(int where, int place);

  /** The template is not written in the language. */
  public static final class Syntax extends JinjaException {
    private static final long serialVersionUID = 1L;

    Syntax(String reason, int line, int column) {
      super(reason, line, column);
    }

    @Override
    JinjaException at(int where, int place) {
      return new Syntax(reason(), where, place);
    }
  }

  /** Something that is not defined was used for more than printing it or asking about it. */
  public static final class UndefinedValue extends JinjaException {
    private static final long serialVersionUID = 1L;

    UndefinedValue(String reason) {
      super(reason, 0, 0);
    }

    private UndefinedValue(String reason, int line, int column) {
      super(reason, line, column);
    }

    @Override
    JinjaException at(int where, int place) {
      return new UndefinedValue(reason(), where, place);
    }
  }

  /** An operation was asked of values that do not have it: Python's type and value errors. */
  public static final class WrongValue extends JinjaException {
    private static final long serialVersionUID = 1L;

    WrongValue(String reason) {
      super(reason, 0, 0);
    }

    private WrongValue(String reason, int line, int column) {
      super(reason, line, column);
    }

    @Override
    JinjaException at(int where, int place) {
      return new WrongValue(reason(), where, place);
    }
  }

  /** What the sandbox keeps out of reach: changes of lists and dictionaries, private attributes. */
  public static final class Forbidden extends JinjaException {
    private static final long serialVersionUID = 1L;

    Forbidden(String reason) {
      super(reason, 0, 0);
    }

    private Forbidden(String reason, int line, int column) {
      super(reason, line, column);
    }

    @Override
    JinjaException at(int where, int place) {
      return new Forbidden(reason(), where, place);
    }
  }

  /** The template itself refused its input; the reason is its own text. */
  public static final class Raised extends JinjaException {
    private static final long serialVersionUID = 1L;

    /** An error with the template's own text, for functions that are given to templates. */
    public Raised(String reason) {
      super(reason, 0, 0);
    }

    private Raised(String reason, int line, int column) {
      super(reason, line, column);
    }

    @Override
    JinjaException at(int where, int place) {
      return new Raised(reason(), where, place);
    }
  }

  /** The template asked for more steps, memory, output or nesting than its {@link Limits} allow. */
  public static final class LimitExceeded extends JinjaException {
    private static final long serialVersionUID = 1L;

    LimitExceeded(String reason) {
      super(reason, 0, 0);
    }

    private LimitExceeded(String reason, int line, int column) {
      super(reason, line, column);
    }

    @Override
    JinjaException at(int where, int place) {
      return new LimitExceeded(reason(), where, place);
    }
  }
}
