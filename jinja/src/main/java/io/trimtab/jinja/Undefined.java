package io.trimtab.jinja;

/**
 * What a name or attribute that does not exist evaluates to. It prints as nothing, is false and has
 * no items; anything else that is done with it is an error with this reason.
 */
record Undefined(String reason, boolean forbidden) {
  static Undefined of(String reason) {
    return new Undefined(reason, false);
  }

  JinjaException used() {
    return forbidden
        ? new JinjaException.Forbidden(reason)
        : new JinjaException.UndefinedValue(reason);
  }
}
