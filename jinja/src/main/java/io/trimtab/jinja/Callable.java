package io.trimtab.jinja;

/** What can be called: macros, methods of values, functions. */
interface Callable {
  /** The name for error messages. */
  String name();

  Object call(Args args);

  /** A callable by a lambda. */
  static Callable of(String name, java.util.function.Function<Args, Object> body) {
    return new Callable() {
      @Override
      public String name() {
        return name;
      }

      @Override
      public Object call(Args args) {
        return body.apply(args);
      }
    };
  }
}
