package io.trimtab.hub.gguf;

import java.util.List;

/** A metadata value with the type that it has in the file. */
public sealed interface GgufValue {

  /** The type in the file. */
  GgufType type();

  /** A whole number of 32 bits without sign, what most counts are. */
  static GgufValue count(long value) {
    return new Whole(GgufType.U32, value);
  }

  /** A number in single precision. */
  static GgufValue real(double value) {
    return new Real(GgufType.F32, (float) value);
  }

  /** A text. */
  static GgufValue text(String value) {
    return new Text(value);
  }

  /** True or false. */
  static GgufValue flag(boolean value) {
    return new Flag(value);
  }

  /**
   * A whole number.
   *
   * @param type one of the eight types of whole numbers
   * @param value its value; 64 bits without sign are taken as with sign
   */
  record Whole(GgufType type, long value) implements GgufValue {}

  /**
   * A floating-point number.
   *
   * @param type single or double precision
   * @param value its value
   */
  record Real(GgufType type, double value) implements GgufValue {}

  /**
   * True or false.
   *
   * @param value its value
   */
  record Flag(boolean value) implements GgufValue {
    @Override
    public GgufType type() {
      return GgufType.BOOL;
    }
  }

  /**
   * A text.
   *
   * @param value its value
   */
  record Text(String value) implements GgufValue {
    @Override
    public GgufType type() {
      return GgufType.TEXT;
    }
  }

  /**
   * Values of one type, which is no array.
   *
   * @param element the type of all of them
   * @param values the values
   */
  record Items(GgufType element, List<GgufValue> values) implements GgufValue {
    /** Copies the list. */
    public Items {
      values = List.copyOf(values);
    }

    @Override
    public GgufType type() {
      return GgufType.ARRAY;
    }
  }
}
