package io.trimtab.delta.compat;

import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * One thing that a program does not do as PEFT does.
 *
 * @param effect what comes of it
 * @param field the field, or the tensors, that it is about
 * @param found what an adapter has that the rule is about; empty where it has nothing such
 * @param why what the program does with it, and what helps
 */
record Rule(
    Finding.Effect effect,
    String field,
    Function<AdapterFacts, Optional<String>> found,
    String why) {

  /** What the rule says of an adapter; empty where it is no concern. */
  Optional<Finding> check(AdapterFacts facts) {
    return found.apply(facts).map(text -> new Finding(effect, field, text, why));
  }

  /** About another method than LoRA. */
  static Rule onlyLora(String why) {
    return new Rule(
        Finding.Effect.REFUSED,
        "peft_type",
        facts -> some(!facts.peftType().equals("LORA"), facts.peftType()),
        why);
  }

  /** About a flag that is on. */
  static Rule flag(Finding.Effect effect, String field, String why) {
    return new Rule(effect, field, facts -> some(facts.isOn(field), "true"), why);
  }

  /** About a list of names that is not empty. */
  static Rule names(Finding.Effect effect, String field, String why) {
    return new Rule(
        effect,
        field,
        facts ->
            facts.names(field)
                ? Optional.of(
                    facts.config().isText(field)
                        ? facts.config().text(field)
                        : some(facts.config().texts(field)))
                : Optional.empty(),
        why);
  }

  /** About a table of names and numbers that is not empty. */
  static Rule pattern(Finding.Effect effect, String field, String why) {
    return new Rule(
        effect,
        field,
        facts ->
            facts.pattern(field)
                ? Optional.of(some(List.copyOf(facts.config().section(field).fields())))
                : Optional.empty(),
        why);
  }

  /** About tensors of other names than the given ones. */
  static Rule tensorsBut(Finding.Effect effect, List<String> endings, String why) {
    return new Rule(
        effect,
        "tensors",
        facts -> {
          List<String> others = facts.tensorsBut(endings);
          return some(!others.isEmpty(), some(others));
        },
        why);
  }

  /** A text where something is so. */
  static Optional<String> some(boolean so, String text) {
    return so ? Optional.of(text) : Optional.empty();
  }

  /** The first names of a list. */
  static String some(List<String> names) {
    return String.join(", ", names.subList(0, Math.min(3, names.size())))
        + (names.size() > 3 ? " and " + (names.size() - 3) + " more" : "");
  }
}
