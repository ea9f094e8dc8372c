package io.trimtab.jinja;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A function that a template can call because it is among the variables. */
@FunctionalInterface
public interface JinjaFunction {
  /**
   * The result of a call, a value such as a template's variables may have.
   *
   * @param arguments texts, {@link Long}s, {@link java.math.BigInteger}s, {@link Double}s, {@link
   *     Boolean}s, lists, maps and nulls
   * @param named the arguments given by name
   */
  @Nullable Object call(List<@Nullable Object> arguments, Map<String, @Nullable Object> named);
}
