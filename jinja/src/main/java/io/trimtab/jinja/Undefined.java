package io.trimtab.jinja;

/**
 * What a name or attribute that does not exist evaluates to. It prints as nothing, is false and has
 * no items; anything else that is done with it is an error with this reason.
 */
record Undefined(String reason, boolean forbidden) {
  private static final int SHOWN = 100;

  static Undefined of(String reason) {
    return new Undefined(reason, false);
  }

  /**
   * As much of a name as its error message needs: what is undefined is a value like any other,
   * which a template can keep millions of.
   */
  static String shown(String name) {
    return name.length() <= SHOWN ? name : name.substring(0, SHOWN) + "...";
  }

  JinjaException used() {
    return forbidden
        ? new JinjaException.Forbidden(reason)
        : new JinjaException.UndefinedValue(reason);
  }
}
